"""REST, well asked and badly."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import httpx
import pytest

from app import rest_answers
from app.request_json import MAX_BYTES
from app.rest_answers import to_rest
from app.rest_documents import CREATE_POST
from app.web_state import WebState
from domain.errors import RateLimitedError
from domain.ids import to_global_id
from schema.errors import error
from tests.app.web.running_server import RunningServer, token_for

_JSON = {"content-type": "application/json"}


class _Person:
    """Somebody with a name of their own in this test."""

    def __init__(self, web: RunningServer) -> None:
        self._web = web
        self.name = f"u{uuid.uuid4().hex[:12]}"
        self.headers = {"authorization": f"Bearer {token_for(self.name)}"}

    async def get(self, path: str, **parameters: str | int) -> httpx.Response:
        return await self._web.http.get(path, params=parameters, headers=self.headers)

    async def write(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        announced = {} if body is None else _JSON
        return await self._web.http.post(path, content=content, headers=announced | self.headers | named)

    async def id(self) -> str:
        return str((await self._web.data("{ viewer { id } }", self.headers["authorization"][7:]))["viewer"]["id"])


@pytest.fixture
def ada(web: RunningServer) -> _Person:
    return _Person(web)


@pytest.fixture
def bob(web: RunningServer) -> _Person:
    return _Person(web)


def codes(answer: httpx.Response) -> list[str]:
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    errors = answer.json()["errors"]
    assert all(set(one) in ({"code", "message", "field"}, {"code", "message", "extensions"}) for one in errors)
    return [one["code"] for one in errors]


async def test_a_post_is_made_and_found(ada: _Person, bob: _Person) -> None:
    place = {"name": "Here", "latitude": 1.5, "longitude": 2}
    made = await ada.write("/v1/posts", {"text": "hello #rest", "visibility": "PUBLIC", "location": place})
    assert made.status_code == 201
    post = made.json()["post"]
    assert (post["text"], post["location"], post["author"]["username"]) == ("hello #rest", place, ada.name)
    assert post["entities"][0]["hashtag"] == {"name": "rest"}
    assert made.json()["feedEdge"]["node"]["id"] == post["id"]

    feed = await ada.get("/v1/feed")
    assert feed.status_code == 200
    assert [entry["node"] for entry in feed.json()["edges"]] == [post]
    assert feed.json()["status"]["complete"] is True
    for reader in (ada, bob):
        listed = await reader.get(f"/v1/users/{await ada.id()}/posts")
        assert [entry["node"]["id"] for entry in listed.json()["edges"]] == [post["id"]]
    assert (await bob.get("/v1/feed")).json()["edges"] == []


async def test_a_like(web: RunningServer, ada: _Person, bob: _Person) -> None:
    post = (await ada.write("/v1/posts", {"text": "hello"})).json()["post"]["id"]
    bodies: list[object] = [None, {}, b"{ }"]
    for body in bodies:
        liked = await bob.write(f"/v1/posts/{post}/like", body)
        assert liked.status_code == 200
        assert liked.json() == {"post": {"id": post, "likeCount": 1, "viewerHasLiked": True}, "userErrors": []}
    anonymous = await web.http.post(f"/v1/posts/{post}/like")
    assert (anonymous.status_code, codes(anonymous)) == (401, ["UNAUTHENTICATED"])
    hidden = (await ada.write("/v1/posts", {"text": "hello", "visibility": "PRIVATE"})).json()["post"]["id"]
    absent = await bob.write(f"/v1/posts/{to_global_id('Post', 5)}/like")
    assert (absent.status_code, codes(absent)) == (404, ["NOT_FOUND"])
    for name in (hidden, "x", await ada.id()):
        answer = await bob.write(f"/v1/posts/{name}/like")
        assert (answer.status_code, answer.content) == (404, absent.content)


async def test_pages(web: RunningServer, ada: _Person) -> None:
    made = [(await ada.write("/v1/posts", {"text": f"post {number}"})).json()["post"]["id"] for number in range(5)]
    for path in ("/v1/feed", f"/v1/users/{await ada.id()}/posts"):
        seen: list[str] = []
        parameters: dict[str, str | int] = {"limit": 2}
        while True:
            page = (await ada.get(path, **parameters)).json()
            seen += [entry["node"]["id"] for entry in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            parameters["cursor"] = page["pageInfo"]["endCursor"]
        assert seen == made[::-1]
        assert len((await ada.get(path)).json()["edges"]) == 5
        for limit in ("0", "101", "-1", "1.0", "x", "", "٣", "9" * 5_000, " 5"):
            answer = await ada.get(path, limit=limit)
            assert (answer.status_code, codes(answer)) == (400, ["BAD_USER_INPUT"])
        for cursor in ("x", "", "\0", str(parameters["cursor"])[:-2] + "xx"):
            answer = await ada.get(path, cursor=cursor)
            assert (answer.status_code, codes(answer)) == (400, ["INVALID_CURSOR"])
        answer = await web.http.get(f"{path}?limit=1&limit=2", headers=ada.headers)
        assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
        head = await web.http.head(path, headers=ada.headers)
        assert (head.status_code, head.content) == (200, b"")


async def test_a_key_in_the_header(ada: _Person) -> None:
    first = await ada.write("/v1/posts", {"text": "once"}, idempotency_key="k")
    assert first.status_code == 201
    for body in ({"text": "once"}, {"text": "once", "idempotencyKey": "k"}):
        again = await ada.write("/v1/posts", body, idempotency_key="k")
        assert (again.status_code, again.json()) == (201, first.json())
    inside = await ada.write("/v1/posts", {"text": "once", "idempotencyKey": "k"})
    assert inside.json() == first.json()
    for other, key, status, code in (
        ({"text": "twice"}, "k", 422, "IDEMPOTENCY_MISMATCH"),
        ({"text": "once"}, "x" * 256, 422, "TOO_LONG"),
        ({"text": "once"}, "", 422, "BLANK"),
        ({"text": "once", "idempotencyKey": "other"}, "k", 400, "BAD_REQUEST"),
    ):
        answer = await ada.write("/v1/posts", other, idempotency_key=key)
        assert (answer.status_code, codes(answer)) == (status, [code])
    assert len((await ada.get("/v1/feed")).json()["edges"]) == 1


async def test_a_conflict_says_when_to_come_again(ada: _Person) -> None:
    answers = await asyncio.gather(*(ada.write("/v1/posts", {"text": "once"}, idempotency_key="k") for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert (codes(answer), answer.headers["retry-after"]) == (["IDEMPOTENCY_CONFLICT"], "1")
    assert len({answer.json()["post"]["id"] for answer in answers if answer.status_code == 201}) == 1


async def test_what_is_gone_is_not_made_again(web: RunningServer, ada: _Person) -> None:
    post = (await ada.write("/v1/posts", {"text": "once"}, idempotency_key="k")).json()["post"]["id"]
    delete = "mutation($id: ID!) { deletePost(input: {postId: $id}) { deletedPostId } }"
    await web.data(delete, ada.headers["authorization"][7:], id=post)
    again = await ada.write("/v1/posts", {"text": "once"}, idempotency_key="k")
    assert (again.status_code, again.json()) == (200, {"post": None, "feedEdge": None, "userErrors": []})


async def test_what_the_caller_can_put_right(ada: _Person) -> None:
    refused: list[tuple[dict[str, object], list[str], str]] = [
        ({"text": " "}, ["text"], "BLANK"),
        ({"text": "a\0b"}, ["text"], "INVALID"),
        ({"text": "x" * 5_001}, ["text"], "TOO_LONG"),
        ({"text": "x", "location": {"name": "x", "latitude": 91, "longitude": 0}}, ["location", "latitude"], "INVALID"),
    ]
    for members, field, code in refused:
        answer = await ada.write("/v1/posts", members)
        assert (answer.status_code, codes(answer)) == (422, [code])
        assert answer.json()["errors"][0]["field"] == field
    wrong: list[dict[str, object]] = [{}, {"text": 1}, {"text": "x", "visibility": "ALL"}, {"text": "x", "authorId": "1"}]
    for members in wrong:
        answer = await ada.write("/v1/posts", members)
        assert (answer.status_code, codes(answer)) == (400, ["BAD_USER_INPUT"])


async def test_bodies_that_are_none(web: RunningServer, ada: _Person) -> None:
    for body in (b"", b"null", b"[]", b"{", b'{"text": "a", "text": "b"}', b"\xff", b'{"text": NaN}', b"[" * 9_999):
        answer = await ada.write("/v1/posts", body)
        assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
    answer = await ada.write("/v1/posts", {"text": "x" * MAX_BYTES})
    assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = await ada.write("/v1/posts", {"text": "hi"}, content_type=content_type)
        assert (answer.status_code, codes(answer)) == (415, ["BAD_REQUEST"])
    answer = await ada.write("/v1/posts/x/like", {"text": "hi"})
    assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
    assert (await ada.get("/v1/feed")).json()["edges"] == []


async def test_who_may_do_what(web: RunningServer, ada: _Person) -> None:
    post = await ada.write("/v1/posts", {"text": "hello"})
    user = await ada.id()
    public = await web.http.get(f"/v1/users/{user}/posts")
    assert [entry["node"]["id"] for entry in public.json()["edges"]] == [post.json()["post"]["id"]]
    for answer in (await web.http.get("/v1/feed"), await web.http.post("/v1/posts", json={"text": "hi"})):
        assert (answer.status_code, codes(answer)) == (401, ["UNAUTHENTICATED"])
        assert answer.headers["www-authenticate"] == "Bearer"
    for token in ("x", token_for("ada")[:-3]):
        answer = await web.http.get(f"/v1/users/{user}/posts", headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, codes(answer)) == (401, ["UNAUTHENTICATED"])
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_what_is_hidden_is_as_if_absent(web: RunningServer, ada: _Person, bob: _Person) -> None:
    post = (await ada.write("/v1/posts", {"text": "hello", "visibility": "PRIVATE"})).json()["post"]["id"]
    user = await ada.id()
    assert (await bob.get(f"/v1/users/{user}/posts")).json()["edges"] == []
    block = "mutation($id: ID!) { blockUser(input: {userId: $id}) { userErrors { code } } }"
    await web.data(block, ada.headers["authorization"][7:], id=await bob.id())
    absent = await bob.get(f"/v1/users/{to_global_id('User', 5)}/posts")
    assert (absent.status_code, codes(absent)) == (404, ["NOT_FOUND"])
    for name in (user, post, "x", "%00", "x" * 2_000, to_global_id("Hashtag", 1)):
        answer = await bob.get(f"/v1/users/{name}/posts")
        assert (answer.status_code, answer.content) == (404, absent.content)


async def test_methods_and_paths(web: RunningServer, ada: _Person) -> None:
    for method, path, allow in (
        ("GET", "/v1/posts", "POST, OPTIONS"),
        ("DELETE", "/v1/posts", "POST, OPTIONS"),
        ("HEAD", "/v1/posts", "POST, OPTIONS"),
        ("POST", "/v1/feed", "GET, HEAD, OPTIONS"),
        ("PUT", "/v1/users/x/posts", "GET, HEAD, OPTIONS"),
        ("GET", "/v1/posts/x/like", "POST, OPTIONS"),
    ):
        answer = await web.http.request(method, path, headers=ada.headers | {"x-http-method-override": "POST"})
        assert (answer.status_code, answer.headers["allow"]) == (405, allow)
        assert method == "HEAD" or codes(answer) == ["BAD_REQUEST"]
        options = await web.http.options(path)
        assert (options.status_code, options.headers["allow"], options.content) == (204, allow, b"")
    for path in ("/v1", "/v1/", "/v1/post", "/v1/posts/", "/v1/posts/x", "/v1/users//posts", "/v1/users/a/b/posts", "/v1/../x"):
        for method in ("GET", "POST", "DELETE"):
            answer = await web.http.request(method, path, headers=ada.headers)
            assert answer.status_code == 404
            assert not path.startswith("/v1/") or ".." in path or codes(answer) == ["NOT_FOUND"]


async def test_other_origins(web: RunningServer) -> None:
    preflight = {
        "origin": "https://front.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,idempotency-key",
    }
    answer = await web.http.options("/v1/posts", headers=preflight)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://front.example"
    refused = await web.http.options("/v1/posts", headers=preflight | {"origin": "https://evil.example"})
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
    simple = await web.http.get("/v1/feed", headers={"origin": "https://front.example"})
    assert (simple.status_code, simple.headers["access-control-expose-headers"]) == (401, "retry-after")


async def test_our_own_faults(web: RunningServer, ada: _Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise KeyError("secret")

    monkeypatch.setattr(type(web.state.engine), "prepare", fail)
    answer = await ada.get("/v1/feed")
    assert (answer.status_code, codes(answer)) == (500, ["INTERNAL_SERVER_ERROR"])
    assert "secret" not in answer.text
    assert answer.json()["errors"][0]["extensions"]["requestId"]


async def test_limits(ada: _Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise RateLimitedError("mutations", 7)

    monkeypatch.setattr(WebState, "execute", refuse)
    answer = await ada.write("/v1/posts", {"text": "hello"})
    assert (answer.status_code, codes(answer), answer.headers["retry-after"]) == (429, ["RATE_LIMITED"], "7")
    assert answer.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 7, "budget": "mutations"}


@pytest.mark.parametrize(
    ("code", "extensions", "status", "retry_after"),
    [
        ("RATE_LIMITED", {"retryAfter": 12.2}, 429, "13"),
        ("RATE_LIMITED", {"retryAfter": 0.01}, 429, "1"),
        ("UNAVAILABLE", {}, 503, "1"),
        ("INTERNAL_SERVER_ERROR", {"requestId": "x"}, 500, None),
        ("QUERY_TOO_COMPLEX", {}, 500, None),
    ],
)
def test_errors_of_the_whole(code: str, extensions: dict[str, Any], status: int, retry_after: str | None) -> None:
    answer = to_rest({"errors": [error("no", code, **extensions)], "data": None}, CREATE_POST, success=201)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
    assert json.loads(bytes(answer.body))["errors"] == [
        {"code": code, "message": "no", "extensions": {"code": code} | extensions}
    ]


def test_a_refusal_by_not_found_is_404() -> None:
    refused = {"post": None, "userErrors": [{"field": ["postId"], "message": "no", "code": "NOT_FOUND"}]}
    answer = to_rest({"data": {"createPost": refused}}, CREATE_POST, success=201)
    assert answer.status_code == 404
    assert json.loads(bytes(answer.body)) == {"errors": refused["userErrors"]}
    assert rest_answers.UNPROCESSABLE == 422
