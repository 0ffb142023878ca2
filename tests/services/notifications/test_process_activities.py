"""Batches: all or nothing, again and again, by several at once, and past what cannot be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from db import activities
from db.database import WriteSession
from db.notification_groups import lock_recipients
from domain.errors import UnavailableError
from services.notifications import form_groups as forming
from services.notifications import process_activities as processing
from services.notifications.find_deeds import find_deeds
from services.notifications.process_activities import process_activities
from tests.services.graph.facts import execute
from tests.services.notifications.telling import Telling

STATE = (
    "SELECT id, place FROM notifications ORDER BY 1",
    "SELECT notification_id, actor_id, withdrawn_at FROM notification_actors ORDER BY 1, 2",
    "SELECT follower_id, followee_id, interaction_score FROM follows ORDER BY 1, 2",
    "SELECT id FROM activities ORDER BY 1",
)


async def state(telling: Telling) -> list[Any]:
    return [await telling.rows(statement) for statement in STATE]


class CrashError(Exception):
    """A worker that dies."""


def crash_after(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def crashing(*args: Any, **kwargs: Any) -> Any:
        await function(*args, **kwargs)
        raise CrashError

    return crashing


STEPS = [
    (processing, "load_activity_facts"),
    (processing, "lock_recipients"),
    (processing, "find_deeds"),
    (processing, "only_allowed"),
    (forming, "withdraw"),
    (forming, "begin_groups"),
    (forming, "join_groups"),
    (forming, "move_to_top"),
    (processing, "form_groups"),
    (processing, "score_interactions"),
    (activities, "delete_activities"),
]


async def test_a_crash_at_any_step_leaves_everything_as_it_was(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    await telling.world.follow("bob", "ada")
    post_id = await telling.world.post("ada", "@dan")
    await telling.like("cat", post_id)
    await telling.like("dan", post_id)
    await telling.process()
    await telling.like("bob", post_id)
    await telling.unlike("cat", post_id)
    await telling.comment("bob", post_id, "@cat")
    before = await state(telling)
    for module, name in STEPS:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, crash_after(getattr(module, name)))
            # What a crash does not do: trying the rows one by one.
            patched.setattr(processing, "_process_one_by_one", crash_after(asyncio.sleep))
            with pytest.raises((CrashError, TypeError)):
                await process_activities(telling.backends)
        assert await state(telling) == before, name
    assert ("LIKE", post_id, ("bob", "dan"), 2) in await telling.told("ada")
    assert await telling.rows("SELECT interaction_score FROM follows") == [(3.0,)]


async def test_one_bad_row_is_parked_and_holds_up_nobody(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    post_id = await telling.world.post("ada")
    await telling.process()
    for name in ("bob", "cat", "dan"):
        await telling.like(name, post_id)
    bad = telling.world.ids["cat"]

    async def fail_on_cat(session: WriteSession, rows: Any, facts: Any) -> Any:
        assert all(row.actor_id != bad for row in rows), "planted"
        return await find_deeds(session, rows, facts)

    monkeypatch.setattr(processing, "find_deeds", fail_on_cat)
    monkeypatch.setattr(processing, "MAX_FAILURES", 2)
    processed = await process_activities(telling.backends)
    assert (processed.taken, processed.failed) == (3, 1)
    (only,) = (await telling.page("ada")).nodes
    assert only.actor_count == 2
    assert (await process_activities(telling.backends)).taken == 0, "due later"
    await execute(telling.world, "UPDATE activities SET next_attempt_at = clock_timestamp()")
    assert (await process_activities(telling.backends)).failed == 1
    await execute(telling.world, "UPDATE activities SET next_attempt_at = clock_timestamp()")
    assert (await process_activities(telling.backends)).taken == 0
    async with telling.backends.database.reading() as session:
        totals = await activities.count_activities(session)
        assert await activities.load_waiting_seconds(session) is None
    assert (totals.open, totals.parked) == (0, 1)
    assert await telling.rows("SELECT failures, last_error FROM activities") == [(2, "AssertionError")]


async def test_a_server_that_is_away_costs_nobody_a_failure(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    await telling.like("bob", await telling.world.post("ada"))

    async def be_away(*_args: object, **_more: object) -> Any:
        raise UnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(processing, "load_activity_facts", be_away)
        patched.setattr(processing, "_note_failure", be_away)
        with pytest.raises(UnavailableError):
            await process_activities(telling.backends)
    assert {row[0] for row in await telling.rows("SELECT failures FROM activities")} == {0}
    assert len(await telling.told("ada")) == 1


async def test_several_workers_lose_nobody_and_double_nothing(telling: Telling) -> None:
    names = [f"liker{number}" for number in range(16)]
    await telling.world.add(*names)
    posts = [await telling.world.post("ada"), await telling.world.post("eve")]
    await telling.process()

    async def work() -> None:
        while (await process_activities(telling.backends, size=3)).taken:
            pass

    async def act(name: str) -> None:
        for post_id in posts:
            await telling.like(name, post_id)
        await telling.world.follow(name, "ada")
        await telling.unlike(name, posts[0])
        await telling.like(name, posts[0])
        if name in names[::4]:
            await telling.unlike(name, posts[1])

    for start in range(0, len(names), 4):
        await asyncio.gather(*(act(name) for name in names[start : start + 4]), work(), work(), work())
    await telling.process()
    liked = {(told[0], told[1]): told[3] for told in await telling.told("ada") + await telling.told("eve")}
    assert liked == {("LIKE", posts[0]): 16, ("FOLLOW", None): 16, ("LIKE", posts[1]): 12}
    doubled = "SELECT recipient_id, kind, post_id FROM notifications GROUP BY 1, 2, 3 HAVING count(*) > 1"
    assert await telling.rows(doubled) == []


async def test_the_end_of_a_like_is_not_overtaken_by_its_beginning(telling: Telling) -> None:
    """A worker that took the like waits for the recipient's lock while the like ends: it sees that when it goes on."""
    post_id = await telling.world.post("ada")
    await telling.process()
    await telling.like("bob", post_id)
    async with telling.backends.database.writing() as session:
        await lock_recipients(session, [telling.world.ids["ada"]])
        late = asyncio.create_task(process_activities(telling.backends))
        async with asyncio.timeout(10):
            while not await telling.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await telling.unlike("bob", post_id)
    await late
    assert await telling.told("ada") == []


async def test_a_follow_that_is_being_changed_is_waited_for_by_nobody(telling: Telling) -> None:
    await telling.world.follow("bob", "ada")
    post_id = await telling.world.post("ada")
    await telling.process()
    await telling.like("bob", post_id)
    score = "SELECT interaction_score, interaction_at IS NULL FROM follows"
    async with telling.backends.database.writing() as session:
        await session.execute(text("SELECT 1 FROM follows FOR UPDATE"))
        assert (await process_activities(telling.backends)).taken == 1
        assert ("LIKE", post_id, ("bob",), 1) in await _told_now(telling, "ada")
        assert await telling.rows(score) == [(0.0, True)]
    await execute(telling.world, "UPDATE activities SET next_attempt_at = clock_timestamp()")
    await telling.process()
    assert await telling.rows(score) == [(1.0, False)]
    assert await telling.rows("SELECT 1 FROM activities") == []


async def _told_now(telling: Telling, name: str) -> list[Any]:
    names = {number: known for known, number in telling.world.ids.items()}
    return [
        (one.kind.value, one.post_id, tuple(names[actor] for actor in one.actor_ids), one.actor_count)
        for one in (await telling.page(name)).nodes
    ]
