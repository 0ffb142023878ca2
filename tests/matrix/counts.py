"""Every number and flag that is answered: what it must be by the facts, or that it counts nothing of anybody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type

from tests.matrix.oracle import Oracle

_SHOWN_ACTORS = 8
_Expected = Callable[[Oracle, int | None, dict[str, Any]], int | None]


def _has_no_own(oracle: Oracle, post: int | None) -> bool:
    """A share without words is a mark on another post, and nothing is counted about it."""
    return post is None or oracle.truth.posts[post].is_plain_share


def _likes(oracle: Oracle, post: int | None, _: object) -> int | None:
    return None if _has_no_own(oracle, post) else oracle.truth.like_counts()[post or 0]


def _comments(oracle: Oracle, post: int | None, _: object) -> int | None:
    return None if _has_no_own(oracle, post) else oracle.truth.comment_counts()[post or 0]


def _shares(oracle: Oracle, post: int | None, _: object) -> int | None:
    return None if _has_no_own(oracle, post) else oracle.truth.share_counts()[post or 0]


def _followers(oracle: Oracle, user: int | None, _: object) -> int | None:
    return sum(followee == user for _, followee in oracle.truth.follows)


def _following(oracle: Oracle, user: int | None, _: object) -> int | None:
    return sum(follower == user for follower, _ in oracle.truth.follows)


def _posts(oracle: Oracle, user: int | None, _: object) -> int | None:
    return None if user is None else oracle.truth.post_counts()[user]


def _tagged(oracle: Oracle, tag: int | None, _: object) -> int | None:
    return None if tag is None else oracle.truth.hashtag_counts()[tag]


def _as_many_as(name: str) -> _Expected:
    """As many as are shown, unless not all are."""

    def expected(_oracle: Oracle, _number: int | None, value: dict[str, Any]) -> int | None:
        shown = len(value[name]) if name in value else _SHOWN_ACTORS
        return shown if shown < _SHOWN_ACTORS else None

    return expected


def _unread(_oracle: Oracle, _number: int | None, value: dict[str, Any]) -> int | None:
    if "nodes" not in value or value["pageInfo"]["hasNextPage"]:
        return None
    return sum(not node["isRead"] for node in value["nodes"])


def _recent(oracle: Oracle, _number: int | None, value: dict[str, Any]) -> int | None:
    """Everything here was written a moment ago."""
    name = (value.get("hashtag") or {}).get("name")
    tags = [tag for tag, one in oracle.truth.hashtags.items() if one == name]
    return oracle.truth.open_hashtag_counts()[tags[0]] if tags else None


def _not_judged(_oracle: Oracle, _number: int | None, _value: dict[str, Any]) -> int | None:
    """Compared with the viewer's whole list by whoever has both."""
    return None


COUNTS: dict[tuple[str, str], _Expected] = {
    ("User", "followerCount"): _followers,
    ("User", "followingCount"): _following,
    ("User", "postCount"): _posts,
    ("Hashtag", "postCount"): _tagged,
    ("Post", "likeCount"): _likes,
    ("Post", "commentCount"): _comments,
    ("Post", "shareCount"): _shares,
    ("PostCounts", "likeCount"): _likes,
    ("PostCounts", "commentCount"): _comments,
    ("PostCounts", "shareCount"): _shares,
    ("FeedReason", "userCount"): _as_many_as("users"),
    ("Notification", "actorCount"): _as_many_as("actors"),
    ("NotificationConnection", "unreadCount"): _unread,
    ("MarkNotificationsReadPayload", "unreadCount"): _not_judged,
    ("TrendingHashtag", "recentPostCount"): _recent,
    ("FeedPosition", "unseenCount"): _not_judged,
}
COUNTS_NOTHING = {
    ("Location", "latitude"),
    ("Location", "longitude"),
    ("TextEntity", "start"),
    ("TextEntity", "end"),
    ("Media", "width"),
    ("Media", "height"),
    ("FollowSettings", "dailyLimit"),
    ("FeedEdge", "score"),
    ("RankingFactor", "value"),
    ("RankingFactor", "contribution"),
}


def _root(oracle: Oracle, post: int) -> int:
    """Of a share without words what it shares: that is what is liked and kept."""
    found = oracle.truth.posts[post]
    return found.shared if found.is_plain_share and found.shared is not None else post


def _has(table: str, *, of_root: bool = True) -> Callable[[Oracle, int], bool]:
    return lambda oracle, post: (oracle.viewer, _root(oracle, post) if of_root else post) in getattr(oracle.truth, table)


FLAGS: dict[tuple[str, str], Callable[[Oracle, int], bool]] = {
    ("Post", "viewerHasLiked"): _has("likes"),
    ("Post", "viewerHasBookmarked"): _has("bookmarks"),
    ("User", "isViewer"): lambda oracle, user: oracle.viewer == user,
    ("User", "followsViewer"): lambda oracle, user: (user, oracle.viewer) in oracle.truth.follows,
    ("User", "viewerIsBlocking"): lambda oracle, user: oracle.blocks(user),
    ("User", "viewerIsMuting"): lambda oracle, user: oracle.mutes(user),
}


def unknown_numbers(schema: GraphQLSchema) -> list[str]:
    """Numbers that the schema answers and nobody here knows: each must be judged, or said to count nothing."""
    return [
        f"{kind.name}.{name}"
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__")
        for name, field in kind.fields.items()
        if get_named_type(field.type).name in {"Int", "Float"} and (kind.name, name) not in {*COUNTS, *COUNTS_NOTHING}
    ]
