from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model


class User(Model):
    """An account.

    Life: provisioned at the first sight of an unknown token subject (`external_id`), or imported; may be suspended or
    shadow-banned and restored; never deleted.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index("uq_users_external_id", "external_id", unique=True),
        Index("uq_users_username_lower", text("lower(username)"), unique=True),
        Index("ix_users_pulled", "id", postgresql_where=text("has_pulled_posts")),
        CheckConstraint(r"username ~ '^[A-Za-z0-9_]{1,50}$'", name="username_form"),
        CheckConstraint("follower_count >= 0 AND following_count >= 0 AND post_count >= 0", name="counts_not_negative"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, server_default=text("next_id((random() * 1023)::integer)"), autoincrement=False
    )
    external_id: Mapped[str] = mapped_column(String(255))
    """`sub` of the account's tokens; for imported accounts the file's id."""
    username: Mapped[str] = mapped_column(String(50))
    display_name: Mapped[str] = mapped_column(String(100), server_default="")
    bio: Mapped[str] = mapped_column(Text, server_default="")
    avatar_url: Mapped[str | None] = mapped_column(Text)
    """Of a picture elsewhere, as the account's tokens or an import named it."""
    avatar_media_id: Mapped[int | None] = mapped_column(BigInteger)
    """A picture of its own, which goes before `avatar_url`."""
    avatar_key: Mapped[str | None] = mapped_column(Text)
    """Where the store of media keeps that picture's thumbnail."""
    is_verified: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    is_private: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    has_pulled_posts: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """The celebrity mark: set with the first post that is pulled, never cleared, since that post stays pulled."""
    suspended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    shadow_banned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    follower_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    following_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    post_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    """Existing public posts."""
    graph_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Grows in every transaction that changes whom this account follows; a cached timeline of another version is cold."""
    audience_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Grows in every transaction that changes who follows this account, or keeps its history; a cached list of followers of
    another version is not used."""
    import_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Grows in every transaction that adds posts of this account past the outbox; a cached list of its posts of another version
    is cold."""
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    """The account's feed preferences, as `domain.preferences` writes and reads them."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
