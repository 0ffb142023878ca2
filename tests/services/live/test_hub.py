"""The hub at its edges: what is under way, cursors that cannot be, targets that are full, accounts that are suspended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import text

from db.live_events import _CHECKPOINT
from domain.moderation import ModerationChange
from domain.snapshots import Snapshot
from services.feeds.feed_cursors import Moment, open_moment
from services.feeds.wire_events import Beat, NewPost, ResetFeed, WireEvent
from services.live.hub import LiveHub
from services.live.watch_feed import read_missed_events
from services.live.watcher import LiveTarget, Watcher, WatcherState
from services.moderation.moderate_account import moderate_account
from tests.live_hub import running_hub
from tests.world import World


class Target:
    """Takes everything, and notes it."""

    wants_changes = True

    def __init__(self) -> None:
        self.has_room = True
        self.events: list[WireEvent] = []

    def take(self, events: Sequence[WireEvent]) -> None:
        self.events += events

    def end(self, error: Exception) -> None:
        raise error

    @property
    def posts(self) -> list[int]:
        return [event.edge.node.id for event in self.events if isinstance(event, NewPost)]


async def eventually(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


@pytest.fixture
async def world(world: World) -> World:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    return world


async def moment_of(world: World, name: str) -> Moment:
    return open_moment(world.backends.sealer, world.ids[name], (await world.page(name)).event_cursor)


async def joined(hub: LiveHub, world: World, target: Target, moment: Moment) -> Watcher:
    watcher = hub.join(world.ids["bob"], target, moment)
    await eventually(lambda: watcher.state is WatcherState.LIVE)
    return watcher


async def test_a_last_cursor_does_not_stand_behind_what_is_not_sent_yet(world: World) -> None:
    gate = asyncio.Event()
    arrived = asyncio.Event()

    async def deliver(deliveries: Sequence[tuple[LiveTarget, Sequence[WireEvent]]]) -> None:
        arrived.set()
        await gate.wait()
        for target, events in deliveries:
            target.take(events)

    moment = await moment_of(world, "bob")
    async with running_hub(world.backends, deliver=deliver) as hub:
        target = Target()
        watcher = await joined(hub, world, target, moment)
        post = await world.post("ada")
        await world.drain()
        await asyncio.wait_for(arrived.wait(), 10)
        cursor = hub.last_cursor(watcher)
        assert cursor is not None
        missed = await read_missed_events(world.backends, viewer_id=world.ids["bob"], after=cursor, first=10)
        assert [event.edge.node.id for event in missed.events if isinstance(event, NewPost)] == [post]
        gate.set()
        await eventually(lambda: target.posts == [post])


async def test_a_cursor_from_the_future_is_a_reset_although_the_logs_know_its_place(world: World) -> None:
    moment = await moment_of(world, "bob")
    async with running_hub(world.backends) as hub:
        first = await joined(hub, world, Target(), moment)
        place = hub.registry.place_of(first)
        seen = Snapshot.parse(moment.seen)
        future = Moment(str(Snapshot(seen.xmin + 1_000_000, seen.xmax + 1_000_000, frozenset())), moment.as_of, logs=place)
        target = Target()
        hub.join(world.ids["bob"], target, future)
        await eventually(lambda: any(isinstance(event, ResetFeed) for event in target.events))
        post = await world.post("ada")
        await world.drain()
        await eventually(lambda: post in target.posts)


async def test_a_target_that_is_cut_short_gets_the_rest_later(world: World) -> None:
    moment = await moment_of(world, "bob")
    posts = [await world.post("ada") for _ in range(5)]
    await world.drain()
    watchers: list[Watcher] = []

    async def deliver(deliveries: Sequence[tuple[LiveTarget, Sequence[WireEvent]]]) -> None:
        for target, events in deliveries:
            for event in events:
                target.take([event])
                if event is not events[-1] and not target.has_room:
                    hub.cut_short(watchers[0], event.cursor)
                    break

    async with running_hub(world.backends, deliver=deliver) as hub:
        target = Target()
        target.has_room = False
        watchers.append(hub.join(world.ids["bob"], target, moment))
        await eventually(lambda: watchers[0].state is WatcherState.FULL)
        assert target.posts == posts[:1]
        more = await world.post("ada")
        await world.drain()
        target.has_room = True
        hub.go_on(watchers[0])
        await eventually(lambda: len(target.posts) == 6)
        assert target.posts == [*posts, more]


async def test_a_suspension_is_noticed_without_any_feed_and_without_workers(world: World) -> None:
    told: set[int] = set()
    async with running_hub(world.backends, on_suspended=told.update):
        await asyncio.sleep(1.2)
        await moderate_account(world.backends, username="ada", change=ModerationChange.SUSPEND)
        await eventually(lambda: world.ids["ada"] in told)


async def test_many_told_rows_are_read_anew_rather_than_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that stand still leave every row open: nobody can be moved on to a checkpoint."""
    monkeypatch.setattr("services.live.rounds.TOO_MANY_TOLD", 3)
    monkeypatch.setattr("services.live.rounds.LATE_SECONDS", 0.0)
    moment = await moment_of(world, "bob")
    async with running_hub(world.backends) as hub:
        target = Target()
        watcher = await joined(hub, world, target, moment)
        posts = [await world.post("ada") for _ in range(6)]
        await eventually(lambda: target.posts == posts)
        await eventually(lambda: not watcher.told and watcher.state is WatcherState.LIVE)
        posts.append(await world.post("ada"))
        await eventually(lambda: target.posts == posts)


