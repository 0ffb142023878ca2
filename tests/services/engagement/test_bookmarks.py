"""Bookmarks: nobody else knows of them, and what is hidden meanwhile is not among them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from domain.records import Visibility
from services.graph.block_user import block_user
from services.graph.unblock_user import unblock_user
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.services.engagement.asking import NOT_FOUND, answer, ask, mutate, post_node, see
from tests.world import World


@pytest.fixture
async def three(world: World) -> World:
    await world.add("ada", "bob", "cat")
    return world


async def kept(world: World, viewer: str, first: int = 20) -> list[str]:
    """The whole list, page by page."""
    found: list[str] = []
    cursor = None
    while True:
        query = """
          query($first: Int, $after: String) { bookmarks(first: $first, after: $after) {
            nodes { id viewerHasBookmarked author { username } } edges { cursor } pageInfo { hasNextPage endCursor } } }
        """
        page = (await ask(world, viewer, query, first=first, after=cursor))["bookmarks"]
        assert all(node["viewerHasBookmarked"] for node in page["nodes"])
        found += [node["id"] for node in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        assert len(page["nodes"]) == first


async def test_a_bookmark_and_its_end(three: World) -> None:
    posts = [await three.post("ada", f"post {number}") for number in range(5)]
    share = await three.share("cat", posts[2])
    for post in (posts[3], posts[0], share, posts[1], posts[0]):
        payload = await mutate(three, "bob", "bookmarkPost", postId=post_node(post))
        assert (payload["post"]["viewerHasBookmarked"], payload["post"]["likeCount"]) == (True, 0)
    expected = [post_node(posts[number]) for number in (1, 2, 0, 3)]
    assert await kept(three, "bob", 2) == await kept(three, "bob") == expected
    assert await kept(three, "cat") == []
    assert (await see(three, "bob", share))["viewerHasBookmarked"]
    assert not (await see(three, "cat", share))["viewerHasBookmarked"]
    for _ in range(2):
        payload = await mutate(three, "bob", "unbookmarkPost", postId=post_node(share))
        assert (payload["post"]["id"], payload["post"]["viewerHasBookmarked"]) == (post_node(posts[2]), False)
    assert await kept(three, "bob", 1) == [expected[0], *expected[2:]]
    async with three.backends.database.reading() as session:
        kinds = list((await session.execute(text("SELECT kind FROM activities WHERE kind = 'bookmark'"))).scalars())
    assert kinds == ["bookmark"] * 5, "what changes nothing is noted nowhere"


async def test_what_is_hidden_is_not_among_them_and_can_be_let_go(three: World) -> None:
    ids, backends = three.ids, three.backends
    posts = [await three.post("ada", f"post {number}") for number in range(4)]
    for post in posts:
        await mutate(three, "bob", "bookmarkPost", postId=post_node(post))
    await delete_post(backends, author_id=ids["ada"], post_id=posts[0])
    await edit_post(backends, author_id=ids["ada"], post_id=posts[1], body=None, visibility=Visibility.FRIENDS)
    assert await kept(three, "bob", 1) == [post_node(posts[3]), post_node(posts[2])]
    await block_user(backends, viewer_id=ids["ada"], user_id=ids["bob"])
    assert await kept(three, "bob") == []
    # Let go while hidden: the answer is that for something absent.
    for post in (posts[3], posts[0], 4_711):
        assert await mutate(three, "bob", "unbookmarkPost", postId=post_node(post)) == {"post": None, "userErrors": NOT_FOUND}
    await unblock_user(backends, viewer_id=ids["ada"], user_id=ids["bob"])
    assert await kept(three, "bob") == [post_node(posts[2])]


async def test_nobody_keeps_anything_without_an_account(three: World) -> None:
    post = await three.post("ada")
    for query in (
        "{ bookmarks { nodes { id } } }",
        f'mutation {{ bookmarkPost(input: {{postId: "{post_node(post)}"}}) {{ post {{ id }} }} }}',
        f'mutation {{ likePost(input: {{postId: "{post_node(post)}"}}) {{ post {{ id }} }} }}',
        f'mutation {{ addComment(input: {{postId: "{post_node(post)}", text: "x"}}) {{ post {{ id }} }} }}',
        'mutation { deleteComment(input: {commentId: "x"}) { post { id } } }',
    ):
        response: dict[str, Any] = await answer(three, None, query)
        assert [error["extensions"]["code"] for error in response["errors"]] == ["UNAUTHENTICATED"]
    too_many = await answer(three, "bob", "{ bookmarks(first: 101) { nodes { id } } }")
    assert [error["extensions"]["code"] for error in too_many["errors"]] == ["BAD_USER_INPUT"]
