"""Posts of several requests in one statement: each is answered as if it had been alone, and nobody is held up by another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from domain.errors import UnavailableError
from domain.records import Visibility
from services.posts import gathered_posts
from services.posts.publish_post import publish_post
from settings import Settings
from tests.count_queries import count_queries
from tests.databases import backends_with
from tests.world import World

_NO_LIMIT = 60.0


@pytest.fixture
async def people(world: World) -> World:
    await world.add("ada", "bob", "cat")
    await world.post("ada", "#known #other")
    async with world.backends.database.writing() as session:
        await session.execute(text("DELETE FROM posts"))
        await session.execute(text("DELETE FROM outbox"))
    return world


def begin(world: World, author: str, body: str) -> asyncio.Task[int]:
    return asyncio.create_task(world.post(author, body))


async def texts(world: World) -> list[str]:
    async with world.backends.database.reading() as session:
        return list((await session.execute(text("SELECT text FROM posts ORDER BY id"))).scalars())


async def until_sent(world: World) -> None:
    """A statement of several posts waits for a lock."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%AS given%'")
    async with world.backends.database.reading() as session:
        for _ in range(500):
            if (await session.execute(waiting)).scalar_one():
                return
            await asyncio.sleep(0.01)
    pytest.fail("nothing waits")


@contextlib.asynccontextmanager
async def held(database_url: str, *statements: str) -> AsyncIterator[Any]:
    """Somebody's transaction that has done this much and does not end before the block."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("BEGIN")
        for statement in statements:
            await connection.execute(statement)
        yield connection
    finally:
        await connection.close()


# What is inserted into it waits, whoever does it.
_HELD_OUTBOX = "LOCK TABLE outbox IN SHARE MODE"


async def test_those_of_one_turn_share_a_statement(people: World) -> None:
    with count_queries(people.backends) as counted:
        made = await asyncio.gather(*(people.post("ada", f"{number}") for number in range(5)))
    assert len(counted.statements) == 1
    assert made == sorted(made), "in the order in which they came"
    assert await texts(people) == [str(number) for number in range(5)]


async def test_ids_keep_the_order_where_the_sequence_begins_anew(people: World) -> None:
    for turn in range(5):
        async with people.backends.database.writing() as session:
            await session.execute(text("SELECT setval('id_sequence', 4085)"))
        made = await asyncio.gather(*(people.post("ada", f"{turn} {number}") for number in range(20)))
        assert made == sorted(made)


async def test_others_gather_while_one_is_under_way(people: World, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered_posts, "_PATIENCE_SECONDS", _NO_LIMIT)
    with count_queries(people.backends) as counted:
        async with held(database_url, _HELD_OUTBOX):
            first = begin(people, "ada", "first")
            await until_sent(people)
            others = [begin(people, name, f"of {name}") for name in ("bob", "cat", "bob")]
            await asyncio.sleep(0.05)
        await asyncio.gather(first, *others)
    assert sum("INSERT INTO posts" in statement for statement in counted.statements) == 2
    assert await texts(people) == ["first", "of bob", "of cat", "of bob"]


async def test_one_that_takes_long_is_passed(people: World, database_url: str) -> None:
    async with held(database_url, _HELD_OUTBOX):
        tasks = [begin(people, "ada", "first")]
        await until_sent(people)
        with count_queries(people.backends) as counted:
            tasks.append(begin(people, "bob", "second"))
            while not counted.statements:
                await asyncio.sleep(0.01)
            tasks.append(begin(people, "cat", "third"))
            while len(counted.statements) < 2:
                await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    assert sorted(await texts(people)) == ["first", "second", "third"]


@pytest.mark.parametrize(("posts", "size", "rounds"), [(10, 1_000_000, 4), (1_000, 1_000, 4), (1_000, 10, 35)])
async def test_rounds_are_bounded(people: World, monkeypatch: pytest.MonkeyPatch, posts: int, size: int, rounds: int) -> None:
    monkeypatch.setattr(gathered_posts, "_MAX_POSTS", posts)
    monkeypatch.setattr(gathered_posts, "_MAX_BYTES", size)
    monkeypatch.setattr(gathered_posts, "_PATIENCE_SECONDS", _NO_LIMIT)
    with count_queries(people.backends) as counted:
        made = await asyncio.gather(*(people.post("ada", f"{number:02} {'x' * 35}") for number in range(35)))
    assert len(counted.statements) == rounds
    assert made == sorted(made)


@pytest.mark.parametrize("mode", ["FOR UPDATE", "FOR NO KEY UPDATE"])
async def test_an_account_held_by_somebody_delays_its_own_post_alone(people: World, database_url: str, mode: str) -> None:
    async with held(database_url, f"SELECT FROM users WHERE username = 'bob' {mode}"):
        late = begin(people, "bob", "of bob")
        await asyncio.gather(*(people.post(name, f"of {name}") for name in ("ada", "cat")))
        await asyncio.gather(*(people.post(name, f"again of {name}") for name in ("ada", "cat")))
        assert not late.done()
        assert len(await texts(people)) == 4
    await late
    assert "of bob" in await texts(people)


@pytest.mark.parametrize(
    "statement",
    ["SELECT FROM hashtags WHERE name = 'known' FOR NO KEY UPDATE", "INSERT INTO hashtags (name) VALUES ('fresh')"],
)
async def test_a_hashtag_held_by_somebody_delays_its_own_posts_alone(people: World, database_url: str, statement: str) -> None:
    async with held(database_url, statement):
        late = begin(people, "bob", "late #known #fresh #other")
        await asyncio.gather(*(people.post(name, f"{name} #other") for name in ("ada", "cat")))
        assert sorted(await texts(people)) == ["ada #other", "cat #other"]
        assert not late.done()
    await late
    async with people.backends.database.reading() as session:
        rows = await session.execute(text("SELECT name, post_count FROM hashtags"))
        # Two were counted before the test.
        assert {row[0]: row[1] for row in rows} == {"known": 2, "other": 4, "fresh": 1}


async def test_one_that_is_refused_fails_alone(people: World) -> None:
    async with people.backends.database.writing() as session:
        await session.execute(text("ALTER TABLE posts ADD CONSTRAINT good CHECK (text <> 'bad')"))
    bodies = ["a", "bad", "b", "c #known"]
    with count_queries(people.backends) as counted:
        found = await asyncio.gather(*(people.post("ada", body) for body in bodies), return_exceptions=True)
    assert isinstance(found[1], asyncpg.CheckViolationError)
    assert len(counted.statements) == 5, "once together, then each alone"
    assert sorted(await texts(people)) == ["a", "b", "c #known"]
    async with people.backends.database.reading() as session:
        assert (await session.execute(text("SELECT count(*) FROM outbox"))).scalar_one() == 3


async def test_who_goes_before_it_is_sent_has_published_nothing(
    people: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered_posts, "_PATIENCE_SECONDS", _NO_LIMIT)
    async with held(database_url, _HELD_OUTBOX):
        first = begin(people, "ada", "first")
        await until_sent(people)
        gone, stays = begin(people, "bob", "gone"), begin(people, "cat", "stays")
        await asyncio.sleep(0.02)
        gone.cancel()
    await asyncio.gather(first, stays)
    assert gone.cancelled()
    assert await texts(people) == ["first", "stays"]


async def test_who_goes_while_a_connection_is_waited_for_has_published_nothing(people: World) -> None:
    places = people.backends.database._at_once
    taken = 0
    with contextlib.suppress(TimeoutError):
        while True:  # also those that something before the test still has for a moment
            await asyncio.wait_for(places.acquire(), 0.2)
            taken += 1
    gone, stays = begin(people, "bob", "gone"), begin(people, "cat", "stays")
    await asyncio.sleep(0.02)
    gone.cancel()
    await asyncio.sleep(0)
    for _ in range(taken):
        places.release()
    await stays
    assert await texts(people) == ["stays"]


async def test_who_goes_afterwards_takes_nobody_along(people: World, database_url: str) -> None:
    async with held(database_url, _HELD_OUTBOX):
        tasks = [begin(people, name, f"of {name}") for name in ("ada", "bob", "cat")]
        await until_sent(people)
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
    await asyncio.gather(*tasks[1:])
    assert tasks[0].cancelled()
    assert await texts(people) == ["of ada", "of bob", "of cat"], "what was sent is written"


@pytest.mark.parametrize("how", ["deadline", "lost"])
async def test_nobody_writes_again_where_the_answer_is_missing(
    people: World, settings: Settings, database_url: str, how: str
) -> None:
    async with backends_with(settings, database_timeout_seconds=1.0 if how == "deadline" else 10.0) as backends:
        other = World(backends, people.ids)
        await other.post("ada", "warm")
        with count_queries(backends) as counted:
            async with held(database_url, _HELD_OUTBOX) as connection:
                tasks = [begin(other, name, f"of {name} #known") for name in ("ada", "bob", "cat")]
                if how == "lost":
                    await until_sent(people)
                    await connection.fetch(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    )
                found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in found] == [UnavailableError] * 3
        assert len({id(one) for one in found}) == 3, "each has its own"
        assert sum("INSERT INTO posts" in statement for statement in counted.statements) == 1
    assert await texts(people) == ["warm"]


async def test_who_is_gathered_when_the_process_ends_is_told(
    people: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered_posts, "_PATIENCE_SECONDS", _NO_LIMIT)
    monkeypatch.setattr(gathered_posts, "_CLOSE_SECONDS", 0.2)
    gathered = people.backends.gathered_posts
    async with held(database_url, _HELD_OUTBOX):
        sent = begin(people, "ada", "sent")
        await until_sent(people)
        waits = begin(people, "bob", "waits")
        await asyncio.sleep(0.02)
        await gathered.close()
        found = await asyncio.gather(sent, waits, begin(people, "cat", "comes late"), return_exceptions=True)
    assert [type(one) for one in found] == [UnavailableError] * 3
    assert "waits" not in await texts(people)


async def test_what_is_under_way_when_the_process_ends_is_waited_for(people: World, database_url: str) -> None:
    async with held(database_url, _HELD_OUTBOX):
        sent = begin(people, "ada", "sent")
        await until_sent(people)
        closing = asyncio.create_task(people.backends.gathered_posts.close())
        await asyncio.sleep(0.05)
    await closing
    assert await sent
    assert await texts(people) == ["sent"]


async def test_those_under_way_at_once_are_seen_by_whom_they_are_for(people: World) -> None:
    await people.follow("bob", "ada")
    await people.follow("cat", "ada")
    await people.follow("ada", "bob")
    shown = await asyncio.gather(*(people.post("ada", kind.value, kind) for kind in Visibility))
    by_kind = dict(zip(Visibility, shown, strict=True))
    for viewer, kinds in (
        ("ada", set(Visibility)),
        ("bob", {Visibility.PUBLIC, Visibility.FRIENDS}),
        ("cat", {Visibility.PUBLIC}),
    ):
        assert set(await people.walk(viewer)) == {by_kind[kind] for kind in kinds}


async def test_one_alone_waits_for_nobody(people: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered_posts, "_PATIENCE_SECONDS", _NO_LIMIT)
    author_id = people.ids["ada"]
    async with asyncio.timeout(5):
        for number in range(3):
            await publish_post(
                people.backends, author_id=author_id, body=f"{number}", visibility=Visibility.PUBLIC, location=None
            )
    assert await texts(people) == ["0", "1", "2"]
