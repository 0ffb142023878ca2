"""Shares and quotes through GraphQL."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from domain.ids import to_global_id
from tests.app.web.running_server import RunningServer, codes, token_for

_CREATE = "mutation($text: String!) { createPost(input: {text: $text}) { post { id } } }"
_POST = """
  id text isShare shareCount viewerHasShared viewerCanEdit viewerCanDelete sharedPost { id text author { username } }
  sharers(first: 2) { nodes { username } pageInfo { hasNextPage endCursor } }
"""
_SHARE = f"""
  mutation($id: ID!, $text: String = "") {{ sharePost(input: {{postId: $id, text: $text}}) {{
    post {{ {_POST} }} sharedPost {{ {_POST} }} feedEdge {{ node {{ id }} reasons {{ kind }} }}
    userErrors {{ field code message }} }} }}
"""
_UNSHARE = """
  mutation($id: ID!) { unsharePost(input: {postId: $id}) {
    deletedPostId sharedPost { id shareCount viewerHasShared } userErrors { field code message } } }
"""
_NOT_FOUND = [{"field": ["postId"], "code": "NOT_FOUND", "message": "there is no such post"}]


class _Person:
    """Somebody with a name of their own in this test."""

    def __init__(self, web: RunningServer) -> None:
        self._web = web
        self.name = f"u{uuid.uuid4().hex[:12]}"
        self._token = token_for(self.name)

    async def ask(self, query: str, **variables: object) -> Any:
        return await self._web.data(query, self._token, **variables)

    async def post(self, text: str = "hello") -> str:
        return str((await self.ask(_CREATE, text=text))["createPost"]["post"]["id"])

    async def share(self, post: str, text: str | None = "") -> Any:
        return (await self.ask(_SHARE, id=post, text=text))["sharePost"]

    async def unshare(self, post: str) -> Any:
        return (await self.ask(_UNSHARE, id=post))["unsharePost"]

    async def see(self, post: str) -> Any:
        return (await self.ask(f"query($id: ID!) {{ post(id: $id) {{ {_POST} }} }}", id=post))["post"]


@pytest.fixture
def people(web: RunningServer) -> tuple[_Person, _Person, _Person]:
    return _Person(web), _Person(web), _Person(web)


async def test_a_share_and_its_end(people: tuple[_Person, _Person, _Person]) -> None:
    ada, bob, cat = people
    root = await ada.post("look")
    answer = await bob.share(root)
    share = answer["post"]
    assert answer["userErrors"] == []
    assert answer["feedEdge"] is None
    assert (share["text"], share["isShare"], share["viewerHasShared"]) == ("", True, True)
    assert (share["viewerCanEdit"], share["viewerCanDelete"]) == (False, True)
    assert share["sharedPost"] == {"id": root, "text": "look", "author": {"username": ada.name}}
    shared = answer["sharedPost"]
    assert (shared["id"], shared["isShare"], shared["sharedPost"]) == (root, False, None)
    assert (shared["shareCount"], shared["viewerHasShared"]) == (1, True)
    assert [user["username"] for user in shared["sharers"]["nodes"]] == [bob.name]
    assert (await bob.share(root, None))["post"]["id"] == share["id"]
    assert (await cat.share(share["id"]))["sharedPost"]["shareCount"] == 2
    assert [user["username"] for user in (await cat.see(root))["sharers"]["nodes"]] == [cat.name, bob.name]

    edit = 'mutation($id: ID!) { updatePost(input: {postId: $id, text: "x"}) { post { id } userErrors { field code } } }'
    refused = (await bob.ask(edit, id=share["id"]))["updatePost"]
    assert refused == {"post": None, "userErrors": [{"field": ["postId"], "code": "NOT_ALLOWED"}]}

    gone = await bob.unshare(root)
    assert gone == {
        "deletedPostId": share["id"],
        "sharedPost": {"id": root, "shareCount": 1, "viewerHasShared": False},
        "userErrors": [],
    }
    assert await bob.unshare(root) == {"deletedPostId": None, "sharedPost": None, "userErrors": _NOT_FOUND}
    assert await ada.see(share["id"]) is None


async def test_a_quote(people: tuple[_Person, _Person, _Person]) -> None:
    ada, bob, cat = people
    root = await ada.post("look")
    answer = await bob.share(root, "I did")
    quote = answer["post"]
    assert answer["feedEdge"] == {"node": {"id": quote["id"]}, "reasons": [{"kind": "OWN_POST"}]}
    assert (quote["text"], quote["isShare"], quote["viewerHasShared"], quote["viewerCanEdit"]) == ("I did", True, False, True)
    assert answer["sharedPost"]["shareCount"] == 1
    assert answer["sharedPost"]["sharers"]["nodes"] == []
    await ada.ask("mutation($id: ID!) { deletePost(input: {postId: $id}) { deletedPostId } }", id=root)
    seen = await cat.see(quote["id"])
    assert (seen["isShare"], seen["sharedPost"]) == (True, None)


async def test_a_profile_leaves_out_shares_of_what_is_gone(people: tuple[_Person, _Person, _Person]) -> None:
    ada, bob, cat = people
    roots = [await ada.post(f"post {number}") for number in range(3)]
    shares = [(await bob.share(root))["post"]["id"] for root in roots]
    own = await bob.post("mine")
    listed = """query($name: String!) {
      user(username: $name) { postCount posts(first: 3) { nodes { id } pageInfo { hasNextPage } } } }"""
    before = (await cat.ask(listed, name=bob.name))["user"]
    assert [post["id"] for post in before["posts"]["nodes"]] == [own, shares[2], shares[1]]
    assert before["postCount"] == 1
    await ada.ask("mutation($id: ID!) { deletePost(input: {postId: $id}) { deletedPostId } }", id=roots[1])
    after = (await cat.ask(listed, name=bob.name))["user"]
    assert [post["id"] for post in after["posts"]["nodes"]] == [own, shares[2], shares[0]]
    assert after["posts"]["pageInfo"] == {"hasNextPage": False}
    assert await cat.see(shares[1]) is None
    assert (await bob.unshare(shares[1]))["userErrors"] == _NOT_FOUND


@pytest.mark.parametrize("post", ["", "x" * 300, "VXNlcjox", to_global_id("Post", 12345), to_global_id("User", 1), "\0"])
async def test_what_is_not_there(people: tuple[_Person, _Person, _Person], post: str) -> None:
    bob = people[0]
    for answer in (await bob.share(post), await bob.share(post, "words")):
        assert answer == {"post": None, "sharedPost": None, "feedEdge": None, "userErrors": _NOT_FOUND}
    assert await bob.unshare(post) == {"deletedPostId": None, "sharedPost": None, "userErrors": _NOT_FOUND}


async def test_what_is_wrong(web: RunningServer, people: tuple[_Person, _Person, _Person]) -> None:
    ada, bob, _ = people
    root = await ada.post()
    for text, code in (("x" * 5_001, "TOO_LONG"), ("a\0b", "INVALID")):
        [error] = (await bob.share(root, text))["userErrors"]
        assert (error["field"], error["code"]) == (["text"], code)
    hide = "mutation($id: ID!) { updatePost(input: {postId: $id, visibility: FRIENDS}) { userErrors { code } } }"
    await ada.ask(hide, id=root)
    [error] = (await ada.share(root))["userErrors"]
    assert (error["field"], error["code"]) == (["postId"], "NOT_ALLOWED")
    assert (await bob.share(root))["userErrors"] == _NOT_FOUND
    for query in (_SHARE, _UNSHARE):
        answer = (await web.post({"query": query, "variables": {"id": root}})).json()
        assert codes(answer) == ["UNAUTHENTICATED"]
    public = await ada.post()
    many = """query($id: ID!, $first: Int, $after: String) {
      post(id: $id) { sharers(first: $first, after: $after) { nodes { id } } } }"""
    wrong: list[tuple[dict[str, object], str]] = [({"first": size}, "BAD_USER_INPUT") for size in (101, -1)]
    wrong += [({"after": cursor}, "INVALID_CURSOR") for cursor in ("x", "")]
    for variables, code in wrong:
        answer = (await web.post({"query": many, "variables": {"id": public, **variables}})).json()
        assert codes(answer) == [code]
    anonymous = await web.data("query($id: ID!) { post(id: $id) { viewerHasShared isShare sharedPost { id } } }", id=public)
    assert anonymous["post"] == {"viewerHasShared": False, "isShare": False, "sharedPost": None}
