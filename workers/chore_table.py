"""Which chores there are."""

from __future__ import annotations

from db.activities import load_waiting_seconds
from services.backends import Backends
from workers.chores import RegularChore, RungChore


def rung_chores() -> list[RungChore]:
    """Work that a commit may have made."""
    return [RungChore("notifications", _activities_wait, _send_notifications)]


def regular_chores() -> list[RegularChore]:
    """Work that comes round."""
    return []


async def _activities_wait(backends: Backends) -> float | None:
    async with backends.database.reading() as session:
        return await load_waiting_seconds(session)


def _send_notifications() -> None:
    # Imported here, on first use: binding actors to a broker needs its address.
    from workers.notifications import process_due

    process_due.send()
