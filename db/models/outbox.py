from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from db.models.model import Model


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id; only ever compared inside the database."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "XID8"


class OutboxEvent(Model):
    """A promise to do something about a committed change. Written in the change's own transaction.

    Life: open (`closed_at` empty) and due at `next_attempt_at`; leased by a relay, which moves `next_attempt_at` past the lease
    and counts `attempts` (the number is the lease's token) and `unheard`; sent to a worker, which sets `unheard` back to 0,
    advances `last_follower_id` chunk by chunk and finally sets `closed_at`. Only the worker that holds the newest lease may do
    so. After too many failures it is parked: shown to operators, never deleted. Closed rows stay for `outbox_retention`: live
    cursors are resumed from them.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('post_published', 'post_edited', 'post_deleted', 'feed_changed', 'account_changed')", name="kind"
        ),
        Index("ix_outbox_due", "next_attempt_at", postgresql_where=text("closed_at IS NULL AND parked_at IS NULL")),
        Index(
            "ix_outbox_open_posts",
            "author_id",
            text("post_id DESC"),
            postgresql_where=text("closed_at IS NULL AND kind = 'post_published'"),
        ),
        Index("ix_outbox_xact_id", "xact_id"),
        Index("ix_outbox_open", "id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_outbox_post_id", "post_id", postgresql_where=text("post_id IS NOT NULL")),
        Index("ix_outbox_changes", "author_id", "id", postgresql_where=text("post_id IS NULL")),
        Index("ix_outbox_closed_at", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    author_id: Mapped[int] = mapped_column(BigInteger)
    """The post's author; of `account_changed` the account; of `feed_changed` the viewer whose feed it is."""
    post_id: Mapped[int | None] = mapped_column(BigInteger)
    """Empty for the changes of feeds and accounts."""
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """What was replaced, as `db.feed_changes` noted it; empty where a post was published for the first time."""
    xact_id: Mapped[str] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    """The writing transaction: `pg_visible_in_snapshot` on it tells exactly what a live cursor has not seen yet."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    next_attempt_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Leases given so far; the newest one's number is the token that a worker must hold."""
    unheard: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Leases given since a worker last took the row up: the more, the longer the next one."""
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Attempts that ended with an error in the worker."""
    last_follower_id: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Progress: followers up to this id have been served."""
    last_error: Mapped[str | None] = mapped_column(Text)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    parked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
