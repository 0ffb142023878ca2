"""Trap 19: what somebody has just done with a post shows at once, to them alone, wherever the post is read."""

from __future__ import annotations

import asyncio
from typing import Any

from domain.feed import FeedPage
from domain.ids import to_global_id
from domain.paging import PageRequest
from services.feeds.find_feed_entry import find_feed_entry
from services.hashtags.follow_hashtag import follow_hashtag
from tests.services.engagement.asking import ask, mutate, post_node
from tests.world import World

_MARKS = "id likeCount commentCount viewerHasLiked viewerHasBookmarked"
_PATHS = f"""
  query($id: ID!, $share: ID!, $author: ID!) {{
    post(id: $id) {{ {_MARKS} }}
    node(id: $id) {{ ... on Post {{ {_MARKS} }} }}
    nodes(ids: [$id]) {{ ... on Post {{ {_MARKS} }} }}
    user(username: "ada") {{ posts {{ nodes {{ {_MARKS} }} }} }}
    author: node(id: $author) {{ ... on User {{ posts {{ edges {{ node {{ {_MARKS} }} }} }} }} }}
    hashtag(name: "tag") {{ posts {{ nodes {{ {_MARKS} }} }} }}
    feed {{ nodes {{ {_MARKS} }} edges {{ node {{ {_MARKS} sharedPost {{ {_MARKS} }} }} }} }}
    share: post(id: $share) {{ sharedPost {{ {_MARKS} }} }}
    bookmarks {{ nodes {{ {_MARKS} }} }}
  }}
"""
_STEPS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("likePost", {}, {"likeCount": 1, "viewerHasLiked": True}),
    ("bookmarkPost", {}, {"viewerHasBookmarked": True}),
    ("addComment", {"text": "words"}, {"commentCount": 1}),
    ("unlikePost", {}, {"likeCount": 0, "viewerHasLiked": False}),
    ("unbookmarkPost", {}, {"viewerHasBookmarked": False}),
]


async def test_an_own_action_shows_on_every_path(world: World) -> None:
    await world.add("ada", "bob", "cat")
    await world.follow("bob", "ada", "cat")
    await follow_hashtag(world.backends, viewer_id=world.ids["bob"], name="tag")
    post = await world.post("ada", "about #tag")
    share = await world.share("cat", post, "words about it")
    await world.drain()
    await world.warm("bob")
    await _shelved(world)
    variables = {"id": post_node(post), "share": post_node(share), "author": to_global_id("User", world.ids["ada"])}
    expected = {
        "id": post_node(post), "likeCount": 0, "commentCount": 0, "viewerHasLiked": False, "viewerHasBookmarked": False
    }  # fmt: skip
    others = dict(expected)
    for mutation, more, change in _STEPS:
        payload = await mutate(world, "bob", mutation, f"post {{ {_MARKS} }}", postId=post_node(post), **more)
        expected |= change
        others |= {key: value for key, value in change.items() if key.endswith("Count")}
        assert payload["post"] == expected
        found = _of_post(await ask(world, "bob", _PATHS, **variables), post_node(post))
        assert len(found) >= 9
        assert all({key: one[key] for key in expected} == expected for one in found), found
        entry = await find_feed_entry(world.backends, viewer_id=world.ids["bob"], post_id=post)
        assert entry is not None
        assert entry.node.like_count == expected["likeCount"]
        copy = await _copy(world)
        assert copy is not None
        assert not [edge for edge in copy.edges if edge.node.id in {post, share}], "a copy does not show what it was before"
        theirs = _of_post(await ask(world, "cat", _PATHS, **variables), post_node(post))
        assert all({key: one[key] for key in others} == others for one in theirs)
    extras = (await _shelved(world)).extras
    assert extras is not None
    assert not extras.marks[post].has_liked


def _of_post(value: Any, post: str) -> list[dict[str, Any]]:
    """Wherever the post is in an answer."""
    if isinstance(value, list):
        return [found for item in value for found in _of_post(item, post)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("id") == post and "likeCount" in value else []
    return own + [found for item in value.values() for found in _of_post(item, post)]


async def _copy(world: World) -> FeedPage | None:
    return await world.backends.feed_shelf.read(world.ids["bob"], PageRequest(20, None), place=None, order=None)


async def _shelved(world: World) -> FeedPage:
    """Reads a page of which a copy is made, and that copy."""
    world.backends.feed_shelf._made.clear()
    await world.page("bob", 20)
    async with asyncio.timeout(5):
        while (copy := await _copy(world)) is None or len(copy.edges) < 2:
            await asyncio.sleep(0.01)
    return copy
