"""Use case: new posts as they reach the viewer's home feed, each once, in order of arrival, from a cursor on."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta

from db.database import ReadSession
from db.feed_candidates import load_feed_viewer
from db.live_events import load_missed_by, take_moment
from domain.errors import FeedResetError
from domain.feed import FeedEntry
from domain.feed_rule import Verdict
from domain.records import Delivery
from domain.snapshots import Snapshot
from services.backends import Backends
from services.feeds.feed_cursors import Moment, open_moment, seal_moment
from services.feeds.feed_entry import make_entry
from services.feeds.foretell_delivery import foretell_deliveries, with_delivery
from services.feeds.judge_reasons import ReasonJudge
from services.feeds.live_feed import LiveFeed
from services.feeds.published_facts import JUDGED_SECONDS
from services.feeds.wire_events import NewPost

MAX_REPLAYED = 1_000
"""Missed posts that are replayed; a client that missed more reads its feed again."""
_RETENTION_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Missed:
    """A publication that the viewer has not been told of, with its place in the outbox."""

    event_id: int
    transaction_id: int
    entry: FeedEntry


async def watch_home_feed(
    backends: Backends, live_feed: LiveFeed, *, viewer_id: int, after: str | None
) -> AsyncGenerator[NewPost]:
    """Ends only when the caller stops. Holds no database connection while it waits.

    Raises InvalidCursorError, FeedResetError (the cursor is too old, or of another database), UnavailableError.
    """
    moment = open_moment(backends.sealer, viewer_id, after) if after is not None else None
    # Join first, then look back: what is published in between comes twice and is dropped, but is never missing.
    watcher = await live_feed.join(viewer_id)
    try:
        if moment is None:
            async with backends.database.reading() as session:
                moment = Moment(*await take_moment(session))
        else:
            moment, missed = await _catch_up(backends, live_feed, viewer_id, moment)
            async with aclosing(_replay(backends, live_feed, viewer_id, missed)) as events:
                async for event in events:
                    yield event
        seen = Snapshot.parse(moment.seen)
        while True:
            batch = await watcher.queue.get()
            if watcher.is_behind:
                watcher.is_behind = False
                while not watcher.queue.empty():
                    watcher.queue.get_nowait()
                moment, missed = await _catch_up(backends, live_feed, viewer_id, moment)
                async with aclosing(_replay(backends, live_feed, viewer_id, missed)) as events:
                    async for event in events:
                        yield event
                seen = Snapshot.parse(moment.seen)
                continue
            fresh = [post for post in batch.posts if not seen.sees(post.transaction_id)]
            if not fresh:
                continue
            told, moment, seen = moment, Moment(batch.snapshot_text, batch.as_of), batch.snapshot
            for number, post in enumerate(fresh, start=1):
                await batch.facts.refresh(backends.database)
                entry = batch.facts.entry(backends.sealer, post.post_id, viewer_id=viewer_id)
                if entry is not None:
                    place = _behind(post.event_id, told, moment, is_last=number == len(fresh))
                    yield NewPost(
                        seal_moment(backends.sealer, viewer_id, place),
                        entry,
                        batch.facts.shared(entry),
                    )
    finally:
        live_feed.leave(watcher)


async def take_cursor(backends: Backends, viewer_id: int) -> str:
    """An event cursor of now. Raises UnavailableError."""
    async with backends.database.reading() as session:
        return seal_moment(backends.sealer, viewer_id, Moment(*await take_moment(session)))


async def read_missed_posts(
    backends: Backends, live_feed: LiveFeed, *, viewer_id: int, after: str
) -> tuple[list[NewPost], str]:
    """What was published since the cursor, and the cursor behind all of it. Raises what `watch_home_feed` raises."""
    moment, events = await _catch_up(backends, live_feed, viewer_id, open_moment(backends.sealer, viewer_id, after))
    return events, seal_moment(backends.sealer, viewer_id, moment)


async def _replay(
    backends: Backends, live_feed: LiveFeed, viewer_id: int, events: list[NewPost]
) -> AsyncGenerator[NewPost, None]:
    """Missed events one by one; those that have waited are judged again by the facts of now."""
    judged_at = time.monotonic()
    while events:
        if time.monotonic() - judged_at > JUDGED_SECONDS:
            async with live_feed.looking_up, backends.database.reading() as session:
                judged_at = time.monotonic()
                entries = await _judge(backends, session, viewer_id, {event.edge.node.id for event in events})
            events = [NewPost(event.cursor, entries[event.edge.node.id]) for event in events if event.edge.node.id in entries]
        else:
            event, *events = events
            yield event


async def _catch_up(backends: Backends, live_feed: LiveFeed, viewer_id: int, moment: Moment) -> tuple[Moment, list[NewPost]]:
    """What the viewer has not been told since the moment, and the moment reached."""
    async with live_feed.looking_up, backends.database.reading() as session:
        now, as_of = await take_moment(session)
        if as_of - moment.as_of > backends.policy.outbox_retention - _RETENTION_MARGIN:
            raise FeedResetError("the cursor is too old: fetch the feed again")
        if Snapshot.parse(moment.seen).xmax > Snapshot.parse(now).xmax:
            raise FeedResetError("the cursor comes from another database: fetch the feed again")
        batch = await load_missed_by(
            session,
            viewer_id,
            seen=moment.seen,
            batch=moment.batch,
            through_event=moment.through_event,
            size=MAX_REPLAYED,
        )
        if not batch.is_whole:
            raise FeedResetError("too much was missed: fetch the feed again")
        entries = await _judge(backends, session, viewer_id, {row.post_id for row in batch.rows})
    posts = [_Missed(row.event_id, row.transaction_id, entries[row.post_id]) for row in batch.rows if row.post_id in entries]
    reached = Moment(batch.snapshot, batch.as_of)
    if not moment.batch:
        return reached, _with_cursors(backends, viewer_id, posts, moment, reached)
    # Two steps: to the end of the batch in whose middle the cursor stands, and on from there. A cursor cannot stand in the
    # middle of two batches.
    end_of_batch, in_batch = Moment(moment.batch, moment.as_of), Snapshot.parse(moment.batch)
    rest = [post for post in posts if in_batch.sees(post.transaction_id)]
    newer = [post for post in posts if not in_batch.sees(post.transaction_id)]
    events = _with_cursors(backends, viewer_id, rest, moment, end_of_batch)
    return reached, events + _with_cursors(backends, viewer_id, newer, end_of_batch, reached)


async def _judge(backends: Backends, session: ReadSession, viewer_id: int, post_ids: set[int]) -> dict[int, FeedEntry]:
    """Those of the publications that are in the viewer's feed, by the facts of now."""
    viewer = await load_feed_viewer(session, viewer_id) if post_ids else None
    if viewer is None:
        return {}
    judged = await ReasonJudge.of(backends, session, viewer_id, viewer).judge(list(post_ids))
    shown = {post_id: one for post_id, one in judged.items() if one.is_shown}
    named = [verdict.reason.facts for one in shown.values() for verdict in (one.verdict, *one.named)]
    foretold = await foretell_deliveries(session, named, backends.policy.audience_rule)
    return {
        post_id: make_entry(
            backends.sealer,
            with_delivery(one.verdict.reason.facts, foretold),
            [_with_delivery(verdict, foretold) for verdict in one.named],
            viewer_id=viewer_id,
            floor=None,
        )
        for post_id, one in shown.items()
    }


def _with_delivery(verdict: Verdict, foretold: Mapping[int, Delivery]) -> Verdict:
    facts = with_delivery(verdict.reason.facts, foretold)
    return replace(verdict, reason=replace(verdict.reason, facts=facts))


def _with_cursors(backends: Backends, viewer_id: int, posts: list[_Missed], told: Moment, reached: Moment) -> list[NewPost]:
    """Cursors that resume exactly behind each event."""
    places = [_behind(post.event_id, told, reached, is_last=post is posts[-1]) for post in posts]
    return [
        NewPost(seal_moment(backends.sealer, viewer_id, place), post.entry) for place, post in zip(places, posts, strict=True)
    ]


def _behind(event_id: int, told: Moment, reached: Moment, *, is_last: bool) -> Moment:
    """The moment behind one event of a batch: only the last one may stand for the whole batch."""
    return reached if is_last else Moment(told.seen, told.as_of, reached.seen, event_id)
