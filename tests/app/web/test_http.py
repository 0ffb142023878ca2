"""GraphQL over HTTP, well asked and badly."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

import httpx
import pytest

from app import protocols, request_json
from app.answers import GRAPHQL_TYPE, JSON_TYPE
from app.protocols import MAX_HEAD_BYTES
from schema.documents import MAX_TOKENS
from settings import Settings
from tests.app.web.running_server import RunningServer, codes, run_web, token_for

VIEWER = "{ viewer { username } }"
TWO = "query A { viewer { id } } query B { viewer { username } }"
CREATE = 'mutation { createPost(input: {text: "hi"}) { post { id } } }'
SUBSCRIBE = "subscription { newPosts { cursor } }"


async def raw_exchange(port: int, request: bytes) -> bytes:
    """What the server says to these bytes until it closes, or 5 s."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        writer.write(request)
        async with asyncio.timeout(5):
            while chunk := await reader.read(65_536):
                answer += chunk
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer


async def test_query_is_answered_and_never_stored(web: RunningServer) -> None:
    answer = await web.post({"query": VIEWER}, token=token_for("ada"))
    assert answer.status_code == 200
    assert answer.json() == {"data": {"viewer": {"username": "ada"}}}
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


async def test_anonymous_reads_what_is_public_and_nothing_of_a_viewer(web: RunningServer) -> None:
    assert (await web.post({"query": VIEWER})).json() == {"data": {"viewer": None}}
    for query in (CREATE, "{ feed { status { state } } }"):
        answer = await web.post({"query": query})
        assert answer.status_code == 200
        assert codes(answer.json()) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON_TYPE),
        ("*/*", JSON_TYPE),
        ("application/*", JSON_TYPE),
        ("application/json", JSON_TYPE),
        (GRAPHQL_TYPE, GRAPHQL_TYPE),
        (f"{GRAPHQL_TYPE}, application/json;q=0.9", GRAPHQL_TYPE),
        (f"application/json, {GRAPHQL_TYPE};q=0.5", JSON_TYPE),
        (f"{GRAPHQL_TYPE};q=0, */*", JSON_TYPE),
        (f"text/html, {GRAPHQL_TYPE};q=0.1", GRAPHQL_TYPE),
    ],
)
async def test_answer_has_the_type_that_is_preferred(web: RunningServer, accept: str, expected: str) -> None:
    answer = await web.post({"query": VIEWER}, accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == expected


async def test_nothing_else_can_be_had(web: RunningServer) -> None:
    for accept in ("image/png", "text/event-stream;q=0", "application/json;q=0"):
        answer = await web.post({"query": VIEWER}, accept=accept)
        assert (answer.status_code, codes(answer.json())) == (406, ["BAD_REQUEST"])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + "viewer { id } " * (MAX_TOKENS // 4 + 1) + "}", "GRAPHQL_PARSE_FAILED"),
        ("query ($n: Int!) { node(id: $n) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID!) { node(id: $id) { id } }", "BAD_USER_INPUT"),
    ],
)
async def test_invalid_documents_are_200_or_400_by_the_type_of_the_answer(web: RunningServer, query: str, code: str) -> None:
    classic = await web.post({"query": query})
    modern = await web.post({"query": query}, accept=GRAPHQL_TYPE)
    assert (classic.status_code, modern.status_code) == (200, 400)
    assert codes(classic.json())[0] == codes(modern.json())[0] == code
    assert "data" not in classic.json()
    assert "Did you mean" not in classic.text


@pytest.mark.parametrize("accept", [JSON_TYPE, GRAPHQL_TYPE])
async def test_which_operation_must_be_said(web: RunningServer, accept: str) -> None:
    for body in ({"query": TWO}, {"query": TWO, "operationName": ""}, {"query": TWO, "operationName": "C"}):
        answer = await web.post(body, accept=accept)
        assert (answer.status_code, codes(answer.json())) == (400, ["BAD_REQUEST"])
    answer = await web.post({"query": TWO, "operationName": "B"}, accept=accept)
    assert answer.json() == {"data": {"viewer": None}}


QUERY = json.dumps(VIEWER).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"1",
        b'"x"',
        b"{}",
        b"[]",
        b"[null]",
        b"[[]]",
        b'[{"query": %b}]' % QUERY,
        b'[{"query": %b}, {"query": %b}]' % (QUERY, QUERY),
        b'{"query": null}',
        b'{"query": 5}',
        b'{"query": ["{ viewer { id } }"]}',
        b'{"query": %b, "variables": []}' % QUERY,
        b'{"query": %b, "variables": "{}"}' % QUERY,
        b'{"query": %b, "operationName": 5}' % QUERY,
        b'{"query": %b, "extensions": []}' % QUERY,
        b'{"query": %b' % QUERY,
        b'{"query": %b} {}' % QUERY,
        b'{"query": %b, "query": %b}' % (QUERY, QUERY),
        b'{"query": %b, "variables": {"a": 1, "a": 2}}' % QUERY,
        b'{"query": "\xff"}',
        b'\xef\xbb\xbf{"query": %b}' % QUERY,
        json.dumps({"query": VIEWER}).encode("utf-16"),
        b'{"query": "{ viewer { id } } # \\ud800"}',
        b'{"query": "a\nb"}',
        b'{"query": %b, "variables": {"n": NaN}}' % QUERY,
        b'{"query": %b, "variables": {"n": -Infinity}}' % QUERY,
        b'{"query": %b, "variables": {"n": 1e999}}' % QUERY,
        b'{"query": %b, "variables": {"n": %b}}' % (QUERY, b"9" * 5_000),
        b'{"query": %b, "variables": %b1%b}' % (QUERY, b'{"a":' * 100, b"}" * 100),
        b"[" * 60_000,
        b'{"a":' * 12_000,
    ],
    ids=range(33),
)
async def test_unreadable_bodies_are_400(web: RunningServer, body: bytes) -> None:
    for accept in (JSON_TYPE, GRAPHQL_TYPE):
        answer = await web.post(body, accept=accept)
        assert answer.status_code == 400
        assert codes(answer.json()) == ["BAD_REQUEST"]


