"""Which reposts of a file become shares, and of what: by plain walking from repost to original, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def expected_shares(posts: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The root by repost, for `posts` in the files' order with number ids and times that sort as text.

    The first row of an id counts, and of the same account's reposts of one root the earliest.
    """
    first: dict[str, Mapping[str, Any]] = {}
    for post in posts:
        if "repost_of" in post or "reply_to" not in post:
            first.setdefault(post["id"], post)
    roots: dict[str, str] = {}
    shared: set[tuple[str, str]] = set()
    for post in sorted(first.values(), key=lambda post: (post["created_at"], int(post["id"]))):
        root = _root(first, post)
        if "repost_of" in post and root is not None and (post["user_id"], root) not in shared:
            shared.add((post["user_id"], root))
            roots[post["id"]] = root
    return roots


def _root(first: Mapping[str, Mapping[str, Any]], post: Mapping[str, Any]) -> str | None:
    seen: set[str] = set()
    while "repost_of" in post:
        if post["id"] in seen or post["repost_of"] not in first:
            return None
        seen.add(post["id"])
        post = first[post["repost_of"]]
    return str(post["id"])
