from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from domain.records import Visibility
from resolvers.context import OperationContext
from schema.documents import Documents
from schema.execution import Engine, Operation, Response
from schema.feed_subscription import deliver
from schema.live import watch
from schema.shared_events import is_same_for_all
from services.accounts.find_people import load_visible_users
from tests.live_hub import running_hub
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


@dataclass
class _Sink:
    """Takes everything."""

    has_room: bool = True
    answers: list[dict[str, Any]] = field(default_factory=list)

    def put(self, payload: bytes, cursor: str | None) -> None:
        self.answers.append(orjson.loads(payload))
        (event,) = self.answers[-1]["data"].values()
        assert event.get("cursor", cursor) == cursor, "the cursor comes beside the answer, selected or not"

    def fail(self, errors: list[dict[str, Any]]) -> None:
        raise AssertionError(errors)

    def complete(self) -> None:
        raise AssertionError("it does not end")


async def test_each_receiver_gets_the_same_post_with_cursors_of_their_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.add("ada", "bob", "cat", "dan")
    for name in ("bob", "cat", "dan"):
        await world.follow(name, "ada")
    engine = Engine(has_introspection=True)
    executed: list[str] = []
    execute_event = Engine.execute_event

    async def counted(self: Engine, operation: Operation, context: OperationContext, event: object) -> Response:
        executed.append(type(event).__name__)
        return await execute_event(self, operation, context, event)

    monkeypatch.setattr(Engine, "execute_event", counted)
    asked = [("ada", SHARED), ("bob", SHARED), ("cat", SHARED), ("dan", OWN)]
    sinks = [_Sink() for _ in asked]
    users = await load_visible_users(world.backends, [world.ids[name] for name, _ in asked], viewer_id=None)
    async with running_hub(world.backends, deliver=deliver) as hub:
        contexts = [OperationContext(world.backends, hub, users[world.ids[name]]) for name, _ in asked]
        running = [
            await watch(engine, engine.prepare(query, None, {}), context, sink)
            for context, (_, query), sink in zip(contexts, asked, sinks, strict=True)
        ]
        while len(hub.registry) < len(asked):
            await asyncio.sleep(0.01)
        await world.post("ada", 'news "quoted" \\ and more', Visibility.PUBLIC)
        await world.drain()
        async with asyncio.timeout(10):
            while not all(sink.answers for sink in sinks):
                await asyncio.sleep(0.01)
        for subscription in running:
            subscription.close()
    # One for the author, whose reason is another one; one for both followers; and one for whom nobody else can be answered.
    assert executed == ["NewPost"] * 3
    dan = sinks[3].answers[0]
    events = [sink.answers[0]["data"]["newPosts"] for sink in sinks[:3]]
    assert [event["edge"]["node"]["text"] for event in events] == ['news "quoted" \\ and more'] * 3
    assert [event["edge"]["reasons"][0]["kind"] for event in events] == ["OWN_POST", "FOLLOWED_AUTHOR", "FOLLOWED_AUTHOR"]
    assert [event["edge"]["reasons"][0]["delivery"] for event in events] == ["PULLED", "PUSHED", "PUSHED"]
    assert len({event["cursor"] for event in events}) == 3
    assert len({event["edge"]["cursor"] for event in events}) == 3
    node = dan["data"]["newPosts"]["edge"]["node"]
    assert (node["viewerCanEdit"], node["author"]["viewerFollowState"]) == (False, "FOLLOWING")
    # A cursor of one's own resumes, another's does not open.
    page = await world.page("bob", cursor=events[1]["edge"]["cursor"])
    assert page.edges == []
