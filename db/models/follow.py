from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Float, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Follow(Model):
    """`follower` sees `followee`'s posts in the home feed. Both directions are indexed: by whom, and of whom (fan-out).

    No foreign keys: accounts are never deleted, follower and followee may live in different databases one day, and the checks
    would cost more than the rest of an import.
    """

    __tablename__ = "follows"
    __table_args__ = (
        CheckConstraint("follower_id <> followee_id", name="not_self"),
        CheckConstraint("daily_limit > 0", name="daily_limit_positive"),
        Index("ix_follows_followee_id_follower_id", "followee_id", "follower_id"),
        Index("ix_follows_followers_recent", "followee_id", text("created_at DESC"), text("follower_id DESC")),
        Index("ix_follows_close_friends", "followee_id", "follower_id", postgresql_where=text("close_friend")),
        Index("ix_follows_following_recent", "follower_id", text("created_at DESC"), text("followee_id DESC")),
    )

    follower_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    followee_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    interaction_score: Mapped[float] = mapped_column(Float, server_default=text("0"))
    """How much the follower deals with the followee: what people did, weighted; feeds the ranking."""
    interaction_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When the score was last written: it fades from then on."""
    close_friend: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """The follower is notified of every post."""
    hide_shares: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """The followee's shares without words stay out of the follower's feed."""
    daily_limit: Mapped[int | None] = mapped_column(Integer)
    """Reasons by the followee that count on one UTC day, the first ones by id; empty: all."""


class KeptFollow(Model):
    """A follow that ended while what was there already stays: reasons up to `until_id` are as good as followed ones.

    Never beside a `Follow` of the same pair: following again deletes it. The view `feed_sources` is the union of both.
    """

    __tablename__ = "kept_follows"
    __table_args__ = (
        CheckConstraint("viewer_id <> author_id", name="not_self"),
        Index("ix_kept_follows_author_id_viewer_id", "author_id", "viewer_id"),
    )

    viewer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    author_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    until_id: Mapped[int] = mapped_column(BigInteger)
    """The last id that stays."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


class FollowRequest(Model):
    """A wish to follow a private account. Ends as a `Follow` when it is accepted, and is simply deleted otherwise."""

    __tablename__ = "follow_requests"
    __table_args__ = (
        CheckConstraint("follower_id <> followee_id", name="not_self"),
        Index("ix_follow_requests_followee_id_follower_id", "followee_id", "follower_id"),
    )

    follower_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    followee_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
