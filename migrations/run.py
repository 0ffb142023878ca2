"""Brings a database to the newest schema, and says whether it is there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from alembic.config import Config

    from db.database import Database

_ROOT = Path(__file__).resolve().parent.parent


def _config(database_url: str | None = None) -> Config:
    from alembic.config import Config

    config = Config(_ROOT / "alembic.ini")
    config.attributes["database_url"] = database_url
    return config


async def upgrade(database_url: str, revision: str = "head") -> None:
    """Runs every migration that is missing. Safe when several do it at once: one works, the others wait for it."""
    from alembic import command

    # Alembic's environment runs a loop of its own.
    await asyncio.to_thread(command.upgrade, _config(database_url), revision)


def newest_revision() -> str:
    """The revision that this code needs. Revisions are numbered, and their files are named by them."""
    # Read off the file names: Alembic would take longer to import than the rest of a start.
    return max(file.name.partition("_")[0] for file in (_ROOT / "migrations" / "versions").glob("[0-9]*_*.py"))


async def is_current(database_url: str, *, timeout_seconds: float = 5.0) -> bool:
    """Whether a database needs no migration. Raises what asyncpg raises where it cannot be asked."""
    connection = await asyncpg.connect(database_url, timeout=timeout_seconds)
    try:
        revision = await connection.fetchval("SELECT version_num FROM alembic_version", timeout=timeout_seconds)
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close(timeout=timeout_seconds)
    return bool(revision == newest_revision())


async def current_revision(database: Database) -> str | None:
    """The revision that a database is at; None for an empty one."""
    from sqlalchemy import text
    from sqlalchemy.exc import ProgrammingError

    async with database.reading() as session:
        try:
            revision: str | None = (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar()
        except ProgrammingError:
            return None
    return revision
