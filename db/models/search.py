from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from db.models.model import Model

_PENDING = {"gin_pending_list_limit": "1024"}
"""kB of new entries that every search looks through one by one, before somebody who writes sorts them in."""


class SearchablePost(Model):
    """What a post or quote is found by. Triggers on `posts` keep it; a deleted post has no row.

    Apart from the post, so that walking the newest of them reads little, and so that counters do not move it about: rows lie
    in the order of their ids, but for what was imported or edited later.
    """

    __tablename__ = "searchable_posts"
    __table_args__ = (
        Index(
            "ix_searchable_posts_words",
            "words",
            "body",
            text("search_periods(post_id)"),
            postgresql_using="gin",
            postgresql_ops={"body": "gin_trgm_ops"},
            postgresql_with=_PENDING,
        ),
    )

    post_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(Text)
    """The text as `search_text` folds it: one case, one normal form, spaces for punctuation."""
    words: Mapped[Any] = mapped_column(TSVECTOR)
    """Its words with their places (`search_words`), besides `#hashtag` and `@name` of its entities."""


class SearchableAccount(Model):
    """What an account is found by. Triggers on `users` keep it. Both names are folded by `search_text`."""

    __tablename__ = "searchable_accounts"
    __table_args__ = (
        Index(
            "ix_searchable_accounts_words",
            "words",
            "username",
            "display_name",
            postgresql_using="gin",
            postgresql_ops={"username": "gin_trgm_ops", "display_name": "gin_trgm_ops"},
            postgresql_with=_PENDING,
        ),
    )

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    username: Mapped[str] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text)
    words: Mapped[Any] = mapped_column(TSVECTOR)


class PopularAccount(Model):
    """The accounts with most followers, as a worker last found them.

    An index on `users.follower_count` would say so at any time, and would make every follow write to all indexes of `users`.
    """

    __tablename__ = "popular_accounts"
    __table_args__ = (Index("ix_popular_accounts_most_followed", text("follower_count DESC"), text("user_id DESC")),)

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    follower_count: Mapped[int] = mapped_column(Integer)
