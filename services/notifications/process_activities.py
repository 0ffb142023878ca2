"""Use case: what people did becomes what others are told, and what the ranking learns.

A batch is one transaction: groups, scores and the end of the rows are there together or not at all. A worker that dies leaves
the rows as they were; one that takes a row a second time finds everybody where they stand already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from db import activities
from db.activities import ActivityRow
from db.database import WriteSession
from db.notification_groups import lock_recipients
from domain.errors import UnavailableError
from services.backends import Backends
from services.notifications.activity_facts import load_activity_facts
from services.notifications.find_deeds import find_deeds, find_recipients
from services.notifications.form_groups import form_groups
from services.notifications.only_allowed import only_allowed
from services.notifications.score_interactions import score_interactions

BATCH_SIZE = 500
MAX_FAILURES = 12
"""After so many a row is parked: shown to operators, never deleted, and no burden for the others."""
BUSY_SECONDS = 0.2
"""Later for what is about a follow that is being changed right now."""
_MAX_ERROR_LENGTH = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessedActivities:
    """`taken`: rows of this batch, 0 where nothing was due; `failed`: of these."""

    taken: int
    failed: int = 0


async def process_activities(backends: Backends, *, size: int = BATCH_SIZE) -> ProcessedActivities:
    """One batch of due rows. Where it fails, its rows are tried one by one, and only the bad ones are put off.

    Raises UnavailableError where PostgreSQL is away: then nothing has happened.
    """
    rows: list[ActivityRow] = []
    try:
        async with backends.database.writing() as session:
            rows = await activities.take_due_activities(session, size=size)
            told = await _process(session, rows)
    except Exception as error:
        if not rows:
            raise
        log.warning("notifications.batch_failed", rows=len(rows), error=type(error).__name__)
        return ProcessedActivities(len(rows), await _process_one_by_one(backends, [row.id for row in rows]))
    backends.live_bell.ring_notifications(told)
    return ProcessedActivities(len(rows))


async def waiting_seconds(backends: Backends) -> float | None:
    """How long the oldest due row has waited; None where none is."""
    async with backends.database.reading() as session:
        return await activities.load_waiting_seconds(session)


async def _process(session: WriteSession, rows: Sequence[ActivityRow]) -> set[int]:
    """Who has something new to read."""
    if not rows:
        return set()
    facts = await load_activity_facts(session, rows)
    recipients = find_recipients(rows, facts)
    if recipients:
        await lock_recipients(session, recipients)
    deeds = await find_deeds(session, rows, facts)
    done = await only_allowed(session, deeds.done, facts.posts) if deeds.done else []
    told = await form_groups(session, done, deeds.undone)
    busy = await score_interactions(session, rows, facts, deeds.standing)
    if busy:
        await activities.postpone_activities(session, list(busy), seconds=BUSY_SECONDS)
    if facts.walked:
        await activities.advance_activities(session, facts.walked)
    await activities.delete_activities(session, [row.id for row in rows if row.id not in busy and row.id not in facts.walked])
    return told


async def _process_one_by_one(backends: Backends, ids: Sequence[int]) -> int:
    """How many failed. Raises UnavailableError where not even that can be noted."""
    failed = 0
    for activity_id in ids:
        try:
            async with backends.database.writing() as session:
                row = await activities.take_activity(session, activity_id)
                told = await _process(session, [row] if row is not None else [])
        except Exception as error:
            # Also a row that takes too long: where the server is away, noting it fails, too.
            failed += 1
            await _note_failure(backends, activity_id, error)
            continue
        backends.live_bell.ring_notifications(told)
    return failed


async def _note_failure(backends: Backends, activity_id: int, error: Exception) -> None:
    # The type says what failed; messages may hold what a user wrote.
    description = type(error).__name__[:_MAX_ERROR_LENGTH]
    if not isinstance(error, UnavailableError):
        log.error("notifications.failed", activity_id=activity_id, exc_info=error)
    async with backends.database.writing() as session:
        is_parked = await activities.fail_activity(session, activity_id, error=description, max_failures=MAX_FAILURES)
    if is_parked:
        log.error("notifications.parked", activity_id=activity_id, failures=MAX_FAILURES)
