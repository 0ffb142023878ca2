"""Idempotency keys through GraphQL."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from tests.app.web.running_server import RunningServer, codes, token_for

_CREATE = """
  mutation($input: CreatePostInput!) { createPost(input: $input) {
    post { id text } feedEdge { node { id } } userErrors { field code message } } }
"""
_SHARE = """
  mutation($input: SharePostInput!) { sharePost(input: $input) {
    post { id text } feedEdge { node { id } } sharedPost { id shareCount } userErrors { field code message } } }
"""
_COMMENT = """
  mutation($input: AddCommentInput!) { addComment(input: $input) {
    commentEdge { cursor node { id text } } post { id commentCount } userErrors { field code message } } }
"""
_POSTS = "query($name: String!) { user(username: $name) { posts { nodes { id } } } }"
_DELETE = "mutation($id: ID!) { deletePost(input: {postId: $id}) { deletedPostId } }"


class _Person:
    """Somebody with a name of their own in this test."""

    def __init__(self, web: RunningServer) -> None:
        self._web = web
        self.name = f"u{uuid.uuid4().hex[:12]}"
        self.token = token_for(self.name)

    async def ask(self, query: str, **variables: object) -> Any:
        return await self._web.data(query, self.token, **variables)

    async def create(self, **members: object) -> Any:
        return (await self.ask(_CREATE, input={"text": "hello", **members}))["createPost"]

    async def share(self, post: str, **members: object) -> Any:
        return (await self.ask(_SHARE, input={"postId": post, **members}))["sharePost"]

    async def comment(self, post: str, **members: object) -> Any:
        return (await self.ask(_COMMENT, input={"postId": post, "text": "well", **members}))["addComment"]

    async def posts(self) -> list[str]:
        found = (await self.ask(_POSTS, name=self.name))["user"]
        return [node["id"] for node in found["posts"]["nodes"]]


@pytest.fixture
def ada(web: RunningServer) -> _Person:
    return _Person(web)


@pytest.fixture
def bob(web: RunningServer) -> _Person:
    return _Person(web)


async def test_a_repetition_is_the_whole_answer_again(ada: _Person, bob: _Person) -> None:
    place = {"name": "Here", "latitude": 1, "longitude": 2}
    first = await ada.create(idempotencyKey="k", location=place)
    post = first["post"]["id"]
    assert first == {"post": {"id": post, "text": "hello"}, "feedEdge": {"node": {"id": post}}, "userErrors": []}
    # Defaults that are written out are the same input.
    same: dict[str, Any] = {"visibility": None, "location": {"name": "Here", "latitude": 1.0, "longitude": 2.0}}
    alike: list[dict[str, Any]] = [{"location": place}, {"location": place, "visibility": "PUBLIC"}, same]
    for members in alike:
        assert await ada.create(idempotencyKey="k", **members) == first
    quote = await bob.share(post, text="look", idempotencyKey="k")
    assert quote["feedEdge"] == {"node": {"id": quote["post"]["id"]}}
    assert await bob.share(post, text="look", idempotencyKey="k") == quote
    plain = await bob.share(post, idempotencyKey="p")
    assert plain["sharedPost"] == {"id": post, "shareCount": 2}
    for text in (None, ""):
        assert await bob.share(post, idempotencyKey="p", text=text) == plain
    assert await bob.share(post, idempotencyKey="p") == plain
    assert (await ada.posts(), (await bob.posts())[1:]) == ([post], [quote["post"]["id"]])


async def test_what_is_gone_is_not_made_again(ada: _Person, bob: _Person) -> None:
    post = (await ada.create(idempotencyKey="k"))["post"]["id"]
    await bob.share(post, idempotencyKey="k")
    await ada.ask(_DELETE, id=post)
    assert await ada.create(idempotencyKey="k") == {"post": None, "feedEdge": None, "userErrors": []}
    assert (await bob.share(post, idempotencyKey="k"))["post"] is None
    assert await ada.posts() == []


async def test_comments(ada: _Person, bob: _Person) -> None:
    post = (await ada.create())["post"]["id"]
    first = await bob.comment(post, idempotencyKey="k")
    assert first["post"] == {"id": post, "commentCount": 1}
    for _ in range(2):
        assert await bob.comment(post, idempotencyKey="k") == first
    [error] = (await bob.comment(post, text="other", idempotencyKey="k"))["userErrors"]
    assert (error["field"], error["code"]) == (["idempotencyKey"], "IDEMPOTENCY_MISMATCH")
    assert (await bob.comment(post, idempotencyKey="other"))["post"]["commentCount"] == 2
    answers = await asyncio.gather(*(bob.comment(post, idempotencyKey="many") for _ in range(10)))
    assert {error["code"] for answer in answers for error in answer["userErrors"]} <= {"IDEMPOTENCY_CONFLICT"}
    gone = "mutation($id: ID!) { deleteComment(input: {commentId: $id}) { deletedCommentId } }"
    await bob.ask(gone, id=first["commentEdge"]["node"]["id"])
    again = await bob.comment(post, idempotencyKey="k")
    assert again == {"commentEdge": None, "post": {"id": post, "commentCount": 2}, "userErrors": []}


async def test_what_is_wrong_with_a_key(ada: _Person) -> None:
    await ada.create(idempotencyKey="k")
    for key, text, code in (
        ("k", "other", "IDEMPOTENCY_MISMATCH"),
        ("", "hello", "BLANK"),
        ("x" * 256, "hello", "TOO_LONG"),
        ("a\tb", "hello", "INVALID"),
    ):
        answer = await ada.create(idempotencyKey=key, text=text)
        [error] = answer["userErrors"]
        assert (answer["post"], error["field"], error["code"]) == (None, ["idempotencyKey"], code)
    assert (await ada.create(idempotencyKey=None))["post"] is not None
    assert len(await ada.posts()) == 2


async def test_fifty_at_once(web: RunningServer, ada: _Person, bob: _Person) -> None:
    post = (await ada.create())["post"]["id"]
    for field, query, members in (
        ("createPost", _CREATE, {"text": "hello"}),
        ("sharePost", _SHARE, {"postId": post, "text": "look"}),
    ):
        variables = {"input": {**members, "idempotencyKey": "k"}}
        body = {"query": query, "variables": variables}
        answers = [answer.json() for answer in await asyncio.gather(*(web.post(body, token=bob.token) for _ in range(50)))]
        # On a machine that crawls, some have run out of time.
        assert {code for answer in answers if "errors" in answer for code in codes(answer)} <= {"UNAVAILABLE"}
        results = [answer["data"][field] for answer in answers if "errors" not in answer]
        assert {error["code"] for result in results for error in result["userErrors"]} <= {"IDEMPOTENCY_CONFLICT"}
        made = {result["post"]["id"] for result in results if result["post"]}
        again = (await bob.ask(query, **variables))[field]["post"]["id"]
        assert made <= {again}
    assert len(await bob.posts()) == 2
