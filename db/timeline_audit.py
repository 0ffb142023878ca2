"""What timelines should hold, for many viewers in one statement: for the auditor and for building many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from db.database import ReadSession, WriteSession
from domain.timeline_version import TimelineVersion

_ACCOUNTS = text("SELECT id FROM users WHERE id > :after_id ORDER BY id LIMIT :size")
_ALL_ACCOUNTS = text("SELECT id FROM users ORDER BY id")
_COUNT_ACCOUNTS = text("SELECT count(*) FROM users")
_USERNAMES = text("SELECT id, username FROM users WHERE id = ANY(CAST(:ids AS bigint[]))")

# As db.feed_candidates has it for one viewer. Suspended accounts, too: once restored, their timelines are believed again.
_OWNERS = text(
    """
    SELECT u.id, d.identity || '.' || (SELECT oid FROM pg_database WHERE datname = current_database()), u.graph_version,
      u.following_count + (SELECT count(*) FROM kept_follows k WHERE k.viewer_id = u.id)
    FROM users u CROSS JOIN deployment d WHERE u.id = ANY(CAST(:ids AS bigint[]))
    """
)

_OPEN = """
    EXISTS (
      SELECT FROM outbox o
      WHERE o.author_id = p.author_id AND o.post_id = p.id AND o.closed_at IS NULL AND o.kind = 'post_published'
    )
"""

# One short index scan for each source, as rebuilding one timeline does it.
_PUSHED = """
    SELECT s.viewer_id, array_agg(p.id)
    FROM unnest(CAST(:viewer_ids AS bigint[]), CAST(:floors AS bigint[]), CAST(:depths AS integer[]))
      AS w(viewer_id, floor, depth)
    JOIN feed_sources s ON s.viewer_id = w.viewer_id
    CROSS JOIN LATERAL (
      SELECT p.id FROM posts p
      WHERE p.author_id = s.author_id AND p.id >= w.floor AND p.id <= s.until_id
        AND p.delivery = 'PUSH' AND p.visibility <> 'PRIVATE' AND p.deleted_at IS NULL {condition}
      ORDER BY p.id DESC LIMIT w.depth
    ) p
    GROUP BY s.viewer_id
