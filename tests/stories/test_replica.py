"""With a replica: whole feeds go on from it while the primary is away, and lead back to the primary afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from settings import Settings
from tests.app.web.people_of_a_server import account, done
from tests.app.web.running_server import RunningServer, codes, run_web, token_for
from tests.cut_connection import CutConnection, cut_connection
from tests.stories.test_database_away import WRITE, ask, heal, publish, read, shown_away, texts

_WATCH = "subscription ($after: String) { newPosts(after: $after) { cursor ... on PostAdded { edge { node { text } } } } }"


@pytest.fixture
async def way(database_url: str) -> AsyncIterator[CutConnection]:
    async with cut_connection(database_url) as proxy:
        yield proxy


@pytest.fixture
async def web(settings: Settings, way: CutConnection, database_url: str) -> AsyncIterator[RunningServer]:
    """The same database is primary behind a way that can be cut, and replica directly."""
    changes = {
        "database_url": SecretStr(way.url),
        "database_replica_url": SecretStr(database_url),
        "database_timeout_seconds": Settings.model_fields["database_timeout_seconds"].default,
    }
    async with run_web(settings.model_copy(update=changes)) as running:
        yield running


async def test_pages_go_on_from_the_replica_also_for_whom_nothing_is_kept(web: RunningServer, way: CutConnection) -> None:
    ada = await account(web, "ada")
    await done(web, "bob", "followUser", userId=ada)
    for number in range(6):
        await publish(web, "ada", f"post {number}")
    expected = [f"post {number}" for number in reversed(range(6))]
    gone = await publish(web, "ada", "deleted")
    await done(web, "ada", "deletePost", postId=gone)
    # What changed in the last two seconds is left out: clocks differ.
    await asyncio.sleep(2.5)
    await way.cut()
    first = shown_away((await ask(web, "bob", first=4))[0])
    assert texts(first) == expected[:4]
    assert first["status"]["state"] == "READY"
    rest = shown_away((await ask(web, "bob", first=4, after=first["pageInfo"]["endCursor"]))[0])
    assert texts(rest) == expected[4:]
    assert rest["status"]["state"] == "END_OF_FEED"
    assert codes((await ask(web, "ada", WRITE))[0].json()) == ["UNAVAILABLE"]
    assert codes((await ask(web, "a newcomer"))[0].json()) == ["UNAVAILABLE"]
    await way.start()
    assert texts(await heal(web, "bob")) == expected
    async with web.session(token_for("bob")) as client:
        await client.subscribe("1", _WATCH, after=first["eventCursor"])
        answer = await client.receive()
        assert codes({"errors": answer["payload"]} if answer["type"] == "error" else answer["payload"]) == ["FEED_RESET"]


async def test_what_a_replica_may_not_know_yet_is_left_out(web: RunningServer, way: CutConnection) -> None:
    ada, eve = await account(web, "ada"), await account(web, "eve")
    await done(web, "bob", "followUser", userId=ada)
    await done(web, "bob", "followUser", userId=eve)
    await publish(web, "ada", "stays")
    hidden = await publish(web, "ada", "edited")
    await publish(web, "eve", "by eve")
    await asyncio.sleep(2.5)
    assert texts(await read(web, "bob")) == ["by eve", "edited", "stays"]
    await done(web, "ada", "updatePost", postId=hidden, text="other words")
    await done(web, "bob", "muteUser", userId=eve)
    await way.cut()
    # The replica is the same server here and knows of both; one that is behind would not.
    assert texts(shown_away((await ask(web, "bob"))[0])) == ["stays"]
