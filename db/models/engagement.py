from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class Like(Model):
    """Somebody likes a post (of a share without words, what it shares). The row is the truth: it is there or it is not."""

    __tablename__ = "likes"
    __table_args__ = (Index("ix_likes_recent", "post_id", text("created_at DESC"), text("user_id DESC")),)

    post_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


class Comment(Model):
    """Words under a post. Life: written; perhaps deleted (by its author, or by the post's), which keeps the row."""

    __tablename__ = "comments"
    __table_args__ = (
        Index("ix_comments_post_id_id", "post_id", text("id DESC"), postgresql_where=text("deleted_at IS NULL")),
        Index("ix_comments_author_id_id", "author_id", text("id DESC"), postgresql_where=text("deleted_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """`next_id(author's shard)`; carries the creation time, and is the order of a post's comments."""
    post_id: Mapped[int] = mapped_column(BigInteger)
    author_id: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Bookmark(Model):
    """Somebody keeps a post for later. Nobody else ever knows."""

    __tablename__ = "bookmarks"
    __table_args__ = (Index("ix_bookmarks_recent", "user_id", text("created_at DESC"), text("post_id DESC")),)

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    post_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))


class CounterChange(Model):
    """What a post's counters still lack: written in the transaction of the like or comment, and added to the post's row a
    moment later, many at a time, in the transaction that deletes these rows. So the sum of both is exact at every instant,
    whatever dies, and nobody who likes a post waits for the others who do.
    """

    __tablename__ = "counter_changes"
    __table_args__ = (
        CheckConstraint("likes <> 0 OR comments <> 0", name="not_nothing"),
        Index("ix_counter_changes_post_id", "post_id", postgresql_include=["likes", "comments"]),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    post_id: Mapped[int] = mapped_column(BigInteger)
    likes: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    comments: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
