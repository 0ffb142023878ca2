"""Use case: an operator gives up what could not be done."""

from __future__ import annotations

from collections.abc import Sequence

from db.waiting_rows import WaitingQueue, close_parked_events, delete_parked_activities, forget_timelines_of
from services.backends import Backends

_BATCH_SIZE = 100


async def give_up_parked_rows(backends: Backends, queue: WaitingQueue, ids: Sequence[int] | None) -> list[int]:
    """Which rows that was; None: all that are parked.

    Of the outbox: feeds stay exact, since the timelines of all who receive the author's posts are made anew. Who watches is not
    told. Of what people did: nobody is notified.
    """
    if queue is WaitingQueue.ACTIVITIES:
        async with backends.database.writing() as session:
            return await delete_parked_activities(session, ids)
    given_up: list[int] = []
    while True:
        async with backends.database.writing() as session:
            batch, author_ids = await close_parked_events(session, ids, size=_BATCH_SIZE)
            await forget_timelines_of(session, author_ids)
        # Who began to follow meanwhile was not seen by that, and may have made a timeline while the rows were still open.
        async with backends.database.writing() as session:
            await forget_timelines_of(session, author_ids)
        given_up += batch
        if len(batch) < _BATCH_SIZE:
            return given_up
