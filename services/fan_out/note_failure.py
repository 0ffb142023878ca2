"""Use cases: a job of the outbox did not end well."""

from __future__ import annotations

import contextlib

import structlog

from db import outbox
from domain.errors import UnavailableError
from services.backends import Backends

MAX_FAILURES = 12
"""After so many failed attempts a row is parked: shown to operators, never deleted, and no burden for the others."""
POSTPONED_SECONDS = 1.0
_MAX_ERROR_LENGTH = 200

log = structlog.get_logger(__name__)


async def note_failure(backends: Backends, *, event_id: int, attempt: int, error: Exception) -> None:
    """Counts a failure of the job itself. Readers find the post all the same: its row stays open."""
    # The type and place say what failed; messages may hold what a user wrote.
    description = type(error).__name__[:_MAX_ERROR_LENGTH]
    with contextlib.suppress(UnavailableError):
        async with backends.database.writing() as session:
            is_parked = await outbox.fail_event(
                session,
                event_id,
                attempt=attempt,
                error=description,
                max_failures=MAX_FAILURES,
                lease_seconds=backends.policy.outbox_lease_seconds,
            )
        if is_parked:
            log.error("fan_out.parked", event_id=event_id, failures=MAX_FAILURES)


async def postpone(backends: Backends, *, event_id: int, attempt: int) -> None:
    """A server was away: try again in a second, without counting a failure."""
    with contextlib.suppress(UnavailableError):
        async with backends.database.writing() as session:
            await outbox.postpone_event(session, event_id, attempt=attempt, seconds=POSTPONED_SECONDS)
