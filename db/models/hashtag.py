from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Float, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Hashtag(Model):
    """A hashtag, from its first use or its first follower on. `name` is normalised: `domain.text.normalise_hashtag`."""

    __tablename__ = "hashtags"
    __table_args__ = (
        CheckConstraint("post_count >= 0", name="count_not_negative"),
        Index("uq_hashtags_name", "name", unique=True),
    )

    id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, server_default=text("next_id((random() * 1023)::integer)"), autoincrement=False
    )
    name: Mapped[str] = mapped_column(String(255))
    post_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Existing public posts."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


class PostHashtag(Model):
    """A post's text names a hashtag. Written with the text, in the same transaction; kept when the post is deleted."""

    __tablename__ = "post_hashtags"
    __table_args__ = (Index("ix_post_hashtags_post_id_hashtag_id", "post_id", "hashtag_id"),)

    hashtag_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    post_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class HashtagFollow(Model):
    """A viewer follows a hashtag: posts that name it come into the feed, merged when read."""

    __tablename__ = "hashtag_follows"
    __table_args__ = (
        Index("ix_hashtag_follows_recent", "user_id", text("created_at DESC"), text("hashtag_id DESC")),
        Index("ix_hashtag_follows_hashtag_id_user_id", "hashtag_id", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    hashtag_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


class HashtagTrend(Model):
    """How much a hashtag is used at present, as a worker found it at `computed_at`; the whole table is replaced each time."""

    __tablename__ = "hashtag_trends"
    __table_args__ = (Index("ix_hashtag_trends_score", text("score DESC"), text("hashtag_id DESC")),)

    hashtag_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    score: Mapped[float] = mapped_column(Float)
    recent_post_count: Mapped[int] = mapped_column(Integer)
    computed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
