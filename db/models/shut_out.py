from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Block(Model):
    """`blocker` wants nothing to do with `blocked`: neither sees what the other posts, in no way and at no place."""

    __tablename__ = "blocks"
    __table_args__ = (
        CheckConstraint("blocker_id <> blocked_id", name="not_self"),
        Index("ix_blocks_blocked_id_blocker_id", "blocked_id", "blocker_id"),
        Index("ix_blocks_recent", "blocker_id", text("created_at DESC"), text("blocked_id DESC")),
    )

    blocker_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    blocked_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


class Mute(Model):
    """`muter` does not want `muted` in the feed and in notifications, until `until` or for good. Only the muter ever knows."""

    __tablename__ = "mutes"
    __table_args__ = (
        CheckConstraint("muter_id <> muted_id", name="not_self"),
        Index("ix_mutes_recent", "muter_id", text("created_at DESC"), text("muted_id DESC")),
    )

    muter_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    muted_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
