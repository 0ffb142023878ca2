"""Comments through GraphQL: written, refused, deleted, counted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from domain.ids import to_global_id
from services.engagement.flush_counters import flush_counters
from services.graph.block_user import block_user
from tests.services.engagement.asking import NOT_FOUND, ask, mutate, post_node, see
from tests.services.engagement.true_counters import stored_counts, wrong_counters
from tests.world import World

_ADD = "commentEdge { cursor node { id text author { username } viewerCanDelete post { id } } } post { id commentCount }"
_DELETE = "deletedCommentId post { id commentCount }"
_ABSENT = [{"field": ["commentId"], "code": "NOT_FOUND", "message": "there is no such comment"}]


@pytest.fixture
async def three(world: World) -> World:
    await world.add("ada", "bob", "cat")
    return world


async def add(world: World, name: str, post_id: int, words: str = "words", **more: Any) -> Any:
    return await mutate(world, name, "addComment", _ADD, postId=post_node(post_id), text=words, **more)


async def delete(world: World, name: str, comment: str) -> Any:
    return await mutate(world, name, "deleteComment", _DELETE, commentId=comment)


async def test_a_comment_and_its_end(three: World) -> None:
    post = await three.post("ada")
    share = await three.share("cat", post)
    first, second = await add(three, "bob", post, "Ünïcødé 👩‍👩‍👧 \n@ada"), await add(three, "cat", share)
    assert (first["userErrors"], first["post"]) == ([], {"id": post_node(post), "commentCount": 1})
    node = first["commentEdge"]["node"]
    assert (node["text"], node["author"], node["viewerCanDelete"]) == ("Ünïcødé 👩‍👩‍👧 \n@ada", {"username": "bob"}, True)
    assert (second["commentEdge"]["node"]["post"], second["post"]["commentCount"]) == ({"id": post_node(post)}, 2)
    query = "query($id: ID!, $after: String) { post(id: $id) { comments(after: $after) { nodes { id } } } }"
    behind = await ask(three, "cat", query, id=post_node(post), after=second["commentEdge"]["cursor"])
    assert behind["post"]["comments"]["nodes"] == [{"id": node["id"]}], "the edge's cursor is one of the list"
    assert await delete(three, "cat", node["id"]) == {"deletedCommentId": None, "post": None, "userErrors": _ABSENT}
    gone = {"deletedCommentId": node["id"], "post": {"id": post_node(post), "commentCount": 1}, "userErrors": []}
    assert await delete(three, "bob", node["id"]) == gone
    assert (await delete(three, "bob", node["id"]))["userErrors"] == _ABSENT
    # The post's author may, too.
    assert (await delete(three, "ada", second["commentEdge"]["node"]["id"]))["post"]["commentCount"] == 0
    assert await wrong_counters(three.backends) == []
    await flush_counters(three.backends)
    assert await stored_counts(three.backends, post) == (0, 0)
    async with three.backends.database.reading() as session:
        rows = list(await session.execute(text("SELECT kind, actor_id FROM activities WHERE kind = 'comment' ORDER BY id")))
    expected = [("comment", three.ids[name]) for name in ("bob", "cat", "bob", "cat")]
    assert [tuple(row) for row in rows] == expected, "of its end, too, the comment's author is the actor"


@pytest.mark.parametrize(
    ("words", "code"),
    [("", "BLANK"), (" \n\u200b", "BLANK"), ("x" * 2_001, "TOO_LONG"), ("a\x00b", "INVALID"), ("a\x1bb", "INVALID")],
)
async def test_words_that_are_none(three: World, words: str, code: str) -> None:
    post = await three.post("ada")
    refused = await add(three, "bob", post, words)
    assert (refused["commentEdge"], refused["post"]) == (None, None)
    assert [(error["field"], error["code"]) for error in refused["userErrors"]] == [(["text"], code)]
    assert (await see(three, None, post))["commentCount"] == 0


async def test_the_longest_words(three: World) -> None:
    post = await three.post("ada")
    words = "👩" * 2_000
    assert (await add(three, "bob", post, words))["commentEdge"]["node"]["text"] == words


async def test_comments_of_hidden_people_cannot_be_deleted(three: World) -> None:
    post = await three.post("ada")
    comment = (await add(three, "bob", post))["commentEdge"]["node"]["id"]
    await block_user(three.backends, viewer_id=three.ids["ada"], user_id=three.ids["bob"])
    for name in ("ada", "bob"):
        assert (await delete(three, name, comment))["userErrors"] == _ABSENT
    for absent in ("malformed", to_global_id("Comment", 4_711), post_node(post)):
        assert (await delete(three, "ada", absent))["userErrors"] == _ABSENT
    assert (await add(three, "bob", post))["userErrors"] == NOT_FOUND


async def test_what_is_done_once_is_answered_again(three: World) -> None:
    """The first comment is the answer while it is there."""
    post = await three.post("ada")
    first = await add(three, "bob", post, idempotencyKey="key")
    assert await add(three, "bob", post, idempotencyKey="key") == first
    other = await add(three, "bob", post, "other words", idempotencyKey="key")
    assert [error["code"] for error in other["userErrors"]] == ["IDEMPOTENCY_MISMATCH"]
    await delete(three, "bob", first["commentEdge"]["node"]["id"])
    gone = await add(three, "bob", post, idempotencyKey="key")
    assert gone == {"commentEdge": None, "post": {"id": post_node(post), "commentCount": 0}, "userErrors": []}
    assert len(await _ids(three)) == 1


async def _ids(world: World) -> list[int]:
    async with world.backends.database.reading() as session:
        return list((await session.execute(text("SELECT id FROM comments ORDER BY id"))).scalars())