async def test_lone_surrogates_in_variables_are_the_inputs_fault(web: RunningServer) -> None:
    query = "mutation ($t: String!) { createPost(input: {text: $t}) { post { id } userErrors { field code } } }"
    answer = await web.post({"query": query, "variables": {"t": "\ud800"}}, token=token_for("ada"))
    assert answer.status_code == 200
    assert answer.json()["data"]["createPost"]["userErrors"][0]["field"] == ["text"]
    for query in (
        "query ($t: String!) { user(username: $t) { id } }",
        "query ($t: ID!) { node(id: $t) { id } }",
    ):
        answer = await web.post({"query": query, "variables": {"t": "\ud800\0"}})
        assert list(answer.json()["data"].values()) == [None]
        assert "errors" not in answer.json()
    query = "query ($t: Int!) { viewer { posts(first: $t) { nodes { id } } } }"
    answer = await web.post({"query": query, "variables": {"t": "\ud800"}})
    assert codes(answer.json()) == ["BAD_USER_INPUT"]


async def test_body_over_64_kilobytes_is_not_read(web: RunningServer) -> None:
    fits = json.dumps({"query": VIEWER}).encode().ljust(request_json.MAX_BYTES)
    assert (await web.post(fits)).status_code == 200
    assert (await web.post(fits + b" ")).status_code == 400

    async def endless() -> Any:
        while True:
            yield b" " * 10_000

    # Chunked, without a length; the server stops reading and answers.
    try:
        answer = await web.http.post("/graphql", content=endless(), headers={"content-type": JSON_TYPE})
    except httpx.TransportError:
        return
    assert (answer.status_code, codes(answer.json())) == (400, ["BAD_REQUEST"])


async def test_slow_head_is_given_up(web: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "HEAD_SECONDS", 0.3)
    for head in (b"", b"GET /livez HTTP/1.1\r\nHo"):
        started = time.monotonic()
        assert await raw_exchange(web.port, head) == b""
        assert time.monotonic() - started < 4


async def test_connection_is_kept_for_the_next_request(web: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    for _ in range(3):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in await asyncio.wait_for(reader.readuntil(b"}"), 5)
        await asyncio.sleep(0.4)
    writer.close()


async def test_slow_body_is_given_up(web: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_json, "READ_SECONDS", 0.3)
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    assert b" 408 " in (await raw_exchange(web.port, head)).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/graphql",
        "",
    ],
)
async def test_other_content_types_are_415(web: RunningServer, content_type: str) -> None:
    answer = await web.post({"query": VIEWER}, content_type=content_type)
    assert (answer.status_code, codes(answer.json())) == (415, ["BAD_REQUEST"])


async def test_content_type_may_have_parameters_but_no_compression(web: RunningServer) -> None:
    for content_type in ("application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'):
        assert (await web.post({"query": VIEWER}, content_type=content_type)).status_code == 200
    assert (await web.post({"query": VIEWER}, content_encoding="gzip")).status_code == 415


async def test_get_answers_queries_alone(web: RunningServer) -> None:
    parameters = {"query": TWO, "operationName": "B", "variables": '{"unused": 1}'}
    assert (await web.http.get("/graphql", params=parameters)).json() == {"data": {"viewer": None}}
    for query in (CREATE, SUBSCRIBE):
        answer = await web.http.get(
            "/graphql", params={"query": query}, headers={"authorization": f"Bearer {token_for('ada')}"}
        )
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    for broken in ({}, {"query": VIEWER, "variables": "["}, {"query": VIEWER, "variables": "1"}):
        answer = await web.http.get("/graphql", params=broken)
        assert (answer.status_code, codes(answer.json())) == (400, ["BAD_REQUEST"])
    answer = await web.http.get("/graphql?query=%7B%7D&query=%7B%7D")
    assert answer.status_code == 400
    data = await web.data("{ viewer { posts { nodes { id } } } }", token_for("ada"))
    assert data["viewer"]["posts"]["nodes"] == []


async def test_other_methods_are_405(web_settings: Settings) -> None:
    headers = {"content-type": JSON_TYPE, "x-http-method-override": "POST"}
    async with run_web(web_settings.model_copy(update={"allowed_origins": ()})) as web:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"):
            answer = await web.http.request(method, "/graphql", headers=headers)
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_method_override_is_not_looked_at(web: RunningServer) -> None:
    answer = await web.http.get("/graphql", params={"query": CREATE}, headers={"x-http-method-override": "POST"})
    assert answer.status_code == 405


async def test_subscription_by_post_is_400(web: RunningServer) -> None:
    answer = await web.post({"query": SUBSCRIBE}, token=token_for("ada"))
    assert (answer.status_code, codes(answer.json())) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer junk",
        "Bearer a.b.c",
        f"Bearer {'a' * 9_000}",
        "Basic eDp5",
        "Bearer",
        f"Bearer {token_for('ada')} trailing",
        f"Bearer {token_for('ada')}x",
    ],
    ids=range(7),
)
async def test_bad_tokens_are_401(web: RunningServer, authorization: str) -> None:
    answer = await web.post({"query": VIEWER}, authorization=authorization)
    assert (answer.status_code, codes(answer.json())) == (401, ["UNAUTHENTICATED"])
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_two_authorization_headers_are_401(web: RunningServer) -> None:
    headers = [("content-type", JSON_TYPE), ("authorization", f"Bearer {token_for('ada')}")]
    request = web.http.build_request("POST", "/graphql", content=b"{}", headers=[*headers, headers[1]])
    assert (await web.http.send(request)).status_code == 401


