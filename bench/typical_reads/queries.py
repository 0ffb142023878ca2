"""Reads of every kind, as clients of a social app send them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import get_introspection_query

from domain.ids import to_global_id

_USER = "id username displayName avatarUrl"
_POST = (
    f"id text createdAt editedAt likeCount commentCount shareCount viewerHasLiked viewerHasBookmarked author {{ {_USER} }} "
    "entities { kind start end text url } media { id url thumbnailUrl }"
)
_PAGE = "pageInfo { hasNextPage endCursor }"


@dataclass(frozen=True, slots=True)
class Known:
    """What variables are drawn from. `readers`: accounts that ask; `posts`: with comments and likes; `names`: usernames."""

    readers: list[int]
    posts: list[int]
    names: list[str]
    words: list[str]
    hashtags: list[str]


@dataclass(frozen=True, slots=True)
class Read:
    """`variables`: drawn anew for each operation."""

    name: str
    query: str
    variables: Callable[[Known, Random], dict[str, Any]] = lambda _known, _random: {}


def _post_id(known: Known, random: Random) -> dict[str, Any]:
    return {"id": to_global_id("Post", random.choice(known.posts))}


def _post_ids(known: Known, random: Random) -> dict[str, Any]:
    return {"ids": [to_global_id("Post", one) for one in random.sample(known.posts, 20)]}


def _name(known: Known, random: Random) -> dict[str, Any]:
    return {"name": random.choice(known.names)}


def _word(known: Known, random: Random) -> dict[str, Any]:
    return {"query": random.choice(known.words)}


def _hashtag(known: Known, random: Random) -> dict[str, Any]:
    return {"name": random.choice(known.hashtags)}


READS = (
    Read("feed", f"{{ feed(first: 20) {{ edges {{ cursor node {{ {_POST} }} }} {_PAGE} }} }}"),
    Read(
        "feed with reasons and status",
        f"{{ feed(first: 20) {{ edges {{ cursor node {{ {_POST} }} "
        f"reasons {{ kind delivery userCount users {{ {_USER} }} }} }} "
        f"{_PAGE} status {{ state complete asOf order degradations }} }} }}",
    ),
    Read("feed position", "{ feedPosition { cursor unseenCount } }"),
    Read("why a post is shown", "query($id: ID!) { explainFeedPost(postId: $id) { shown rule message } }", _post_id),
    Read(
        "profile with posts",
        f"query($name: String!) {{ user(username: $name) {{ {_USER} bio isVerified followerCount followingCount postCount "
        f"viewerFollowState followsViewer viewerIsMuting posts(first: 20) {{ edges {{ node {{ {_POST} }} }} {_PAGE} }} }} }}",
        _name,
    ),
    Read(
        "profile alone",
        f"query($name: String!) {{ user(username: $name) {{ {_USER} bio followerCount viewerFollowState followsViewer }} }}",
        _name,
    ),
    Read(
        "followers",
        f"query($name: String!) {{ user(username: $name) {{ followers(first: 50) {{ edges {{ node {{ {_USER} "
        f"viewerFollowState }} }} {_PAGE} }} }} }}",
        _name,
    ),
    Read(
        "following",
        f"query($name: String!) {{ user(username: $name) {{ following(first: 50) {{ nodes {{ {_USER} viewerFollowState }} "
        f"{_PAGE} }} }} }}",
        _name,
    ),
    Read(
        "post with comments",
        f"query($id: ID!) {{ post(id: $id) {{ {_POST} comments(first: 20) {{ edges {{ node {{ id text createdAt "
        f"viewerCanDelete author {{ {_USER} }} }} }} {_PAGE} }} }} }}",
        _post_id,
    ),
    Read(
        "post with likers",
        f"query($id: ID!) {{ post(id: $id) {{ {_POST} likers(first: 20) {{ nodes {{ {_USER} viewerFollowState }} "
        f"{_PAGE} }} }} }}",
        _post_id,
    ),
    Read(
        "node",
        "query($id: ID!) { node(id: $id) { __typename id ... on Post { text likeCount author { username } } } }",
        _post_id,
    ),
    Read("nodes", f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename id ... on Post {{ {_POST} }} }} }}", _post_ids),
    Read(
        "notifications",
        f"{{ notifications(first: 20) {{ edges {{ cursor node {{ id kind createdAt isRead actorCount actors {{ {_USER} }} "
        f"post {{ id text }} comment {{ id text }} }} }} {_PAGE} }} }}",
    ),
    Read(
        "search for posts",
        f"query($query: String!) {{ searchPosts(query: $query, first: 20) {{ edges {{ node {{ {_POST} }} }} {_PAGE} }} }}",
        _word,
    ),
    Read(
        "search for people",
        f"query($query: String!) {{ searchUsers(query: $query, first: 20) {{ nodes {{ {_USER} viewerFollowState }} "
        f"{_PAGE} }} }}",
        lambda known, random: {"query": random.choice(known.names)[:4]},
    ),
    Read("trending hashtags", "{ trendingHashtags(first: 10) { hashtag { id name viewerIsFollowing } recentPostCount } }"),
    Read(
        "posts of a hashtag",
        f"query($name: String!) {{ hashtag(name: $name) {{ id name postCount viewerIsFollowing posts(first: 20) {{ edges {{ "
        f"node {{ {_POST} }} }} {_PAGE} }} }} }}",
        _hashtag,
    ),
    Read("suggested people", f"{{ suggestedUsers(first: 10) {{ {_USER} viewerFollowState }} }}"),
    Read("bookmarks", f"{{ bookmarks(first: 20) {{ edges {{ node {{ {_POST} }} }} {_PAGE} }} }}"),
    Read(
        "the viewer", f"{{ viewer {{ {_USER} bio followerCount followingCount postCount }} feedPreferences {{ __typename }} }}"
    ),
    Read("introspection", get_introspection_query()),
)
