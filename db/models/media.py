from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Media(Model):
    """A picture or film that somebody uploads.

    Life: created (the address for the upload is given out); finished (`finished_at`: the content is there and has passed the
    first checks); processed by a worker: READY (cleaned of metadata, with a thumbnail) or REJECTED (content deleted). What
    nobody needs any more is collected.
    """

    __tablename__ = "media"
    __table_args__ = (
        CheckConstraint("kind IN ('IMAGE', 'VIDEO')", name="kind"),
        CheckConstraint("state IN ('PENDING', 'READY', 'REJECTED')", name="state"),
        Index("ix_media_owner_id_id", "owner_id", text("id DESC")),
        Index("ix_media_collectable", "collect_at", postgresql_where=text("collect_at IS NOT NULL")),
        Index(
            "ix_media_unprocessed",
            "next_attempt_at",
            postgresql_where=text("state = 'PENDING' AND finished_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """`next_id(owner's shard)`."""
    owner_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(8), server_default="PENDING")
    content_type: Mapped[str] = mapped_column(String(64))
    """As announced; once finished, as found in the content."""
    byte_size: Mapped[int] = mapped_column(Integer)
    """As announced; once finished, as found."""
    alt_text: Mapped[str | None] = mapped_column(Text)
    upload_key: Mapped[str] = mapped_column(Text)
    """Where the store keeps what was uploaded. Never served."""
    public_key: Mapped[str | None] = mapped_column(Text)
    """Where the store keeps what is served: the cleaned content. Known before it is there, so that trying again writes no
    second one."""
    thumbnail_key: Mapped[str | None] = mapped_column(Text)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    """Pixels, as it is shown (a picture that says it lies on its side is turned first)."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    next_attempt_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """How often a worker took it up: the number of its lease."""
    collect_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """From when on row and content may go; None while a post or a profile shows it."""


class PostMedia(Model):
    """What a post shows, in its order. One upload belongs to one post at most."""

    __tablename__ = "post_media"
    __table_args__ = (Index("uq_post_media_media_id", "media_id", unique=True),)

    post_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    media_id: Mapped[int] = mapped_column(BigInteger)
