"""GraphiQL as a reader meets it: in a real browser, with every file from our own server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.app.graphiql_playground import Playground, open_playground, token_of
from tests.browser import Browser, find_chromium, open_browser
from tests.graphiql_driver import EXAMPLE_TABS, Graphiql, open_graphiql

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_chromium() is None, reason="needs Debian's chromium: apt-get install chromium"),
]

EVENT_TIMEOUT_SECONDS = 10.0
ADA, BEN = "ada", "bën"

VIEWER = "query Viewer { viewerName }"
WRITE = "mutation Write($text: String!) { writeNote(text: $text) { text author } }"
WATCH = "subscription Watch { newNotes { text author readBy } }"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with open_playground(token=token_of(ADA), username=ADA) as playground:
        yield playground


@pytest.fixture
async def anonymous_playground() -> AsyncIterator[Playground]:
    async with open_playground(token=None, username=None) as playground:
        yield playground


def assert_clean(graphiql: Graphiql, playground: Playground) -> None:
    record = graphiql.page.record
    assert record.foreign_urls(playground.origin) == []
    assert record.problems == []


async def test_query_runs_as_the_person_of_the_page(browser: Browser, playground: Playground) -> None:
    graphiql = await open_graphiql(browser, playground.graphiql_url)
    assert await graphiql.tab_titles() == list(EXAMPLE_TABS)
    assert await graphiql.signed_in_as() == ADA
    assert await graphiql.headers() == {"Authorization": f"Bearer {token_of(ADA)}"}

    assert await graphiql.run_operation(VIEWER) == {"data": {"viewerName": ADA}}

    workers = [url for url in graphiql.page.record.requested_urls if ".worker-" in url]
    assert len(workers) >= 2
    assert_clean(graphiql, playground)


async def test_subscription_receives_what_another_tab_writes(browser: Browser, playground: Playground) -> None:
    reader = await open_graphiql(browser, playground.graphiql_url)
    writer = await open_graphiql(browser, playground.graphiql_url, context=reader.page.context)
    await writer.sign_in_as(BEN)
    await reader.select_tab("NewPosts")
    await reader.start_subscription(WATCH)
    await asyncio.wait_for(playground.listening.wait(), EVENT_TIMEOUT_SECONDS)

    await writer.select_tab("CreatePost")
    written = await writer.run_operation(WRITE, variables={"text": "over there"})

    assert written == {"data": {"writeNote": {"text": "over there", "author": BEN}}}
    event = await reader.wait_for_result(lambda result: "data" in result)
    assert event == {"data": {"newNotes": {"text": "over there", "author": BEN, "readBy": ADA}}}
    await reader.stop_subscription()
    await asyncio.wait_for(playground.silent.wait(), EVENT_TIMEOUT_SECONDS)
    assert_clean(reader, playground)
    assert_clean(writer, playground)


async def test_pasted_token_counts_and_no_token_is_kept(browser: Browser, playground: Playground) -> None:
    graphiql = await open_graphiql(browser, playground.graphiql_url)
    await graphiql.set_headers({"authorization": f"Bearer {token_of(BEN)}"})
    await graphiql.page.wait_for("document.querySelector('.person-name b')?.textContent === 'bën'")
    assert await graphiql.run_operation(VIEWER) == {"data": {"viewerName": BEN}}

    await graphiql.start_subscription(WATCH)
    await asyncio.wait_for(playground.listening.wait(), EVENT_TIMEOUT_SECONDS)
    playground.publish("hello")
    event = await graphiql.wait_for_result(lambda result: "newNotes" in result.get("data", {}))
    assert event["data"]["newNotes"]["readBy"] == BEN

    await graphiql.page.wait_for("localStorage.getItem('graphiql:tabState').includes('Watch')")
    kept = await graphiql.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert token_of(ADA) not in kept
    assert token_of(BEN) not in kept
    assert "Bearer" not in kept


async def test_chosen_person_and_edited_tabs_survive_a_reload(browser: Browser, anonymous_playground: Playground) -> None:
    graphiql = await open_graphiql(browser, anonymous_playground.graphiql_url)
    assert await graphiql.signed_in_as() is None
    assert await graphiql.headers() == {}
    await graphiql.select_tab("CreatePost")
    await graphiql.set_operation(VIEWER)
    await graphiql.page.wait_for("localStorage.getItem('graphiql:tabState').includes('viewerName')")
    await graphiql.sign_in_as(BEN)
    assert await graphiql.operation() == VIEWER

    await graphiql.page.reload()
    await graphiql.wait_until_ready()

    assert await graphiql.signed_in_as() == BEN
    assert await graphiql.tab_titles() == ["HomeFeed", "Viewer", "NewPosts", "FindUser"]
    assert await graphiql.run_operation() == {"data": {"viewerName": BEN}}
    assert_clean(graphiql, anonymous_playground)
