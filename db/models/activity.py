from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Activity(Model):
    """The outbox of what people do: a promise to look at one subject again, for notifications and for the ranking's scores.

    Written in the transaction of the like, comment, share, follow or post. It says what to look at, not what to find: whether
    the like is there is read when the row is dealt with; so rows may be dealt with twice, late, or in another order.

    Life: open; taken in batches by workers, each in one transaction that also deletes the rows (a worker that dies leaves them
    as they were); one that fails is due again later (`next_attempt_at`), and parked after too many failures.
    """

    __tablename__ = "activities"
    __table_args__ = (
        CheckConstraint("kind IN ('post', 'like', 'comment', 'share', 'bookmark', 'follow', 'follow_request')", name="kind"),
        Index("ix_activities_due", "next_attempt_at", "id", postgresql_where=text("parked_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int] = mapped_column(BigInteger)
    """Who did it."""
    subject_id: Mapped[int] = mapped_column(BigInteger)
    """Of `like` and `bookmark` the post; of `comment` the comment; of `post` the post or quote; of `share` the share or
    quote; of `follow` and `follow_request` the account that is followed or asked."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    next_attempt_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    last_follower_id: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Progress through the close friends of a post's author."""
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    last_error: Mapped[str | None] = mapped_column(Text)
    parked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
