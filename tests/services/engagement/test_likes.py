"""Likes through GraphQL: what they change, and for whom there is nothing to like."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from domain.ids import to_global_id
from domain.moderation import ModerationChange
from domain.records import Visibility
from services.accounts.update_profile import update_profile
from services.engagement.flush_counters import flush_counters
from services.graph.block_user import block_user
from services.moderation.moderate_account import moderate_account
from services.posts.delete_post import delete_post
from tests.count_queries import count_queries
from tests.services.engagement.asking import NOT_FOUND, ask, mutate, post_node, see
from tests.services.engagement.true_counters import changes_in_flight, stored_counts, wrong_counters
from tests.world import World


@pytest.fixture
async def three(world: World) -> World:
    await world.add("ada", "bob", "cat")
    return world


def shown(post_id: int, likes: int, *, liked: bool) -> dict[str, Any]:
    return {
        "id": post_node(post_id), "likeCount": likes, "commentCount": 0, "viewerHasLiked": liked, "viewerHasBookmarked": False
    }  # fmt: skip


async def _activities(world: World) -> list[tuple[str, str, int]]:
    names = {number: name for name, number in world.ids.items()}
    async with world.backends.database.reading() as session:
        kinds = "kind IN ('like', 'comment', 'bookmark')"
        rows = await session.execute(text(f"SELECT kind, actor_id, subject_id FROM activities WHERE {kinds} ORDER BY id"))
        return [(row[0], names[row[1]], row[2]) for row in rows]


async def test_a_like_and_its_end(three: World) -> None:
    post = await three.post("ada")
    for name, likes in (("bob", 1), ("bob", 1), ("cat", 2), ("ada", 3)):
        assert (await mutate(three, name, "likePost", postId=post_node(post))) == {
            "post": shown(post, likes, liked=True),
            "userErrors": [],
        }
    assert await see(three, "bob", post) == shown(post, 3, liked=True)
    for _ in range(2):
        assert (await mutate(three, "bob", "unlikePost", postId=post_node(post)))["post"] == shown(post, 2, liked=False)
    assert await see(three, "bob", post) == shown(post, 2, liked=False)
    assert await see(three, None, post) == shown(post, 2, liked=False)
    expected = [("like", name, post) for name in ("bob", "cat", "ada", "bob")]
    assert await _activities(three) == expected, "what changes nothing is noted nowhere"
    assert await stored_counts(three.backends, post) == (0, 0)
    assert await changes_in_flight(three.backends) == 4
    assert await flush_counters(three.backends) == 4
    assert await stored_counts(three.backends, post) == (2, 0)
    assert await see(three, "cat", post) == shown(post, 2, liked=True)
    assert await wrong_counters(three.backends) == []


async def test_a_like_of_a_share_is_one_of_what_it_shares(three: World) -> None:
    post = await three.post("ada")
    share = await three.share("bob", post)
    assert (await mutate(three, "cat", "likePost", postId=post_node(share)))["post"] == shown(post, 1, liked=True)
    fields = "likeCount viewerHasLiked likers { nodes { username } } sharedPost { likeCount viewerHasLiked }"
    found = await see(three, "cat", share, fields)
    assert (found["viewerHasLiked"], found["sharedPost"]) == (True, {"likeCount": 1, "viewerHasLiked": True})
    assert found["likers"]["nodes"] == [{"username": "cat"}]
    assert (await mutate(three, "cat", "unlikePost", postId=post_node(share)))["post"] == shown(post, 0, liked=False)
    quote = await three.share("bob", post, "words")
    assert (await mutate(three, "cat", "likePost", postId=post_node(quote)))["post"] == shown(quote, 1, liked=True)


async def _hide(world: World, how: str) -> tuple[str, str | None]:
    """Makes something that cat may not like: (its id, its author's)."""
    ids, backends = world.ids, world.backends
    if how in {"malformed", "no post"}:
        return ("malformed" if how == "malformed" else to_global_id("Post", 4_711)), None
    if how == "an account":
        return to_global_id("User", ids["ada"]), None
    post = await world.post("ada", "hidden", Visibility.PRIVATE if how == "private" else Visibility.PUBLIC)
    shared = await world.share("bob", post) if how == "a share of something gone" else post
    if how in {"deleted", "a share of something gone"}:
        await delete_post(backends, author_id=ids["ada"], post_id=post)
    elif how == "of a private account":
        await update_profile(backends, user_id=ids["ada"], display_name=None, bio=None, is_private=True)
    elif how == "by somebody who blocks":
        await block_user(backends, viewer_id=ids["ada"], user_id=ids["cat"])
    elif how == "by somebody blocked":
        await block_user(backends, viewer_id=ids["cat"], user_id=ids["ada"])
    elif how == "by somebody suspended":
        await moderate_account(backends, username="ada", change=ModerationChange.SUSPEND)
    return post_node(shared), "ada"


HIDDEN = [
    "malformed", "no post", "an account", "private", "deleted", "a share of something gone", "of a private account",
    "by somebody who blocks", "by somebody blocked", "by somebody suspended",
]  # fmt: skip


@pytest.mark.parametrize("how", HIDDEN)
async def test_what_is_hidden_is_absent(three: World, how: str) -> None:
    node, _ = await _hide(three, how)
    for mutation in ("likePost", "unlikePost", "bookmarkPost", "unbookmarkPost"):
        assert await mutate(three, "cat", mutation, postId=node) == {"post": None, "userErrors": NOT_FOUND}
    refused = await mutate(three, "cat", "addComment", "commentEdge { node { id } } post { id }", postId=node, text="words")
    assert refused == {"commentEdge": None, "post": None, "userErrors": NOT_FOUND}
    assert await _activities(three) == []
    assert await changes_in_flight(three.backends) == 0


async def test_likers_are_those_who_may_be_listed_newest_first(three: World) -> None:
    await three.add("dan", "eve", "fay", "gus")
    post = await three.post("ada")
    for name in ("bob", "cat", "dan", "eve", "fay", "gus"):
        await mutate(three, name, "likePost", postId=post_node(post))
    ids, backends = three.ids, three.backends
    await update_profile(backends, user_id=ids["bob"], display_name=None, bio=None, is_private=True)
    await block_user(backends, viewer_id=ids["dan"], user_id=ids["cat"])
    await block_user(backends, viewer_id=ids["cat"], user_id=ids["eve"])
    await moderate_account(backends, username="fay", change=ModerationChange.SHADOW_BAN)
    for viewer, expected in (("cat", ["gus", "cat", "bob"]), ("fay", ["gus", "fay", "eve", "dan", "cat", "bob"])):
        walked: list[str] = []
        cursor = None
        while True:
            fields = "likeCount likers(first: 2, after: $after) { nodes { username } pageInfo { hasNextPage endCursor } }"
            query = f"query($id: ID!, $after: String) {{ post(id: $id) {{ {fields} }} }}"
            found = (await ask(three, viewer, query, id=post_node(post), after=cursor))["post"]
            assert found["likeCount"] == 6, "the same number for every viewer"
            walked += [node["username"] for node in found["likers"]["nodes"]]
            cursor = found["likers"]["pageInfo"]["endCursor"]
            if not found["likers"]["pageInfo"]["hasNextPage"]:
                break
        assert walked == expected


async def test_a_like_is_a_fixed_number_of_statements(three: World) -> None:
    post = await three.post("ada")
    await mutate(three, "bob", "likePost", postId=post_node(post))
    fields = "post { id likeCount viewerHasLiked viewerHasBookmarked author { username viewerFollowState } }"
    with count_queries(three.backends) as counted:
        await mutate(three, "cat", "likePost", fields, postId=post_node(post))
    # Who asks is this test's own statement; then the post with how the viewer stands to its author, and the like.
    assert counted.count == 3, counted.statements


async def test_many_at_once_on_one_post(three: World) -> None:
    """Everybody sees a number that was true, and their own like in it."""
    people = [f"fan{number}" for number in range(12)]
    await three.add(*people)
    post = await three.post("ada")
    watched: list[int] = []
    is_over = asyncio.Event()

    async def watch() -> None:
        while not is_over.is_set():
            watched.append((await see(three, None, post))["likeCount"])
            await flush_counters(three.backends)

    async def go(name: str, number: int) -> None:
        for turn in range(6):
            is_like = turn % 2 == 0
            payload = await mutate(three, name, "likePost" if is_like else "unlikePost", postId=post_node(post))
            assert payload["post"]["viewerHasLiked"] is is_like
            assert payload["post"]["likeCount"] >= is_like
            read = await see(three, name, post)
            assert (read["viewerHasLiked"], read["likeCount"] >= is_like) == (is_like, True)
        if number % 3:
            await mutate(three, name, "likePost", postId=post_node(post))

    watching = [asyncio.create_task(watch()) for _ in range(2)]
    await asyncio.gather(*(go(name, number) for number, name in enumerate(people)))
    is_over.set()
    await asyncio.gather(*watching)
    assert all(0 <= count <= len(people) for count in watched)
    assert (await see(three, None, post))["likeCount"] == 8
    await flush_counters(three.backends)
    assert await stored_counts(three.backends, post) == (8, 0)
    assert await wrong_counters(three.backends) == []
