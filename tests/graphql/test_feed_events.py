"""Every event of a feed under its own type, live and by request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from domain.ids import to_global_id
from domain.records import Visibility
from resolvers import live
from resolvers.context import OperationContext
from schema.execution import Engine
from services.accounts.find_people import load_visible_users
from services.backends import Backends
from services.feeds.feed_cursors import seal_no_moment
from services.feeds.feed_events import FeedResetReason
from services.feeds.find_feed_entry import find_feed_entry
from services.feeds.wire_events import Beat, ChangedPost, MissedEvents, NewPost, RemovedPost, ResetFeed
from services.live.hub import LiveHub
from tests.live_hub import running_hub
from tests.world import World, ids

EVENTS = """
fragment Event on FeedEvent {
  __typename cursor
  ... on PostAdded { edge { cursor node { text author { username } } reasons { kind } } }
  ... on PostChanged { post { text author { username viewerFollowState } } }
  ... on PostRemoved { postId }
  ... on FeedReset { reason }
}
"""
MISSED = (
    "query ($after: String!, $first: Int) { missedFeedEvents(after: $after, first: $first) "
    "{ events { ...Event } cursor hasMore } }" + EVENTS
)
LIVE = "subscription ($after: String) { feedEvents(after: $after) { ...Event } }" + EVENTS


@pytest.fixture
async def live_hub(world: World) -> AsyncIterator[LiveHub]:
    async with running_hub(world.backends) as hub:
        yield hub


async def _context(world: World, live_hub: LiveHub, name: str, **options: Any) -> OperationContext:
    users = await load_visible_users(world.backends, [world.ids[name]], viewer_id=None)
    return OperationContext(world.backends, live_hub, users[world.ids[name]], **options)


async def _ask(world: World, live_hub: LiveHub, name: str, **variables: object) -> Any:
    engine = Engine(has_introspection=True)
    return await engine.execute(engine.prepare(MISSED, None, variables), await _context(world, live_hub, name))


async def test_each_record_is_of_its_type(world: World, live_hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    post_id = await world.post("ada", "news")
    entry = await find_feed_entry(world.backends, viewer_id=world.ids["bob"], post_id=post_id)
    assert entry is not None

    async def one_of_each(_backends: Backends, **_: object) -> MissedEvents:
        changed = ChangedPost("2", entry.facts)
        reset = ResetFeed("4", FeedResetReason.LAGGED)
        return MissedEvents([NewPost("1", entry), changed, RemovedPost("3", post_id), reset, Beat("5")], "5", has_more=False)

    monkeypatch.setattr(live, "read_missed_events", one_of_each)
    answer = await _ask(world, live_hub, "bob", after="any")
    assert "errors" not in answer
    added, changed, *others = answer["data"]["missedFeedEvents"]["events"]
    assert (added["__typename"], added["cursor"]) == ("PostAdded", "1")
    assert added["edge"]["node"] == {"text": "news", "author": {"username": "ada"}}
    assert changed == {
        "__typename": "PostChanged",
        "cursor": "2",
        "post": {"text": "news", "author": {"username": "ada", "viewerFollowState": "FOLLOWING"}},
    }
    assert others == [
        {"__typename": "PostRemoved", "cursor": "3", "postId": to_global_id("Post", post_id)},
        {"__typename": "FeedReset", "cursor": "4", "reason": "LAGGED"},
        {"__typename": "Heartbeat", "cursor": "5"},
    ]


async def test_missed_events_come_page_by_page(world: World, live_hub: LiveHub) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    cursor = (await world.page("bob")).event_cursor
    for number in range(5):
        await world.post("ada", f"post {number}")
    texts: list[str] = []
    while True:
        page = (await _ask(world, live_hub, "bob", after=cursor, first=2))["data"]["missedFeedEvents"]
        assert len(page["events"]) <= 2
        texts += [event["edge"]["node"]["text"] for event in page["events"]]
        cursor = page["cursor"]
        if not page["hasMore"]:
            break
    assert texts == [f"post {number}" for number in range(5)]
    assert (await _ask(world, live_hub, "bob", after=cursor, first=None))["data"]["missedFeedEvents"]["events"] == []


async def test_bad_arguments(world: World, live_hub: LiveHub) -> None:
    await world.add("ada", "bob")
    cursor = (await world.page("bob")).event_cursor
    for first in (-1, 101):
        answer = await _ask(world, live_hub, "bob", after=cursor, first=first)
        assert [failure["extensions"]["code"] for failure in answer["errors"]] == ["BAD_USER_INPUT"]
    for after in ("", "junk", (await world.page("ada")).event_cursor):
        answer = await _ask(world, live_hub, "bob", after=after)
        assert [failure["extensions"]["code"] for failure in answer["errors"]] == ["INVALID_CURSOR"]


async def test_what_cannot_be_replayed_is_a_reset_from_which_it_goes_on(world: World, live_hub: LiveHub) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    too_old = seal_no_moment(world.backends.sealer, world.ids["bob"])
    page = (await _ask(world, live_hub, "bob", after=too_old))["data"]["missedFeedEvents"]
    assert [event["__typename"] for event in page["events"]] == ["FeedReset"]
    assert page["cursor"] == page["events"][0]["cursor"]

    engine = Engine(has_introspection=True)
    operation = engine.prepare(LIVE, None, {"after": too_old})
    async with aclosing(engine.subscribe(operation, await _context(world, live_hub, "bob"))) as answers, asyncio.timeout(10):
        reset, cursor = await anext(answers)
        assert isinstance(reset, dict)
        assert reset["data"]["feedEvents"]["__typename"] == "FeedReset"
        assert reset["data"]["feedEvents"]["cursor"] == cursor
        post_id = await world.post("ada", "after the reset", Visibility.PUBLIC)
        await world.drain()
        added = await anext(answers)
        assert isinstance(added.response, dict)
        assert added.response["data"]["feedEvents"]["edge"]["node"]["text"] == "after the reset"
    assert ids(await world.page("bob")) == [post_id]


async def test_what_the_transport_knows_goes_before_the_argument(world: World, live_hub: LiveHub) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    first = (await world.page("bob")).event_cursor
    await world.post("ada", "told")
    second = (await world.page("bob")).event_cursor
    await world.post("ada", "missed")
    engine = Engine(has_introspection=True)
    for query in (LIVE, LIVE.replace("feedEvents", "newPosts")):
        operation = engine.prepare(query, None, {"after": first})
        context = await _context(world, live_hub, "bob", resume_after=second)
        async with aclosing(engine.subscribe(operation, context)) as answers, asyncio.timeout(10):
            answer = await anext(answers)
            assert isinstance(answer.response, dict)
            (event,) = answer.response["data"].values()
            assert event["edge"]["node"]["text"] == "missed"
            assert event["cursor"] == answer.cursor