async def test_what_was_told_before_its_fan_out_stays_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is blind to open rows; who has been told one by PostgreSQL is not."""
    monkeypatch.setattr("services.live.rounds.LATE_SECONDS", 0.0)
    monkeypatch.setattr("services.live.hub.TICK_SECONDS", 0.05)
    moment = await moment_of(world, "bob")
    post = await world.post("ada")
    async with running_hub(world.backends) as hub:
        target = Target()
        await joined(hub, world, target, moment)
        await eventually(lambda: target.posts == [post])
        await eventually(lambda: sum(isinstance(event, Beat) for event in target.events) >= 3)
        await world.drain()
        await asyncio.sleep(0.5)
        assert target.posts == [post]


async def test_a_parked_row_is_told_once_and_holds_nobody_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.live.rounds.LATE_SECONDS", 0.0)
    monkeypatch.setattr("services.live.hub.TICK_SECONDS", 0.05)
    moment = await moment_of(world, "bob")
    post = await world.post("ada")
    async with world.backends.database.writing() as session:
        await session.execute(text("UPDATE outbox SET parked_at = now() WHERE post_id = :id"), {"id": post})
    async with running_hub(world.backends) as hub:
        target = Target()
        watcher = await joined(hub, world, target, moment)
        await eventually(lambda: target.posts == [post])
        others = [await world.post("ada") for _ in range(3)]
        await world.drain()
        # In whichever order: each of them counts as late here, so PostgreSQL may tell one before the logs tell the others.
        await eventually(lambda: sorted(target.posts) == [post, *others])
        await eventually(lambda: not watcher.told and not watcher.seen.in_progress)
        async with world.backends.database.writing() as session:
            unpark = text("UPDATE outbox SET parked_at = NULL, next_attempt_at = now() WHERE post_id = :id")
            await session.execute(unpark, {"id": post})
        await world.drain()
        await asyncio.sleep(0.5)
        assert sorted(target.posts) == [post, *others]


async def test_a_checkpoint_looks_at_open_rows_alone(world: World) -> None:
    """However many closed ones there are: it is taken each second."""
    async with world.backends.database.writing() as session:
        await session.execute(
            text(
                "INSERT INTO outbox (kind, author_id, post_id, closed_at)"
                " SELECT 'post_edited', 1, n, now() FROM generate_series(1, 20000) AS n"
            )
        )
    async with world.backends.database.writing() as session:
        await session.execute(text("ANALYZE outbox"))
        plan = await session.execute(text(f"EXPLAIN {_CHECKPOINT.text}"), {"size": 256, "late_seconds": 2.0})
        lines = "\n".join(row[0] for row in plan)
    assert "Seq Scan" not in lines
    assert "outbox_pkey" not in lines
    assert "pk_outbox" not in lines
