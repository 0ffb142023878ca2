from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Post(Model):
    """A post, a quote (words about another post), or a share without words (`is_plain_share`), which passes another post on.

    Life: published; perhaps edited (text, visibility); perhaps deleted (`deleted_at`, the row stays: ids are never used again).
    `delivery` is empty until the first fan-out decides it, and never changes afterwards.
    """

    __tablename__ = "posts"
    __table_args__ = (
        CheckConstraint("visibility IN ('PUBLIC', 'FRIENDS', 'PRIVATE')", name="visibility"),
        CheckConstraint("delivery IN ('PUSH', 'PULL')", name="delivery"),
        CheckConstraint("share_count >= 0", name="share_count_not_negative"),
        CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="location_range"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="location_whole"),
        CheckConstraint("NOT is_plain_share OR (shared_post_id IS NOT NULL AND text = '')", name="plain_share_form"),
        Index("ix_posts_author_id_id", "author_id", sql("id DESC")),
        Index(
            "ix_posts_pulled",
            "author_id",
            sql("id DESC"),
            postgresql_where=sql("delivery = 'PULL' AND deleted_at IS NULL"),
        ),
        Index(
            "uq_posts_plain_share",
            "shared_post_id",
            "author_id",
            unique=True,
            postgresql_include=["id"],
            postgresql_where=sql("is_plain_share AND deleted_at IS NULL"),
        ),
        Index(
            "ix_posts_plain_shares_recent",
            "shared_post_id",
            sql("id DESC"),
            postgresql_where=sql("is_plain_share AND deleted_at IS NULL"),
        ),
        Index("ix_posts_shared_post_id", "shared_post_id", postgresql_where=sql("shared_post_id IS NOT NULL")),
        Index("uq_posts_source_id", "source_id", unique=True, postgresql_where=sql("source_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """`next_id(author's shard)`; carries the creation time, and is the feed's order."""
    author_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    source_id: Mapped[str | None] = mapped_column(String(64))
    """The id in the file that the post was imported from."""
    text: Mapped[str] = mapped_column(Text)
    entities: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sql("'[]'"))
    """Mentions, hashtags and links with code point offsets: [{"k","s","e","t","u"?,"h"?,"l"?}], see `db.post_entities`."""
    media_links: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=sql("'[]'"))
    """Addresses of remote media of imported posts, kept as links."""
    shared_post_id: Mapped[int | None] = mapped_column(BigInteger)
    """What a quote or a share passes on: always an original or a quote, never a share without words."""
    is_plain_share: Mapped[bool] = mapped_column(Boolean, server_default=sql("false"))
    visibility: Mapped[str] = mapped_column(String(8), server_default="PUBLIC")
    location_name: Mapped[str | None] = mapped_column(String(200))
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    """The id's milliseconds, kept as a column for SQL that people write."""
    edited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    like_count: Mapped[int] = mapped_column(Integer, server_default=sql("0"))
    comment_count: Mapped[int] = mapped_column(Integer, server_default=sql("0"))
    share_count: Mapped[int] = mapped_column(Integer, server_default=sql("0"))
    engagement_score: Mapped[float] = mapped_column(Float, server_default=sql("0"))
    """How much people deal with the post; imported totals without people go in here, not into the counts."""
    imported_engagement: Mapped[float] = mapped_column(Float, server_default=sql("0"))
    """The part of `engagement_score` that came with an import; the rest follows from the counts."""
    delivery: Mapped[str | None] = mapped_column(String(4))
