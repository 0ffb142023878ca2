"""What stands in lists, exactly: no more, and not less either, or a list that is always empty would pass."""

from __future__ import annotations

from collections.abc import Callable

from tests.matrix.oracle import Oracle
from tests.matrix.truth import Secret

HASHTAGS_LOOKED_UP = {"Query.node(Hashtag)", "Query.nodes(Hashtag)", "Query.hashtag"}
"""Who knows the name (or had the id) of a hashtag may learn that somebody used it. Nothing names it by itself."""
LOOKED_UP = {"Query.nodes", "Query.blockedUsers"}
"""Lists of people in which those whom the viewer blocks may stand: asked for by id, and the one that is made of them."""

_OF_A_THING: dict[tuple[str, str], Callable[[Oracle, int], set[int]]] = {
    ("User", "posts"): Oracle.posts_of,
    ("User", "followers"): Oracle.followers_of,
    ("User", "following"): Oracle.followed_by,
    ("Post", "comments"): Oracle.comments_on,
    ("Post", "likers"): Oracle.likers_of,
    ("Post", "sharers"): Oracle.sharers_of,
}


def _bookmarks(oracle: Oracle) -> set[int]:
    return {post for user, post in oracle.truth.bookmarks if user == oracle.viewer and oracle.sees_post(post)}


def _requests(oracle: Oracle) -> set[int]:
    return {who for who, whom in oracle.truth.requests if whom == oracle.viewer and oracle.lists_account(who)}


def _blocked(oracle: Oracle) -> set[int]:
    return {whom for who, whom in oracle.truth.blocks if who == oracle.viewer and oracle.sees_account(whom)}


def _muted(oracle: Oracle) -> set[int]:
    return {whom for who, whom in oracle.truth.mutes if who == oracle.viewer and oracle.lists_account(whom)}


def _hashtags(oracle: Oracle) -> set[int]:
    return {tag for user, tag in oracle.truth.hashtag_follows if user == oracle.viewer}


_OF_THE_VIEWER: dict[str, Callable[[Oracle], set[int]]] = {
    "bookmarks": _bookmarks,
    "followRequests": _requests,
    "blockedUsers": _blocked,
    "mutedUsers": _muted,
    "followedHashtags": _hashtags,
}


def check_list(oracle: Oracle, kind: str, owner: Secret | None, name: str, found: set[int], *, has_more: bool) -> str | None:
    """What is wrong with a first page; empty where nothing is; None where no list is expected here."""
    if owner is not None and (kind, name) in _OF_A_THING:
        expected = _OF_A_THING[kind, name](oracle, owner[1])
    elif kind == "Query" and name in _OF_THE_VIEWER:
        expected = _OF_THE_VIEWER[name](oracle)
    else:
        return None
    if found == expected or (has_more and found < expected):
        return ""
    return f"has {sorted(found - expected)} too much, lacks {[] if has_more else sorted(expected - found)}"
