"""Use case: keep one promise of the outbox.

May run twice, at once or later, with the same result. Progress is a keyset on the outbox row: each chunk of followers advances
it and renews the lease, only while the lease is still this attempt's own. A job runs a few seconds at most and then passes the
rest on, so that one author with very many followers never holds up the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from db import outbox, posts
from db.audiences import load_audience_version
from db.database import ReadSession
from db.outbox import LeasedEvent, OutboxKind
from db.posts import FanOutFacts
from domain.audience import choose_delivery
from domain.event_log import LogEntry
from domain.records import Delivery
from services.backends import Backends
from services.fan_out import audiences
from services.fan_out.audiences import ReceiverList
from services.fan_out.receiver_walk import ReceiverWalk
from services.fan_out.routes import choose_routes, entry_of, is_awaited
from services.fan_out.turns import LARGE_FROM

JOB_SECONDS = 0.5
"""Longest run of one job before it passes the rest on."""
BATCHES_UNDER_WAY = 2
"""Of one job in Redis, which carries them out without a pause in between: fewer, and Redis waits for this process; more, and
its other users wait for Redis (they read 65 % of their pages beside two, 60 % beside four, 43 % beside eight)."""


class Outcome(Enum):
    """How a job ended. GONE: closed already, or another attempt holds the lease. CONTINUES: send the same message again."""

    DONE = "done"
    CONTINUES = "continues"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a job did. `lag_seconds`: from the commit of the change to the last timeline, where it is DONE."""

    outcome: Outcome
    delivery: Delivery | None = None
    timelines_written: int = 0
    lag_seconds: float | None = None


async def deliver_event(backends: Backends, *, event_id: int, attempt: int) -> DeliveryReport:
    """Delivers a post or takes it back, as its event says, and tells the logs of all whom it concerns.

    Raises CacheUnavailableError or UnavailableError where a server is away: the row stays open and is tried again.
    """
    with backends.turns.small():
        begun = await _begin(backends, event_id, attempt)
    if isinstance(begun, DeliveryReport):
        return begun
    event, receivers = begun
    if event.follower_count >= LARGE_FROM:
        return await _serve_receivers(backends, event, receivers, gives_way=True)
    with backends.turns.small():
        return await _serve_receivers(backends, event, receivers, gives_way=False)


async def _begin(backends: Backends, event_id: int, attempt: int) -> DeliveryReport | tuple[LeasedEvent, ReceiverList | None]:
    """Everything but the followers: the report where there is nothing left to do, else what is to be served from."""
    lease_seconds = backends.policy.outbox_lease_seconds
    async with backends.database.at_once() as session:
        event = await outbox.hold_event(session, event_id, attempt=attempt, lease_seconds=lease_seconds)
        facts = await _load_facts(backends, session, event.post_id) if event is not None and event.post_id else None
    if event is None:
        return DeliveryReport(Outcome.GONE)
    entry = entry_of(event)
    if not event.post_id:
        await _tell_of_change(backends, event, entry)
        return await _close(backends, event, None, 0)
    if facts is None:
        return await _close(backends, event, None, 0)
    delivery = facts.delivery
    is_post_awaited = is_awaited(event, facts)
    if is_post_awaited:
        delivery = delivery or await _decide(backends, event.post_id, facts)
    if delivery is Delivery.PULL:
        # One list for all readers, written before the row is closed: whoever sees the closed row finds the post there.
        if event.kind is OutboxKind.POST_DELETED:
            await backends.pulled_posts.remove([event.author_id], event.post_id)
        elif is_post_awaited:
            await backends.pulled_posts.deliver([event.author_id], event.post_id)
    routes = choose_routes(event, facts, delivery)
    if event.last_follower_id == 0:
        await backends.log_writer.append([event.author_id], entry)
        if routes.to_all:
            await backends.log_writer.append_shared(entry)
    if not routes.to_receivers:
        return await _close(backends, event, delivery, 0)
    return event, await _find_list(backends, event, facts)


async def _tell_of_change(backends: Backends, event: LeasedEvent, entry: LogEntry) -> None:
    """A viewer's feed has changed, or an account in anybody's."""
    if event.kind is OutboxKind.FEED_CHANGED:
        await backends.log_writer.append([event.author_id], entry)
    else:
        await backends.log_writer.append_shared(entry)


async def _find_list(backends: Backends, event: LeasedEvent, facts: FanOutFacts) -> ReceiverList | None:
    """The receivers in memory, where that is worth it. Called when the delivery is decided and committed."""
    follower_count = facts.audience.follower_count
    if follower_count < audiences.WORTH_FROM:
        return None
    begins = event.last_follower_id == 0
    if begins and not backends.audiences.expects(event.author_id, follower_count):
        return None
    version = facts.audience_version
    if facts.delivery is None:
        # It was read before the decision: who began to follow in between would be missed.
        async with backends.database.at_once() as session:
            version = await load_audience_version(session, event.author_id)
    found = backends.audiences.known(event.author_id, version)
    if found is None and begins:
        found = await backends.audiences.load(backends.database, event.author_id, version)
    return found


