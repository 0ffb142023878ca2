"""How much of the primary's history a replica shows."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from db.database import ReadSession

CLOCK_SKEW = timedelta(seconds=2)
"""Between the clocks of the servers: what happened so shortly before counts as not shown."""

_SHOWN = text(
    """
    SELECT CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_xact_replay_timestamp(), to_timestamp(0))
                ELSE statement_timestamp() END
    """
)


async def load_shown_moment(session: ReadSession) -> datetime:
    """Whatever was committed before it is shown: the last commit that was replayed, less the clocks' difference.

    Of a server that is no standby, now. Ask before what is to be judged by it.
    """
    shown: datetime = (await session.execute(_SHOWN)).scalar_one()
    return shown - CLOCK_SKEW
