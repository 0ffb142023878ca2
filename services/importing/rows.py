"""The rows of a bulk load, read from files or generated, as they go to staging tables: validated, not yet resolved."""

from __future__ import annotations

from typing import Any, NamedTuple


class AccountRow(NamedTuple):
    """An account. `username` is what it wishes for; None: `u<id>`."""

    line: int
    external_id: str
    username: str | None
    display_name: str
    bio: str
    created_ms: int | None
    is_verified: bool = False
    is_private: bool = False


class FollowRow(NamedTuple):
    """`follower` follows `followee`, both by their ids in the file. `since_ms`: milliseconds since 1970."""

    line: int
    follower: str
    followee: str
    since_ms: int | None


class PostRow(NamedTuple):
    """A post. `order_key` sorts source ids (bytewise); `score` is its engagement; `media` becomes `media_links`.

    `repost_of` is the source id of what it passes on: then `text`, `media` and `score` are empty, they would be the original's.
    """

    file: str
    line: int
    source_id: str
    order_key: str
    author: str
    created_us: int
    text: str
    media: list[dict[str, Any]]
    score: float
    visibility: str = "PUBLIC"
    location_name: str | None = None
    repost_of: str | None = None


class ActivityRow(NamedTuple):
    """`actor` did something about `target`; `weight` says how much it counts."""

    actor: str
    target: str
    at_ms: int
    weight: float


def order_key(source_id: str) -> str:
    """Sorts bytewise as ids sort: whole numbers by value, before all other ids, which sort by their bytes."""
    if source_id.isascii() and source_id.isdigit():
        digits = source_id.lstrip("0")
        return f"0{len(digits):03d}{digits}"
    return f"1{source_id}"
