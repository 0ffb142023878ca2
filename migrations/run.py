"""Brings a database to the newest schema, and says whether it is there."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from db.database import Database

_ROOT = Path(__file__).resolve().parent.parent


def _config(database_url: str | None = None) -> Config:
    config = Config(_ROOT / "alembic.ini")
    config.attributes["database_url"] = database_url
    return config


async def upgrade(database_url: str, revision: str = "head") -> None:
    """Runs every migration that is missing. Safe when several do it at once: one works, the others wait for it."""
    # Alembic's environment runs a loop of its own.
    await asyncio.to_thread(command.upgrade, _config(database_url), revision)


def newest_revision() -> str:
    """The revision that this code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there is at least one migration"
    return head


async def current_revision(database: Database) -> str | None:
    """The revision that a database is at; None for an empty one."""
    async with database.reading() as session:
        try:
            revision: str | None = (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar()
        except ProgrammingError:
            return None
    return revision
