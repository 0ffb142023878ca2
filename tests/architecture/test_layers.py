"""Who may import whom, and whether models and migrations say the same."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from migrations.run import newest_revision

ROOT = Path(__file__).resolve().parents[2]


def test_imports_go_downward_only() -> None:
    finished = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stdout


async def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = database_url
    await asyncio.to_thread(command.check, config)


async def test_the_first_migration_can_be_taken_back(database_url: str) -> None:
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = database_url
    await asyncio.to_thread(command.downgrade, config, "base")
    await asyncio.to_thread(command.upgrade, config, "head")
    await asyncio.to_thread(command.check, config)


def test_the_newest_revision_is_the_head_of_the_migrations() -> None:
    head = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_current_head()
    assert newest_revision() == head
