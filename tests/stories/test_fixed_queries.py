"""The number of SQL statements of a feed page is the same for 1 and for 50 entries."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import TextClause

from db import at_once
from resolvers.context import OperationContext
from schema.execution import Engine
from services.accounts.find_people import load_visible_users
from tests.count_queries import count_queries
from tests.live_hub import idle_hub
from tests.world import World, ids

AUTHORS = 10
QUERY = """
  query ($first: Int!) { feed(first: $first) {
    edges { cursor reasons { kind delivery users { username viewerFollowState } userCount }
      node { id text author { id username viewerFollowState followsViewer } } }
    pageInfo { hasNextPage endCursor } status { state complete degradations } eventCursor } }
"""


@pytest.fixture
async def busy(world: World) -> World:
    names = [f"author{number}" for number in range(AUTHORS)]
    await world.add("bob", *names)
    await world.follow("bob", *names)
    for number in range(60):
        await world.post(names[number % AUTHORS])
    await world.drain()
    return world


async def _make(world: World, state: str) -> None:
    # A copy of the page, for the time that PostgreSQL is away, takes a statement of its own: not due again right after this.
    await world.page("bob", 60)
    if state == "cold":
        await world.backends.timelines.forget([world.ids["bob"]])
        await world.backends.pulled_authors.forget(world.ids["bob"])
    elif state == "without cache":
        world.backends.redis._closed_until = float("inf")
    else:
        await world.warm("bob")


@pytest.mark.parametrize(("state", "statements"), [("warm", 3), ("cold", 5), ("without cache", 4)])
async def test_a_page_takes_a_fixed_number_of_statements(busy: World, state: str, statements: int) -> None:
    """The long way, that is: nothing is remembered."""
    busy.backends = replace(busy.backends, memory=None)
    for size in (1, 50):
        await _make(busy, state)
        with count_queries(busy.backends) as counted:
            page = await busy.page("bob", size)
        assert len(ids(page)) == size
        assert counted.count == statements, counted.statements


async def test_a_page_that_is_remembered_takes_two_short_statements(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its size, and however many ask at once."""
    await _make(busy, "warm")
    sent: list[str] = []
    fetch = at_once.fetch

    async def noted(connection: Any, statement: TextClause, parameters: Mapping[str, Any]) -> at_once.Rows:
        sent.append(statement.text)
        return await fetch(connection, statement, parameters)

    for size in (1, 50):
        await busy.page("bob", size)
        with monkeypatch.context() as patch, count_queries(busy.backends) as counted:
            patch.setattr(at_once, "fetch", noted)
            pages = await asyncio.gather(*(busy.page("bob", size) for _ in range(20)))
        assert [len(ids(page)) for page in pages] == [size] * 20
        assert counted.count == 0, counted.statements
        assert len(sent) == 2, sent
        sent.clear()


@pytest.mark.parametrize("state", ["warm", "cold", "without cache"])
async def test_a_graphql_page_takes_a_fixed_number_of_statements(busy: World, state: str) -> None:
    busy.backends = replace(busy.backends, memory=None)
    engine = Engine(has_introspection=False)
    users = await load_visible_users(busy.backends, [busy.ids["bob"]], viewer_id=busy.ids["bob"])
    counts = []
    for size in (1, 50):
        await _make(busy, state)
        context = OperationContext(busy.backends, idle_hub(busy.backends), users[busy.ids["bob"]])
        with count_queries(busy.backends) as counted:
            answer = await engine.execute(engine.prepare(QUERY, None, {"first": size}), context)
        assert "errors" not in answer, answer
        edges = answer["data"]["feed"]["edges"]
        assert len(edges) == size
        assert {edge["node"]["author"]["viewerFollowState"] for edge in edges} == {"FOLLOWING"}
        counts.append(counted.count)
    assert counts == [{"warm": 3, "cold": 5, "without cache": 4}[state]] * 2
