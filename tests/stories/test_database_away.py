"""PostgreSQL hangs, dies or cannot be reached: what readers and writers are told over HTTP, how soon, and that all heals."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from app.stack.postgres import EmbeddedPostgres
from app.stack.servers import EmbeddedServers
from migrations.run import upgrade
from settings import Settings
from tests.app.web.people_of_a_server import account, done
from tests.app.web.running_server import RunningServer, codes, run_web, token_for
from tests.cut_connection import CutConnection, cut_connection
from tests.stories.test_degradations import PROMISED_SECONDS, SLACK_SECONDS, stopped_postgres

FEED = """
query ($first: Int, $after: String) {
  feed(first: $first, after: $after) {
    edges {
      cursor
      node { id text viewerHasShared author { username viewerFollowState } sharedPost { id text author { username } } }
      reasons { kind userCount users { username viewerFollowState } hashtag { name } }
    }
    pageInfo { hasNextPage endCursor }
    status { state complete asOf degradations }
    eventCursor
  }
}
"""
WRITE = 'mutation { createPost(input: { text: "now" }) { post { id } userErrors { code } } }'


@pytest.fixture
async def way(database_url: str) -> AsyncIterator[CutConnection]:
    """The web process's way to its database."""
    async with cut_connection(database_url) as proxy:
        yield proxy


@pytest.fixture
async def web(settings: Settings, way: CutConnection) -> AsyncIterator[RunningServer]:
    """With deadlines as they are delivered, over the way that can be cut."""
    defaults = Settings.model_fields
    changes = {
        name: defaults[name].default for name in ("database_timeout_seconds", "redis_timeout_seconds", "database_pool_size")
    }
    async with run_web(settings.model_copy(update=changes | {"database_url": SecretStr(way.url)})) as running:
        yield running


async def settle(web: RunningServer, *readers: str) -> None:
    """The readers' copies are made behind their answers."""
    for reader in readers:
        await read(web, reader)
    await asyncio.sleep(0.2)


async def read(web: RunningServer, reader: str, **variables: Any) -> Any:
    """A complete page."""
    return (await web.data(FEED, token_for(reader), **variables))["feed"]


def texts(feed: Any) -> list[str]:
    return [edge["node"]["text"] for edge in feed["edges"]]


async def publish(web: RunningServer, author: str, text: str) -> str:
    made: str = (await done(web, author, "createPost", "post { id }", text=text))["post"]["id"]
    return made


async def ask(web: RunningServer, reader: str, query: str = FEED, **variables: Any) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    answer = await web.post({"query": query, "variables": variables}, token=token_for(reader))
    return answer, time.monotonic() - began


def shown_away(answer: httpx.Response) -> Any:
    """The page of an answer that was given without the database, and without an error."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert "errors" not in body, body
    feed = body["data"]["feed"]
    assert feed["status"]["complete"] is False
    assert feed["status"]["degradations"] == ["DATABASE_UNAVAILABLE"]
    return feed


async def heal(web: RunningServer, reader: str) -> Any:
    """The first complete page afterwards."""
    async with asyncio.timeout(15):
        while True:
            answer = (await ask(web, reader))[0].json()
            if "errors" not in answer and answer["data"]["feed"]["status"]["complete"]:
                return answer["data"]["feed"]
            await asyncio.sleep(0.1)


async def small_world(web: RunningServer) -> None:
    """Bob reads what ada writes, and what she passes on of rita's."""
    for name in ("ada", "carl"):
        await done(web, "bob", "followUser", userId=await account(web, name))
    await done(web, "bob", "followHashtag", name="news")
    await publish(web, "ada", "first")
    await publish(web, "rita", "some #news")
    other = await publish(web, "rita", "by rita")
    for name in ("carl", "ada"):
        await done(web, name, "sharePost", postId=other)
    await done(web, "ada", "sharePost", postId=other, text="a quote")
    await settle(web, "bob", "ada")


async def test_many_at_once_are_answered_in_time_while_postgres_hangs(web: RunningServer, servers: EmbeddedServers) -> None:
    await small_world(web)
    expected = await read(web, "bob")
    with stopped_postgres(servers.pids["postgres"]):
        asked = [ask(web, "bob") for _ in range(30)] + [ask(web, "ada", WRITE) for _ in range(5)] + [ask(web, "cold")]
        answers = await asyncio.gather(*asked)
        slowest = max(seconds for _, seconds in answers)
        for answer, _ in answers[:30]:
            feed = shown_away(answer)
            assert feed["edges"] == expected["edges"]
            assert feed["status"]["state"] == "END_OF_FEED"
        for answer, _ in answers[30:]:
            assert codes(answer.json()) == ["UNAVAILABLE"]
        # By now everybody knows: nobody waits any more.
        again = await asyncio.gather(ask(web, "bob"), ask(web, "ada", WRITE), ask(web, "cold"))
        shown_away(again[0][0])
        assert [codes(answer.json()) for answer, _ in again[1:]] == [["UNAVAILABLE"]] * 2
    print("slowest", slowest, [seconds for _, seconds in again])
    assert slowest < PROMISED_SECONDS + SLACK_SECONDS
    assert max(seconds for _, seconds in again) < PROMISED_SECONDS
    assert (await heal(web, "bob"))["edges"] == expected["edges"]
    assert await publish(web, "ada", "after")
    assert texts(await read(web, "bob"))[0] == "after"


