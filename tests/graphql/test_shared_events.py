from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import orjson
import pytest
from services.feeds.live_feed import LiveFeed

from domain.records import Visibility
from resolvers.context import OperationContext
from schema.documents import Documents
from schema.execution import Engine, Response
from schema.shared_events import RenderedResponse, is_same_for_all
from services.accounts.find_people import load_visible_users
from tests.world import World

SHARED = """
subscription Watch($after: String) {
  newPosts(after: $after) { cursor edge { ...Edge } }
}
fragment Edge on FeedEdge { cursor node { id text author { username } } reasons { kind delivery users { username } } }
"""
OWN = "subscription { newPosts { cursor edge { cursor node { text viewerCanEdit author { viewerFollowState } } } } }"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (SHARED, True),
        (OWN, False),
        ("subscription { newPosts { edge { node { entities { text url } } } } }", True),
        ("subscription { newPosts { edge { node { entities { user { username } } } } } }", False),
        ("subscription { newPosts { edge { node { author { isViewer } } } } }", False),
        ("subscription { newPosts { edge { node { author { posts { nodes { text } } } } } } }", False),
        ("subscription ($yes: Boolean!) { newPosts { cursor @include(if: $yes) edge { cursor } } }", False),
        ("subscription { a: newPosts { __typename ... on PostAdded { edge { node { t: text } } } } }", True),
    ],
)
def test_what_depends_on_the_viewer_is_not_shared(query: str, expected: bool) -> None:
    document = Documents(has_introspection=True).get(query)
    assert is_same_for_all(document.ast, document.operation(None)) is expected


@pytest.fixture
async def live_feed(world: World) -> AsyncIterator[LiveFeed]:
    live_feed = LiveFeed(world.backends)
    live_feed.start()
    yield live_feed
    await live_feed.stop()


async def _first(engine: Engine, live_feed: LiveFeed, world: World, name: str, query: str) -> Response | RenderedResponse:
    users = await load_visible_users(world.backends, [world.ids[name]], viewer_id=None)
    context = OperationContext(world.backends, live_feed, users[world.ids[name]])
    stream = cast("Any", engine.subscribe(engine.prepare(query, None, {}), context))
    try:
        answer = await asyncio.wait_for(stream.__anext__(), 10)
        event = orjson.loads(answer.response.json) if isinstance(answer.response, RenderedResponse) else answer.response
        asked = event["data"]["newPosts"].get("cursor", answer.cursor)
        assert answer.cursor == asked, "the cursor comes beside the answer, selected or not"
        return cast("Response | RenderedResponse", answer.response)
    finally:
        await stream.aclose()


async def test_each_receiver_gets_the_same_post_with_cursors_of_their_own(world: World, live_feed: LiveFeed) -> None:
    await world.add("ada", "bob", "cat", "dan")
    for name in ("bob", "cat", "dan"):
        await world.follow(name, "ada")
    engine = Engine(has_introspection=True)
    asked = [("ada", SHARED), ("bob", SHARED), ("cat", SHARED), ("dan", OWN)]
    tasks = [asyncio.create_task(_first(engine, live_feed, world, name, query)) for name, query in asked]
    while live_feed.watcher_count < len(asked):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    await world.post("ada", 'news "quoted" \\ and more', Visibility.PUBLIC)
    live_feed.ring()
    own, bob, cat, dan = await asyncio.gather(*tasks)

    assert isinstance(own, RenderedResponse)
    assert isinstance(bob, RenderedResponse)
    assert isinstance(cat, RenderedResponse)
    assert not isinstance(dan, RenderedResponse)
    events = [orjson.loads(rendered.json)["data"]["newPosts"] for rendered in (own, bob, cat)]
    assert [event["edge"]["node"]["text"] for event in events] == ['news "quoted" \\ and more'] * 3
    assert [event["edge"]["reasons"][0]["kind"] for event in events] == ["OWN_POST", "FOLLOWED_AUTHOR", "FOLLOWED_AUTHOR"]
    # Nobody has decided yet; the event says what will be chosen.
    assert [event["edge"]["reasons"][0]["delivery"] for event in events] == ["PULLED", "PUSHED", "PUSHED"]
    assert len({event["cursor"] for event in events}) == 3
    assert len({event["edge"]["cursor"] for event in events}) == 3
    node = dan["data"]["newPosts"]["edge"]["node"]
    assert (node["viewerCanEdit"], node["author"]["viewerFollowState"]) == (False, "FOLLOWING")
    # A cursor of one's own resumes, another's does not open.
    page = await world.page("bob", cursor=events[1]["edge"]["cursor"])
    assert page.edges == []
