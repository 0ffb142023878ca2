"""The whole way, as a developer sees it: GraphiQL in a browser, API, relay and worker as real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from graphql import parse, validate

from app.stack.servers import EmbeddedServers
from app.stack.urls import ServerUrls
from schema.build import graphql_core_schema
from tests.browser import find_chromium, open_browser
from tests.graphiql_driver import EXAMPLE_TABS, open_graphiql
from tests.role_processes import RoleProcesses, running_roles
from tests.world import World

EXAMPLES = Path(__file__).resolve().parents[2] / "web" / "graphiql" / "src" / "examples"


@pytest.fixture
async def processes(servers: EmbeddedServers, database_url: str, tmp_path: Path) -> AsyncIterator[RoleProcesses]:
    urls = ServerUrls(database_url, servers.urls.redis_url, servers.urls.broker_url)
    async with running_roles(urls, tmp_path / "metrics", "serve", "relay", "worker 1", environment={}) as running:
        yield running


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.graphql")), ids=lambda path: path.stem)
def test_the_example_operations_are_valid(path: Path) -> None:
    assert validate(graphql_core_schema(), parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.browser
@pytest.mark.skipif(find_chromium() is None, reason="needs Debian's chromium: apt-get install chromium")
async def test_a_subscription_receives_a_post_made_in_another_tab(processes: RoleProcesses, world: World) -> None:
    await world.add("demo", "ada")
    await world.follow("demo", "ada")
    await world.post("ada", "an older post")
    async with open_browser() as browser:
        reader = await open_graphiql(browser, f"{processes.address}/graphql")
        assert await reader.tab_titles() == list(EXAMPLE_TABS)
        assert await reader.signed_in_as() == "demo"

        page = await reader.run_operation()
        feed = page["data"]["feed"]
        assert [edge["node"]["text"] for edge in feed["edges"]] == ["an older post"]
        assert feed["status"]["complete"] is True

        writer = await open_graphiql(browser, f"{processes.address}/graphql", context=reader.page.context)
        await writer.sign_in_as("ada")
        await reader.select_tab("NewPosts")
        await reader.start_subscription(variables={"after": feed["eventCursor"]})
        await writer.select_tab("CreatePost")
        written = await writer.run_operation(variables={"input": {"text": "over there #news"}})
        assert written["data"]["createPost"]["userErrors"] == []

        event = await reader.wait_for_result(lambda result: "newPosts" in (result.get("data") or {}))
        edge = event["data"]["newPosts"]["edge"]
        assert edge["node"]["text"] == "over there #news"
        assert edge["node"]["author"]["username"] == "ada"
        assert edge["reasons"] == [{"kind": "FOLLOWED_AUTHOR", "delivery": "PUSHED"}]
        for tab in (reader, writer):
            assert tab.page.record.foreign_urls(processes.address) == []
            assert tab.page.record.problems == []


async def test_metrics_tell_of_every_role(processes: RoleProcesses, world: World) -> None:
    await world.add("ada")
    async with httpx.AsyncClient(base_url=processes.address, timeout=10) as client:
        token = (await client.post("/dev/login", json={"username": "ada"})).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        made = await client.post("/graphql", json={"query": 'mutation { createPost(input: {text: "hi"}) { post { id } } }'})
        assert made.json()["data"]["createPost"]["post"]
        await client.post("/graphql", json={"query": "{ feed { nodes { id } } }"})
        text = ""
        async with asyncio.timeout(10):
            while 'tidings_fan_out_lag_seconds_count{outcome="PUSH"} 1.0' not in text:
                await asyncio.sleep(0.05)
                text = (await client.get("/metrics", headers={"Authorization": ""})).text
        assert 'tidings_feed_request_seconds_count{source="cold"} 1.0' in text
        assert "tidings_outbox_open 0.0" in text