async def _decide(backends: Backends, post_id: int, facts: FanOutFacts) -> Delivery:
    """Push or pull: chosen once and stored before the first timeline is written."""
    choice = choose_delivery(facts.audience, backends.policy.audience_rule)
    database = backends.database
    # To push is one statement; the first pulled post of an author changes more in the same transaction.
    async with database.at_once() if choice is Delivery.PUSH else database.writing() as session:
        if await posts.decide_delivery(session, post_id, author_id=facts.author_id, delivery=choice):
            return choice
        decided = await _load_facts(backends, session, post_id)
    assert decided is not None, "decided by another attempt, so both exist"
    assert decided.delivery is not None, "decided by another attempt, so both exist"
    return decided.delivery


async def _load_facts(backends: Backends, session: ReadSession, post_id: int) -> FanOutFacts | None:
    return await posts.load_fan_out_facts(session, post_id, writes_per_second=backends.policy.fanout_writes_per_second)


async def _serve_receivers(
    backends: Backends, event: LeasedEvent, receivers: ReceiverList | None, *, gives_way: bool
) -> DeliveryReport:
    walk = ReceiverWalk(backends, event, receivers)
    delivery = _Delivery(backends, event)
    stop_at = time.monotonic() + JOB_SECONDS
    size = backends.policy.fanout_cache_batch
    is_last, has_lease = False, True
    try:
        while not is_last and has_lease:
            chunk, is_last = await walk.next()
            for start in range(0, len(chunk), size):
                if gives_way:
                    await backends.turns.give_way()
                batch = chunk[start : start + size]
                ends_chunk = start + size >= len(chunk) and not is_last
                has_lease = has_lease and await delivery.serve(batch, ends_chunk=ends_chunk)
            if time.monotonic() >= stop_at:
                break
        has_lease = await delivery.finish() and has_lease
    finally:
        await walk.close()
        await delivery.give_up()
    if not has_lease:
        return DeliveryReport(Outcome.GONE, Delivery.PUSH, delivery.written)
    if is_last:
        return await _close(backends, event, Delivery.PUSH, delivery.written)
    return DeliveryReport(Outcome.CONTINUES, Delivery.PUSH, delivery.written)


class _Delivery:
    """Batches on their way, a few at a time and in order, so that Redis need not wait for this process.

    Behind the last batch of a chunk the progress is noted, while the next chunk is served; one note at a time: whoever goes on
    after a crash serves two chunks again, and what was on its way.
    """

    def __init__(self, backends: Backends, event: LeasedEvent) -> None:
        self._backends = backends
        self._event = event
        self._entry = entry_of(event)
        self._under_way: deque[tuple[asyncio.Task[int], int | None]] = deque()
        self._noting: asyncio.Task[bool] | None = None
        self.written = 0
        """Timelines that hold the post now."""

    async def serve(self, receiver_ids: Sequence[int], *, ends_chunk: bool) -> bool:
        """Sends a batch on its way. False where another attempt holds the lease."""
        has_lease = len(self._under_way) < BATCHES_UNDER_WAY or await self._settle()
        task = asyncio.get_running_loop().create_task(_serve(self._backends, self._event, self._entry, receiver_ids))
        self._under_way.append((task, receiver_ids[-1] if ends_chunk else None))
        return has_lease

    async def finish(self) -> bool:
        """Waits for all of it. False where another attempt holds the lease."""
        has_lease = True
        while self._under_way:
            has_lease = await self._settle() and has_lease
        return await self._noted() and has_lease

    async def give_up(self) -> None:
        """Nothing of this job goes on behind its back."""
        for task, _ in self._under_way:
            task.cancel()
        await asyncio.gather(*(task for task, _ in self._under_way), return_exceptions=True)
        if self._noting is not None:
            with contextlib.suppress(Exception):
                await self._noting

    async def _settle(self) -> bool:
        task, last_follower_id = self._under_way.popleft()
        self.written += await task
        if last_follower_id is None:
            return True
        has_lease = await self._noted()
        self._noting = asyncio.get_running_loop().create_task(_note_progress(self._backends, self._event, last_follower_id))
        return has_lease

    async def _noted(self) -> bool:
        if self._noting is None:
            return True
        noting, self._noting = self._noting, None
        return await noting


async def _note_progress(backends: Backends, event: LeasedEvent, last_follower_id: int) -> bool:
    """False where another attempt holds the lease."""
    async with backends.database.at_once() as session:
        return await outbox.advance_event(
            session,
            event.id,
            attempt=event.attempt,
            last_follower_id=last_follower_id,
            lease_seconds=backends.policy.outbox_lease_seconds,
        )


async def _serve(backends: Backends, event: LeasedEvent, entry: LogEntry, viewer_ids: Sequence[int]) -> int:
    """Timelines and logs of some receivers, each in one step; how many timelines hold the post now."""
    if event.kind is OutboxKind.POST_PUBLISHED:
        return await backends.timelines.deliver(viewer_ids, event.post_id, entry)
    if event.kind is OutboxKind.POST_DELETED:
        await backends.timelines.remove(viewer_ids, event.post_id, entry)
    else:
        await backends.log_writer.append(viewer_ids, entry)
    return 0


async def _close(backends: Backends, event: LeasedEvent, delivery: Delivery | None, written: int) -> DeliveryReport:
    async with backends.database.at_once() as session:
        lag_seconds = await outbox.close_event(session, event.id, attempt=event.attempt)
    if lag_seconds is None:
        return DeliveryReport(Outcome.GONE, delivery, written)
    backends.observer.post_was_delivered(
        outcome=delivery.value if delivery else "none", lag_seconds=lag_seconds, timelines=written
    )
    return DeliveryReport(Outcome.DONE, delivery, written, lag_seconds)