async def test_refused_and_hanging_connections_are_the_same_outage(web: RunningServer, way: CutConnection) -> None:
    await small_world(web)
    expected = await read(web, "bob")
    for begin, end in ((way.cut, way.start), (way.hang, way.flow)):
        if (waiting := begin()) is not None:
            await waiting
        for _ in range(3):
            answer, seconds = await ask(web, "bob")
            assert shown_away(answer)["edges"] == expected["edges"]
            assert seconds < PROMISED_SECONDS
            answer, seconds = await ask(web, "ada", WRITE)
            assert codes(answer.json()) == ["UNAVAILABLE"]
            assert seconds < PROMISED_SECONDS
        if (waiting := end()) is not None:
            await waiting
        assert (await heal(web, "bob"))["edges"] == expected["edges"]


async def test_what_was_hidden_before_the_outage_is_not_shown_in_it(web: RunningServer, way: CutConnection) -> None:
    people = {name: await account(web, name) for name in ("ada", "ben", "cleo", "dora", "eve", "finn")}
    for name in people:
        await done(web, "bob", "followUser", userId=people[name])
    deleted = await publish(web, "ada", "deleted")
    for name in people:
        await publish(web, name, f"by {name}")
    bob = await account(web, "bob")
    await settle(web, "bob")
    await done(web, "ada", "deletePost", postId=deleted)
    await done(web, "ben", "blockUser", userId=bob)
    await done(web, "bob", "muteUser", userId=people["cleo"])
    await done(web, "bob", "unfollowUser", userId=people["dora"])
    await done(web, "eve", "updateProfile", isPrivate=True)
    await done(web, "eve", "removeFollower", userId=bob)
    await way.cut()
    feed = shown_away((await ask(web, "bob"))[0])
    assert texts(feed) == ["by finn", "by ada"]
    await way.start()
    assert texts(await heal(web, "bob")) == ["by finn", "by ada"]


async def test_walking_goes_on_within_the_copy_and_ends_there(web: RunningServer, way: CutConnection) -> None:
    await done(web, "bob", "followUser", userId=await account(web, "ada"))
    for number in range(8):
        await publish(web, "ada", f"post {number}")
    expected = await read(web, "bob", first=6)
    await asyncio.sleep(0.2)
    await way.cut()
    first = shown_away((await ask(web, "bob", first=4))[0])
    assert first["status"]["state"] == "READY"
    second = shown_away((await ask(web, "bob", first=4, after=first["pageInfo"]["endCursor"]))[0])
    assert second["pageInfo"]["hasNextPage"]
    assert first["edges"] + second["edges"] == expected["edges"]
    beyond, _ = await ask(web, "bob", first=4, after=second["pageInfo"]["endCursor"])
    assert codes(beyond.json()) == ["UNAVAILABLE"]
    await way.start()
    await heal(web, "bob")
    rest = await read(web, "bob", first=4, after=second["pageInfo"]["endCursor"])
    assert texts(rest) == ["post 1", "post 0"]


async def test_a_killed_postgres_comes_back_without_a_restart_of_the_web(settings: Settings, tmp_path: Path) -> None:
    # Where commits are not waited for, whoever is killed forgets the last ones.
    server = EmbeddedPostgres(tmp_path / "postgres", durable=True)
    server.start()
    try:
        await upgrade(server.url)
        timeout = Settings.model_fields["database_timeout_seconds"].default
        changes = {"database_url": SecretStr(server.url), "database_timeout_seconds": timeout}
        async with run_web(settings.model_copy(update=changes)) as web:
            await small_world(web)
            expected = await read(web, "bob")
            os.kill(server.pid, signal.SIGKILL)
            answers = await asyncio.gather(*(ask(web, "bob") for _ in range(10)), ask(web, "ada", WRITE), ask(web, "cold"))
            for answer, seconds in answers:
                assert seconds < PROMISED_SECONDS + SLACK_SECONDS
                if answer in [one for one, _ in answers[:10]]:
                    assert shown_away(answer)["edges"] == expected["edges"]
                else:
                    assert codes(answer.json()) == ["UNAVAILABLE"]
            await asyncio.to_thread(server.stop)
            server.start()
            assert (await heal(web, "bob"))["edges"] == expected["edges"]
            assert await publish(web, "ada", "after")
    finally:
        server.stop()