"""
_ALL_PUSHED = text(_PUSHED.format(condition=""))
_SETTLED = text(_PUSHED.format(condition=f"AND NOT {_OPEN}"))

_BELONGING = text(
    f"""
    SELECT w.viewer_id, w.post_id, p.visibility <> 'PRIVATE' AND p.deleted_at IS NULL AND NOT {_OPEN}
    FROM unnest(CAST(:viewer_ids AS bigint[]), CAST(:post_ids AS bigint[])) AS w(viewer_id, post_id)
    JOIN posts p ON p.id = w.post_id AND p.delivery = 'PUSH'
    WHERE EXISTS (
      SELECT FROM feed_sources s WHERE s.viewer_id = w.viewer_id AND s.author_id = p.author_id AND p.id <= s.until_id
    )
    """
)

_SPARE = 2
"""A source may have posted so much more than the others before a first look at it shows too little."""

# One row for all processes: whoever finds it old enough and renews it has the turn.
_TAKE_TURN = text(
    """
    INSERT INTO heartbeats AS h (role, instance, at) VALUES ('timeline_audit', 'all', clock_timestamp())
    ON CONFLICT (role, instance) DO UPDATE SET at = excluded.at
      WHERE h.at <= clock_timestamp() - make_interval(secs => :every_seconds)
    RETURNING 1
    """
)


@dataclass(frozen=True, slots=True)
class TimelineOwner:
    """`version`: what a timeline must name to be believed. `sources`: accounts that it is made of."""

    version: TimelineVersion
    sources: int


async def load_account_chunk(session: ReadSession, *, after_id: int, size: int) -> list[int]:
    """Ids of accounts, in their order."""
    return list((await session.execute(_ACCOUNTS, {"after_id": after_id, "size": size})).scalars())


async def load_account_ids(session: ReadSession) -> list[int]:
    """Of all accounts, in their order: some tens of bytes each."""
    return list((await session.execute(_ALL_ACCOUNTS)).scalars())


async def count_accounts(session: ReadSession) -> int:
    return int((await session.execute(_COUNT_ACCOUNTS)).scalar_one())


async def load_usernames(session: ReadSession, user_ids: Sequence[int]) -> dict[int, str]:
    """Of those that exist."""
    return {row[0]: row[1] for row in await session.execute(_USERNAMES, {"ids": list(user_ids)})}


async def load_timeline_owners(session: ReadSession, viewer_ids: Sequence[int]) -> dict[int, TimelineOwner]:
    """Those of the accounts that exist."""
    rows = await session.execute(_OWNERS, {"ids": list(viewer_ids)})
    return {viewer_id: TimelineOwner(TimelineVersion(database, graph), sources) for viewer_id, database, graph, sources in rows}


async def load_pushed_ids_of_many(session: ReadSession, sources: Mapping[int, int], *, size: int) -> dict[int, list[int]]:
    """For each viewer the newest `size` pushed posts of all whom the feed is made of, newest first; nobody for none.

    `sources`: how many these are, of each viewer. Who has many is asked for twice: a few posts of each source show from which
    id on there are `size` of them, and only those are read then. Without that, a thousand sources cost ten times as much.
    """
    depths = {viewer_id: min(size, _SPARE * -(-size // max(1, count))) for viewer_id, count in sources.items()}
    found = await _load(session, _ALL_PUSHED, [(viewer_id, 0, depth) for viewer_id, depth in depths.items()])
    # Fewer than the depth: no source can have been cut off.
    partly = [viewer_id for viewer_id, ids in found.items() if depths[viewer_id] < size and len(ids) >= depths[viewer_id]]
    bounded = [(viewer_id, found[viewer_id][size - 1], size) for viewer_id in partly if len(found[viewer_id]) >= size]
    found |= await _load(session, _ALL_PUSHED, bounded)
    # Also those of whose posts some were deleted in between: what they have now is not known to be all.
    unbounded = [(viewer_id, 0, size) for viewer_id in partly if len(found[viewer_id]) < size]
    found |= await _load(session, _ALL_PUSHED, unbounded)
    return {viewer_id: ids[:size] for viewer_id, ids in found.items()}


async def load_settled_ids(session: ReadSession, wanted: Sequence[tuple[int, int, int]]) -> dict[int, list[int]]:
    """For each (viewer, floor, size) the newest `size` pushed posts from the id `floor` up whose fan-out has ended.

    One snapshot tells both, so each of them was in every warm timeline before the statement ended.
    """
    settled = await _load(session, _SETTLED, wanted)
    return {viewer_id: settled[viewer_id][:size] for viewer_id, _, size in wanted if viewer_id in settled}


async def _load(session: ReadSession, statement: TextClause, wanted: Sequence[tuple[int, int, int]]) -> dict[int, list[int]]:
    if not wanted:
        return {}
    viewer_ids, floors, depths = (list(column) for column in zip(*wanted, strict=True))
    rows = await session.execute(statement, {"viewer_ids": viewer_ids, "floors": floors, "depths": depths})
    return {viewer_id: sorted(post_ids, reverse=True) for viewer_id, post_ids in rows}


async def load_belonging(session: ReadSession, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bool]:
    """Those of the (viewer, post) pairs that may stand in a timeline; True where the post must be there: settled and shown."""
    pairs = list(pairs)
    if not pairs:
        return {}
    viewer_ids, post_ids = (list(column) for column in zip(*pairs, strict=True))
    rows = await session.execute(_BELONGING, {"viewer_ids": viewer_ids, "post_ids": post_ids})
    return {(viewer_id, post_id): is_due for viewer_id, post_id, is_due in rows}


async def take_audit_turn(session: WriteSession, *, every_seconds: float) -> bool:
    """Whether this process audits now: once in `every_seconds` over all processes of the database."""
    return (await session.execute(_TAKE_TURN, {"every_seconds": every_seconds})).first() is not None
