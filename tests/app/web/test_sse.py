"""GraphQL over Server-Sent Events: when an answer is a stream, what is in it, and how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from app import graphql_sse, metrics
from app.answers import GRAPHQL_TYPE, JSON_TYPE
from app.live_sockets import MAX_SOCKETS_PER_USER
from app.socket_messages import CloseCode
from bootstrap import open_backends
from domain.ids import from_global_id
from services.backends import Backends
from settings import Settings
from tests.app.web.event_source import STREAM, EventSource, open_source
from tests.app.web.people_of_a_server import account, done
from tests.app.web.running_server import RunningServer, codes, run_web, token_for
from tests.world import World

VIEWER = "{ viewer { username } }"
NEW_POSTS = "subscription ($after: String) { newPosts(after: $after) { edge { node { text } } } }"
FEED_EVENTS = """
subscription ($after: String) {
  feedEvents(after: $after) { __typename cursor ... on PostAdded { edge { node { text } } } }
}
"""
CREATE = "mutation ($text: String!) { createPost(input: {text: $text}) { post { id } userErrors { code } } }"
CURSOR = "{ feed { eventCursor } }"
USUAL = f"{GRAPHQL_TYPE}, {JSON_TYPE}, multipart/mixed, {STREAM}"
"""What urql and Apollo send with every request."""


def open_streams() -> float:
    return sum(sample.value for metric in metrics.LIVE_SUBSCRIBERS.collect() for sample in metric.samples)


async def eventually(is_so: Any) -> None:
    async with asyncio.timeout(15):
        while not is_so():
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def backends(web_settings: Settings) -> AsyncIterator[Backends]:
    async with open_backends(web_settings) as opened:
        yield opened


async def publish(web: RunningServer, backends: Backends, name: str, text: str) -> str:
    post_id: str = (await web.data(CREATE, token_for(name), text=text))["createPost"]["post"]["id"]
    await World(backends).drain()
    return post_id


async def event_cursor(web: RunningServer, name: str) -> str:
    cursor: str = (await web.data(CURSOR, token_for(name)))["feed"]["eventCursor"]
    return cursor


async def test_subscription_is_a_stream_whose_ids_resume_it(web: RunningServer, backends: Backends) -> None:
    """Like `curl -N`, cut off twice; the request is the same each time."""
    token, after = token_for("writer"), await event_cursor(web, "writer")
    last: str | None = None
    for number in range(3):
        async with open_source(web.port, NEW_POSTS, token=token, last_event_id=last, after=after) as source:
            assert source.status == 200
            assert source.headers["content-type"] == f"{STREAM}; charset=utf-8"
            assert source.headers["cache-control"] == "no-store"
            assert source.headers["x-accel-buffering"] == "no"
            assert "content-encoding" not in source.headers
            for text in (f"live {number}",) if number == 0 else (f"missed {number}", f"live {number}"):
                if text.startswith("live"):
                    await publish(web, backends, "writer", text)
                event = await source.event()
                assert event is not None
                assert event.data == {"data": {"newPosts": {"edge": {"node": {"text": text}}}}}
                assert event.id
                last = event.id
        await publish(web, backends, "writer", f"missed {number + 1}")
    async with open_source(web.port, FEED_EVENTS, token=token, last_event_id=last) as source:
        event = await source.event()
        assert event is not None
        assert event.data["data"]["feedEvents"]["edge"]["node"]["text"] == "missed 3"
        assert event.data["data"]["feedEvents"]["cursor"] == event.id


async def test_own_after_counts_where_no_event_was_seen(web: RunningServer, backends: Backends) -> None:
    after = await event_cursor(web, "beginner")
    await publish(web, backends, "beginner", "first")
    async with open_source(web.port, NEW_POSTS, token=token_for("beginner"), last_event_id="", after=after) as source:
        assert (await source.data())["newPosts"]["edge"]["node"]["text"] == "first"


@pytest.mark.parametrize("last_event_id", ["junk", "é", "42", "x" * 20_000])
async def test_malformed_last_event_id_is_an_error_in_the_stream(web: RunningServer, last_event_id: str) -> None:
    after = await event_cursor(web, "reader")
    for query in (NEW_POSTS, FEED_EVENTS):
        async with open_source(web.port, query, token=token_for("reader"), last_event_id=last_event_id, after=after) as source:
            assert source.status == 200
            failed, end = await source.rest()
            assert (failed.name, codes(failed.data)) == ("next", ["INVALID_CURSOR"])
            assert (end.name, end.data) == ("complete", None)


async def test_other_subscriptions_do_not_look_at_last_event_id(web: RunningServer, backends: Backends) -> None:
    post_id = await publish(web, backends, "counted", "count me")
    query = "subscription ($ids: [ID!]!) { postCounts(postIds: $ids) { postId shareCount } }"
    async with open_source(web.port, query, token=token_for("counted"), last_event_id="junk", ids=[post_id]) as source:
        event = await source.event()
        assert event is not None
        assert event.data == {"data": {"postCounts": {"postId": post_id, "shareCount": 0}}}
        assert event.id is None


async def test_query_and_mutation_are_one_event_and_the_end(web: RunningServer) -> None:
    token = token_for("asker")
    async with open_source(web.port, VIEWER, token=token) as source:
        answer, end = await source.rest()
        assert (answer.name, answer.data) == ("next", {"data": {"viewer": {"username": "asker"}}})
        assert end.name == "complete"
    async with open_source(web.port, CREATE, token=token, text="by stream") as source:
        answer, end = await source.rest()
        assert answer.data["data"]["createPost"]["userErrors"] == []
    async with open_source(web.port, CREATE, text="by nobody") as source:
        answer, end = await source.rest()
        assert codes(answer.data) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("accept", "query", "subscription"),
    [
        (USUAL, JSON_TYPE, STREAM),
        (STREAM, STREAM, STREAM),
        (f"{STREAM}, */*;q=0.1", STREAM, STREAM),
        (f"{STREAM}, */*", JSON_TYPE, STREAM),
        (f"{STREAM};q=0.5, {JSON_TYPE};q=0.4", STREAM, STREAM),
        (f"{STREAM};q=0.4, {JSON_TYPE};q=0.5", JSON_TYPE, STREAM),
        (f"{STREAM};q=0, {JSON_TYPE}", JSON_TYPE, None),
        (f"{GRAPHQL_TYPE}, {JSON_TYPE};q=0.9", JSON_TYPE, None),
        (JSON_TYPE, JSON_TYPE, None),
        ("*/*", JSON_TYPE, None),
    ],
)
async def test_what_the_client_prefers_decides(web: RunningServer, accept: str, query: str, subscription: str | None) -> None:
    token = token_for("chooser")
    async with open_source(web.port, VIEWER, token=token, accept=accept) as source:
        kind = source.headers["content-type"].partition(";")[0]
        assert (source.status, kind.replace(GRAPHQL_TYPE, JSON_TYPE)) == (200, query)
    async with open_source(web.port, NEW_POSTS, token=token, accept=accept) as source:
        if subscription is None:
            assert (source.status, codes(await source.body())) == (400, ["BAD_REQUEST"])
        else:
            assert (source.status, source.headers["content-type"].partition(";")[0]) == (200, subscription)


async def test_get_answers_no_stream(web: RunningServer) -> None:
    answer = await web.http.get("/graphql", params={"query": VIEWER}, headers={"accept": STREAM})
    assert (answer.status_code, codes(answer.json())) == (406, ["BAD_REQUEST"])
    answer = await web.http.get("/graphql", params={"query": NEW_POSTS}, headers={"accept": STREAM})
    assert (answer.status_code, codes(answer.json())) == (405, ["BAD_REQUEST"])


async def test_invalid_documents_are_reported_in_the_stream(web: RunningServer) -> None:
    """https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, the second observation."""
    for query, code in (
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { viewer { id } } query B { viewer { id } }", "BAD_REQUEST"),
        ("subscription ($a: Int!) { newPosts(after: $a) { cursor } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($a: [ID!]!) { postCounts(postIds: $a) { postId } }", "BAD_USER_INPUT"),
        ("subscription { postCounts(postIds: []) { postId } }", "BAD_USER_INPUT"),
        ("subscription { newPosts { cursor } }", "UNAUTHENTICATED"),
    ):
        async with open_source(web.port, query) as source:
            assert source.status == 200
            failed, end = await source.rest()
            assert (failed.name, end.name) == ("next", "complete")
            assert codes(failed.data)[0] == code
    # Who would rather have JSON gets it, as long as nobody knows whether it was a subscription.
    async with open_source(web.port, "subscription { nope }", accept=USUAL) as source:
        assert (source.status, source.headers["content-type"].partition(";")[0]) == (400, GRAPHQL_TYPE)


async def test_unreadable_requests_and_bad_tokens_are_told_by_status(web: RunningServer) -> None:
    answer = await web.post(b"[", accept=STREAM)
    assert (answer.status_code, codes(answer.json())) == (400, ["BAD_REQUEST"])
    answer = await web.post({"query": NEW_POSTS}, accept=STREAM, content_type="text/plain")
    assert answer.status_code == 415
    answer = await web.post({"query": NEW_POSTS}, accept=STREAM, token="junk")
    assert (answer.status_code, codes(answer.json())) == (401, ["UNAUTHENTICATED"])
    assert answer.headers["content-type"].startswith(JSON_TYPE)


async def test_quiet_stream_shows_that_somebody_is_there(web: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql_sse, "KEEP_ALIVE_SECONDS", (0.1, 0.2))
    async with open_source(web.port, NEW_POSTS, token=token_for("quiet")) as source:
        for _ in range(4):
            await source.comment()


async def test_stream_ends_with_its_token(web: RunningServer) -> None:
    started = time.time()
    async with open_source(web.port, NEW_POSTS, token=token_for("short", seconds=2)) as source:
        failed, end = await source.rest()
        assert (failed.name, codes(failed.data), end.name) == ("next", ["UNAUTHENTICATED"], "complete")
    assert time.time() - started < 7
    await eventually(lambda: open_streams() == 0)


async def test_stream_ends_where_the_account_is_put_out(web: RunningServer, backends: Backends) -> None:
    token = token_for("put_out")
    user_id = from_global_id(await account(web, "put_out"))
    assert user_id is not None
    async with open_source(web.port, NEW_POSTS, token=token) as source:
        await source.comment()
        assert web.state.sockets.close_user(user_id[1], CloseCode.FORBIDDEN, "the account is suspended") == 1
        failed, end = await source.rest()
        assert (codes(failed.data), end.name) == (["UNAUTHENTICATED"], "complete")
    await eventually(lambda: open_streams() == 0)


async def test_streams_count_among_the_sockets_of_their_user(web: RunningServer, web_settings: Settings) -> None:
    token = token_for("many_streams")
    async with AsyncExitStack() as stack:
        for _ in range(MAX_SOCKETS_PER_USER):
            source = await stack.enter_async_context(open_source(web.port, NEW_POSTS, token=token))
            assert source.status == 200
        async with open_source(web.port, NEW_POSTS, token=token) as refused:
            assert (refused.status, refused.headers["retry-after"]) == (429, "5")
            assert codes(await refused.body()) == ["SUBSCRIPTION_LIMIT"]
        async with web.socket() as client:
            await client.send({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
            assert (await client.wait_closed())[0] == CloseCode.TRY_LATER
        # Queries are no streams, whatever their answer looks like.
        async with open_source(web.port, VIEWER, token=token) as source:
            assert source.status == 200
    await eventually(lambda: open_streams() == 0)
    async with open_source(web.port, NEW_POSTS, token=token) as source:
        assert source.status == 200
    async with AsyncExitStack() as stack:
        unlimited = await stack.enter_async_context(run_web(web_settings.model_copy(update={"limits": "off"})))
        for _ in range(MAX_SOCKETS_PER_USER + 2):
            source = await stack.enter_async_context(open_source(unlimited.port, NEW_POSTS, token=token))
            assert source.status == 200


async def test_client_that_vanishes_leaves_nothing_behind(web: RunningServer) -> None:
    await eventually(lambda: open_streams() == 0)
    tasks = len(asyncio.all_tasks())
    for _ in range(3):
        async with AsyncExitStack() as stack:
            for number in range(20):
                source = await stack.enter_async_context(
                    open_source(web.port, FEED_EVENTS, token=token_for(f"vanishing{number}"))
                )
                await source.comment()
            assert open_streams() == 20
        await eventually(lambda: open_streams() == 0)
    await eventually(lambda: web.state.live_hub.registry.__len__() == 0)
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks)


async def test_client_that_does_not_read_is_cut_off_and_resumes(
    web: RunningServer, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_sse, "SEND_SECONDS", 1.0)
    await account(web, "loud")
    loud = await account(web, "loud")
    await account(web, "deaf")
    await done(web, "deaf", "followUser", userId=loud)
    after = await event_cursor(web, "deaf")
    query = NEW_POSTS.replace("{ text }", "{ " + " ".join(f"t{number}: text" for number in range(14)) + " }")
    await eventually(lambda: open_streams() == 0)
    async with open_source(web.port, query, token=token_for("deaf")) as source:
        await source.comment()
        source.writer.transport.pause_reading()  # type: ignore[attr-defined]
        posted = 0
        async with asyncio.timeout(60):
            while open_streams():
                # Each event has some seventy kilobytes.
                await publish(web, backends, "loud", f"{posted} " + "x" * 4_900)
                posted += 1
                await asyncio.sleep(0.02)
    # It had been told some; from its last cursor, or here from before, nothing is lost.
    async with open_source(web.port, NEW_POSTS, token=token_for("deaf"), after=after) as source:
        for number in range(posted):
            assert (await source.data())["newPosts"]["edge"]["node"]["text"].startswith(f"{number} ")


async def test_restart_ends_streams_so_that_clients_come_back(web_settings: Settings) -> None:
    async with AsyncExitStack() as held:
        async with run_web(web_settings) as web:
            source: EventSource = await held.enter_async_context(
                open_source(web.port, FEED_EVENTS, token=token_for("restarted"))
            )
            await source.comment()
        events = await source.rest()
        assert [event.name for event in events if event.name == "complete"] == [], "complete would tell it to stay away"
