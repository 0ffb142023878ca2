from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class IdempotencyKey(Model):
    """The first result under a key, written in the transaction of the effect. Kept at least 24 hours."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    operation: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the input without the key."""
    result_id: Mapped[int] = mapped_column(BigInteger)
    """The post, share or comment that was made (or that was there already)."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


class Report(Model):
    """Somebody finds that a post should not be here. One a person and post; open until a moderator has dealt with it."""

    __tablename__ = "reports"
    __table_args__ = (
        CheckConstraint("reason IN ('SPAM', 'ABUSE', 'ILLEGAL', 'OTHER')", name="reason"),
        Index("uq_reports_post_id_reporter_id", "post_id", "reporter_id", unique=True),
        Index("ix_reports_open", "id", postgresql_where=text("handled_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    post_id: Mapped[int] = mapped_column(BigInteger)
    reporter_id: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(16))
    comment: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    handled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
