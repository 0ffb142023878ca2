"""Compiled answers through the engine: rendered parts, live events, and mistakes of the compiler."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from sqlalchemy import text

import graphql_compiler.drain
from domain.feed import FeedPage
from domain.records import PostRecord, UserRecord
from graphql_compiler import plain, write_json
from resolvers.context import OperationContext
from schema.build import build_schema
from schema.execution import Engine
from schema.scalars import format_instant
from services.accounts.find_people import load_visible_users
from services.feeds.read_home_feed import read_home_feed
from services.notifications.process_activities import process_activities
from tests.graphql_compiler.compare import check_same
from tests.graphql_compiler.kept import kept_parts
from tests.live_hub import idle_hub
from tests.world import World

FEED = """
query ($first: Int) { feed(first: $first) { edges { node { id text createdAt likeCount visibility entities { text user { id } }
  viewerCanEdit author { id username displayName avatarUrl createdAt isViewer } } } } }
"""
VIEWER = "{ viewer { id username displayName bio avatarUrl createdAt } }"


class Asking:
    """One engine, asked by several people."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.executors: list[str] = []
        self.engine = Engine(has_introspection=True, note_executor=self.executors.append)

    async def context(self, name: str) -> OperationContext:
        viewer_id = self.world.ids[name]
        viewer = (await load_visible_users(self.world.backends, [viewer_id], viewer_id=viewer_id))[viewer_id]
        return OperationContext(self.world.backends, idle_hub(self.world.backends), viewer)

    async def answer(self, name: str, query: str, **variables: Any) -> dict[str, Any]:
        operation = self.engine.prepare(query, None, variables)
        return await self.engine.answer(operation, await self.context(name))


@pytest.fixture
async def asking(world: World) -> Asking:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    for number in range(3):
        await world.post("ada", f"No. {number} of @bob “{number}”")
    await world.drain()
    return Asking(world)


def _take_down(monkeypatch: pytest.MonkeyPatch) -> dict[int, Any]:
    """The records that pages have shown, by their addresses."""
    shown: dict[int, Any] = {}

    async def read(*arguments: Any, **named: Any) -> FeedPage:
        page = await read_home_feed(*arguments, **named)
        shown.update((id(record), record) for edge in page.edges for record in (edge.facts.post, edge.facts.author))
        return page

    monkeypatch.setattr("resolvers.feeds.read_home_feed", read)
    return shown


async def test_records_that_are_kept_are_rendered_once(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _take_down(monkeypatch)
    first = await asking.engine.execute(asking.engine.prepare(FEED, None, {}), await asking.context("bob"))
    for _ in range(6):
        assert orjson.loads(write_json(await asking.answer("bob", FEED))) == first
    assert asking.executors == ["graphql_core"] * 2 + ["compiled"] * 5
    kept = [record for record in shown.values() if kept_parts(record)]
    assert {type(record) for record in kept} == {PostRecord, UserRecord}, "the process keeps records, and they what is rendered"
    again = await asking.engine.execute(asking.engine.prepare(FEED, None, {}), await asking.context("ada"))
    assert [edge["node"]["viewerCanEdit"] for edge in again["data"]["feed"]["edges"]] == [True] * 3
    assert [edge["node"]["author"]["isViewer"] for edge in again["data"]["feed"]["edges"]] == [True] * 3
    assert [edge["node"]["viewerCanEdit"] for edge in first["data"]["feed"]["edges"]] == [False] * 3
    assert [edge["node"]["text"] for edge in again["data"]["feed"]["edges"]] == [
        edge["node"]["text"] for edge in first["data"]["feed"]["edges"]
    ]


@pytest.mark.parametrize(
    "statement", ["display_name = 'Ada L.'", "username = 'countess'", "avatar_url = 'https://a.example/b'"]
)
async def test_an_author_who_has_changed_is_so_on_the_next_page(asking: Asking, statement: str) -> None:
    """Although what was rendered of the posts holds the author, too."""
    query = "{ feed { edges { node { text author { displayName username avatarUrl } } } } }"
    for _ in range(6):
        before = plain(await asking.answer("bob", query))
    async with asking.world.backends.database.writing() as session:
        await session.execute(text(f"UPDATE users SET {statement} WHERE id = {asking.world.ids['ada']}"))
    by_core = await asking.engine.execute(asking.engine.prepare(f"{query} #", None, {}), await asking.context("bob"))
    for _ in range(4):
        after = plain(await asking.answer("bob", query))
        assert after == by_core != before
    assert asking.executors[-1] == "compiled"


async def test_a_mistake_of_the_compiler_changes_no_answer(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    first = await asking.answer("bob", VIEWER)
    await asking.answer("bob", VIEWER)
    monkeypatch.setattr(graphql_compiler.drain, "_complete", broken)
    assert [await asking.answer("bob", VIEWER) for _ in range(3)] == [first] * 3
    assert asking.executors == ["graphql_core"] * 5
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["graphql_compiler.failed"]


async def test_other_live_events_are_compiled_too(asking: Asking) -> None:
    query = "subscription { feedEvents { __typename cursor } }"
    operation = asking.engine.prepare(query, None, {})
    context = await asking.context("bob")
    for _ in range(3):
        await asking.engine.execute_event(operation, context, object())
    assert asking.executors == ["graphql_core"] * 2 + ["compiled"]
    async with aclosing(
        asking.engine.subscribe(operation, OperationContext(context.backends, context.live_hub, None))
    ) as answers:
        assert [answer.response["errors"][0]["extensions"]["code"] async for answer in answers] == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 678_999, UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(26, 1, 2, 3, 4, 5, 0, UTC), "0026-01-02T03:04:05.000Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 1, timezone(timedelta(hours=5, minutes=30))), "2025-12-31T18:30:00.000Z"),
    ],
)
def test_instants(instant: datetime, text: str) -> None:
    assert format_instant(instant) == text


async def test_several_keys_of_notifications(asking: Asking) -> None:
    world = asking.world
    query = "{ notifications { nodes { __typename id isRead actors { id username } actorCount post { id text } } } }"
    while (await process_activities(world.backends)).taken:
        pass
    contexts = [await asking.context("bob") for _ in range(2)]
    answer = await check_same(build_schema(), query, make_context=contexts.pop, hide_suggestions=True)
    assert [node["actors"][0]["username"] for node in answer.data["notifications"]["nodes"]] == ["ada"] * 3