async def test_scheme_is_compared_without_case_and_tokens_in_addresses_are_ignored(web: RunningServer) -> None:
    token = token_for("ada")
    answer = await web.post({"query": VIEWER}, authorization=f"bearer {token}")
    assert answer.json()["data"]["viewer"] == {"username": "ada"}
    answer = await web.http.get("/graphql", params={"query": VIEWER, "access_token": token, "authorization": f"Bearer {token}"})
    assert answer.json() == {"data": {"viewer": None}}


async def test_key_server_that_is_away_is_503(web_settings: Settings) -> None:
    header = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9"
    settings = web_settings.model_copy(update={"jwks_url": "http://127.0.0.1:9/keys"})
    async with run_web(settings) as web:
        answer = await web.post({"query": VIEWER}, token=f"{header}.e30.c2ln")
        assert (answer.status_code, codes(answer.json())) == (503, ["UNAVAILABLE"])


async def test_other_origins_are_told_nothing(web: RunningServer) -> None:
    for origin in ("https://evil.example", "null"):
        answer = await web.post({"query": VIEWER}, origin=origin)
        assert "access-control-allow-origin" not in answer.headers
        preflight = await web.http.options("/graphql", headers={"origin": origin, "access-control-request-method": "POST"})
        assert "access-control-allow-origin" not in preflight.headers
    allowed = "https://front.example"
    headers = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    preflight = await web.http.options("/graphql", headers=headers | {"origin": allowed})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, allowed)
    answer = await web.post({"query": VIEWER}, origin=allowed)
    assert answer.headers["access-control-allow-origin"] == allowed
    assert "access-control-allow-credentials" not in answer.headers


async def test_page_for_browsers(web: RunningServer, web_settings: Settings) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = await web.http.get("/graphql", headers=browser)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    config = json.loads(page.text.partition('id="tidings-config">')[2].partition("</script>")[0])
    assert config["username"] == "demo"
    assert (await web.data(VIEWER, config["token"]))["viewer"] == {"username": "demo"}
    answered = await web.http.get("/graphql", headers=browser, params={"query": VIEWER})
    assert answered.json() == {"data": {"viewer": None}}
    async with run_web(web_settings.model_copy(update={"graphiql": False})) as bare:
        assert (await bare.http.get("/graphql", headers=browser)).status_code == 404


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /livez HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nA: " + b"a" * (MAX_HEAD_BYTES + 1),
        b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"".join(b"A%d: a\r\n" % n for n in range(200)) + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01 nonsense\r\n\r\n",
    ],
    ids=["header", "unfinished header", "headers", "address", "two lengths", "not http"],
)
async def test_heads_that_are_too_large_or_ambiguous_are_400(web: RunningServer, request_bytes: bytes) -> None:
    answer = await raw_exchange(web.port, request_bytes)
    assert answer.split(b" ")[1:2] == [b"400"]


async def test_faults_say_nothing_but_a_request_id(
    web: RunningServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr("app.graphql_http._respond", fail)
    with caplog.at_level(logging.CRITICAL):
        answer = await web.post({"query": VIEWER})
    assert (answer.status_code, codes(answer.json())) == (500, ["INTERNAL_SERVER_ERROR"])
    assert answer.json()["errors"][0]["extensions"]["requestId"]
    assert "secret" not in answer.text


async def test_hostile_json_is_refused_fast() -> None:
    started = time.perf_counter()
    for text in ("[" * 65_000, '{"a":' * 13_000, "9" * 65_000):
        with pytest.raises(request_json.BadRequestError):
            request_json.parse_object(text)
    # Each takes about a millisecond; the bound is wide, so that only another order of magnitude fails it.
    assert time.perf_counter() - started < 2
