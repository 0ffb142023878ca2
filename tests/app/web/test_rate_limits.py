"""Limits at the operation: the same over HTTP, event streams and sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from itertools import count
from typing import Any

import pytest

from domain.errors import RateLimitedError
from domain.limits import FOLLOW_CHURN, MUTATIONS, Budget
from services.protection import charge_operation as charging
from services.protection.charge_operation import OperationKind, charge_operation
from settings import Settings
from tests.app.web.running_server import RunningServer, codes, run_web, token_for

GRAPHQL_TYPE = "application/graphql-response+json"
CREATE = "mutation ($text: String!) { createPost(input: {text: $text}) { post { id } userErrors { code } } }"
VIEWER = "{ viewer { username } }"
COUNTS = "subscription { postCounts(postIds: []) { postId } }"
_addresses = count(1)


@pytest.fixture(scope="module")
async def web(web_settings: Settings) -> AsyncIterator[RunningServer]:
    """Behind a proxy, so that each test has addresses of its own: all tests share one Redis."""
    async with run_web(web_settings.model_copy(update={"trusted_proxies": ("127.0.0.0/8", "10.0.0.0/8")})) as running:
        yield running


@pytest.fixture
def address() -> str:
    return f"198.51.100.{next(_addresses)}"


async def spend(
    web: RunningServer,
    kind: OperationKind,
    fields: Mapping[str, int],
    *,
    subject: str | None = None,
    address: str | None = None,
) -> None:
    """As if so much had been asked for."""
    assert web.state.backends.budgets is not None
    await charge_operation(web.state.backends.budgets, kind=kind, root_fields=fields, subject=subject, address=address)


async def spend_posts(web: RunningServer, name: str) -> None:
    await spend(web, OperationKind.MUTATION, {"createPost": MUTATIONS["createPost"].burst}, subject=name)


async def spend_subscriptions(web: RunningServer, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The real budget is refilled faster than a test can look.
    monkeypatch.setitem(charging._WHOLE, OperationKind.SUBSCRIPTION, Budget("subscription", 1, 1, 3_600))
    await spend(web, OperationKind.SUBSCRIPTION, {"newPosts": 1}, subject=name)


def check_error(answer: Any) -> int:
    assert "data" not in answer
    assert codes(answer) == ["RATE_LIMITED"]
    (failure,) = answer["errors"]
    assert failure["extensions"]["budget"] == "createPost"
    retry_after = failure["extensions"]["retryAfter"]
    assert isinstance(retry_after, int)
    assert 0 < retry_after <= 6
    return retry_after


async def test_an_answer_says_what_is_left(web: RunningServer) -> None:
    answer = (await web.post({"query": CREATE, "variables": {"text": "one"}}, token=token_for("left"))).json()
    assert answer["data"]["createPost"]["userErrors"] == []
    assert answer["extensions"] == {
        "rateLimit": {
            "createPost": {"limit": 200, "remaining": 199, "resetSeconds": 6},
            "mutation": {"limit": 3_000, "remaining": 2_999, "resetSeconds": 1},
        }
    }
    assert "extensions" not in (await web.post({"query": VIEWER}, token=token_for("left"))).json()


async def test_an_exhausted_budget_over_http(web: RunningServer) -> None:
    await spend_posts(web, "spent")
    body = {"query": CREATE, "variables": {"text": "too much"}}
    legacy = await web.post(body, token=token_for("spent"))
    assert legacy.status_code == 200
    check_error(legacy.json())
    newer = await web.post(body, token=token_for("spent"), accept=GRAPHQL_TYPE)
    assert newer.status_code == 429
    assert newer.headers["retry-after"] == str(check_error(newer.json()))
    stream = await web.post(body, token=token_for("spent"), accept="text/event-stream")
    assert stream.status_code == 200
    assert '"RATE_LIMITED"' in stream.text
    mine = await web.data('{ user(username: "spent") { postCount posts { nodes { text } } } }', token_for("spent"))
    assert mine["user"] == {"postCount": 0, "posts": {"nodes": []}}
    page = (await web.http.get("/metrics")).text
    (line,) = [line for line in page.splitlines() if line.startswith('tidings_rate_limited_total{budget="createPost"}')]
    assert float(line.rpartition(" ")[2]) >= 3


async def test_aliases_multiply_the_charge(web: RunningServer) -> None:
    await spend(web, OperationKind.MUTATION, {"createPost": 197}, subject="alias")
    fields = " ".join(f'm{number}: createPost(input: {{text: "{number}"}}) {{ post {{ id }} }}' for number in range(4))
    for query in (f"mutation {{ {fields} }}", f"mutation {{ ...F }} fragment F on Mutation {{ {fields} }}"):
        check_error((await web.post({"query": query}, token=token_for("alias"))).json())
    three = fields.partition("m3")[0]
    answer = (await web.post({"query": f"mutation {{ {three} }}"}, token=token_for("alias"))).json()
    assert answer["extensions"]["rateLimit"]["createPost"]["remaining"] == 0


async def test_an_exhausted_budget_over_a_socket(web: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    await spend_posts(web, "socket")
    async with web.session(token_for("socket")) as socket:
        await socket.subscribe("a", CREATE, text="too much")
        message = await socket.receive()
        assert (message["type"], message["id"]) == ("error", "a")
        check_error({"errors": message["payload"]})
        await socket.subscribe("a", VIEWER)
        assert (await socket.receive())["payload"] == {"data": {"viewer": {"username": "socket"}}}
        assert (await socket.receive())["type"] == "complete"
        await spend_subscriptions(web, "socket", monkeypatch)
        await socket.subscribe("b", "subscription { newPosts { cursor } }")
        message = await socket.receive()
        assert (message["type"], codes({"errors": message["payload"]})) == ("error", ["RATE_LIMITED"])
        await socket.subscribe("b", VIEWER)
        assert (await socket.receive())["type"] == "next"


async def test_an_exhausted_budget_of_streams(web: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    await spend_subscriptions(web, "stream", monkeypatch)
    body = {"query": "subscription { newPosts { cursor } }"}
    answer = await web.post(body, token=token_for("stream"), accept="text/event-stream")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert codes(answer.json()) == ["RATE_LIMITED"]


async def test_the_last_hop_that_is_no_proxy_of_ours_pays(
    web: RunningServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charging, "ANONYMOUS", Budget("anonymous", 2, 2, 3_600))
    await spend(web, OperationKind.QUERY, {"viewer": 2}, address=address)

    async def ask(forwarded_for: str) -> list[str]:
        answer = (await web.post({"query": VIEWER}, x_forwarded_for=forwarded_for)).json()
        return codes(answer) if "errors" in answer else []

    for hops in (address, f"203.0.113.200, {address}", f"203.0.113.200, {address}, 10.1.2.3", f"nonsense,{address}:80"):
        assert await ask(hops) == ["RATE_LIMITED"]
    assert await ask(f"{address}, 203.0.113.200") == []


async def test_sockets_have_the_address_of_their_handshake(
    web: RunningServer, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charging, "ANONYMOUS", Budget("anonymous", 1, 1, 3_600))
    async with web.socket(additional_headers={"X-Forwarded-For": f"203.0.113.200, {address}, 10.0.0.1"}) as socket:
        await socket.initialise()
        await socket.subscribe("a", VIEWER)
        assert (await socket.receive())["type"] == "next"
        assert (await socket.receive())["type"] == "complete"
        await socket.subscribe("b", VIEWER)
        assert (await socket.receive())["type"] == "error"
    with pytest.raises(RateLimitedError):
        await spend(web, OperationKind.QUERY, {"viewer": 1}, address=address)


async def test_follow_churn_is_a_top_level_error(web: RunningServer) -> None:
    other = (await web.data("{ viewer { id } }", token_for("followed")))["viewer"]["id"]
    follow = "mutation ($id: ID!) { followUser(input: {userId: $id}) { userErrors { code } } }"
    unfollow = follow.replace("followUser", "unfollowUser")
    for _ in range(FOLLOW_CHURN.burst // 2):
        for query in (follow, unfollow):
            await web.data(query, token_for("fickle"), id=other)
    answer = (await web.post({"query": follow, "variables": {"id": other}}, token=token_for("fickle"))).json()
    assert answer["data"] == {"followUser": None}
    assert codes(answer) == ["RATE_LIMITED"]
    assert 0 < answer["errors"][0]["extensions"]["retryAfter"] <= 360


async def test_without_limits_there_are_none(web_settings: Settings) -> None:
    async with run_web(web_settings.model_copy(update={"limits": "off"})) as unlimited:
        assert unlimited.state.backends.budgets is None
        for _ in range(7):
            answer = (await unlimited.post({"query": CREATE, "variables": {"text": "same"}}, token=token_for("free"))).json()
            assert answer["data"]["createPost"]["userErrors"] == []
            assert "extensions" not in answer


async def test_without_redis_operations_are_answered(web: RunningServer) -> None:
    redis = web.state.backends.redis
    redis._closed_until = float("inf")
    try:
        answer = (await web.post({"query": CREATE, "variables": {"text": "still"}}, token=token_for("without"))).json()
    finally:
        redis._closed_until = 0.0
    assert answer["data"]["createPost"]["userErrors"] == []
    assert answer["extensions"]["rateLimit"]["createPost"] == {"limit": 50, "remaining": 49, "resetSeconds": 24}
