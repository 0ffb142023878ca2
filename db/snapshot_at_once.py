"""Several statements that see one moment, sent as they are: a session of SQLAlchemy costs several times what they do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.database import Database, ReadSession


@asynccontextmanager
async def snapshot_at_once(database: Database) -> AsyncIterator[ReadSession]:
    """As `Database.snapshot_reading`: every statement sees what the first one saw, and what is set holds until the end.

    Raises UnavailableError.
    """
    async with database.at_once() as session:
        try:
            await session.command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield session
            await session.command("COMMIT")
        except BaseException:
            # Nobody else can use a connection with a transaction in it; taking it back would be one more wait.
            session.is_cut_off = True
            raise
