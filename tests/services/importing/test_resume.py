"""An import that was killed and repeated ends as one that was left alone; one that is repeated changes nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from random import Random

from services.importing.import_files import import_files
from services.importing.summary import Written
from tests.import_database import contents, copy_database, drop_database, query, wrong_counts
from tests.services.importing.world_files import write_world

_ROOT = Path(__file__).resolve().parents[3]


async def _run(database_url: str, folder: Path, *, kill_after_lines: int | None = None, delay: float = 0.0) -> int:
    """Runs the import in a process of its own; returns the number of lines that it said before it ended or was killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.services.importing.run_import",
        database_url,
        str(folder),
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    lines = 0
    async with asyncio.timeout(90):
        while await process.stdout.readline():
            lines += 1
            if lines == kill_after_lines:
                await asyncio.sleep(delay)
                if process.returncode is None:
                    process.kill()
        returncode = await process.wait()
    assert kill_after_lines is not None or returncode == 0
    return lines


async def test_a_killed_import_goes_on_to_the_same_end(template_url: str, database_url: str, tmp_path: Path) -> None:
    folder = write_world(tmp_path)
    reference = await copy_database(template_url)
    try:
        steps = await _run(reference, folder)
        random = Random()
        for _ in range(4):
            await _run(database_url, folder, kill_after_lines=random.randint(1, steps), delay=random.random() * 0.02)
            assert await wrong_counts(database_url) == []
        await _run(database_url, folder)
        assert await contents(database_url) == await contents(reference)
    finally:
        await drop_database(reference)


async def test_a_second_run_changes_nothing_at_all(database_url: str, tmp_path: Path) -> None:
    folder = write_world(tmp_path)
    first = await import_files(database_url, folder, celebrity_threshold=100)
    rows = "SELECT xmin::text, id FROM users UNION ALL SELECT xmin::text, id FROM posts ORDER BY 2"
    before, versions = await contents(database_url), await query(database_url, rows)
    second = await import_files(database_url, folder, celebrity_threshold=100)
    assert await contents(database_url) == before
    assert await query(database_url, rows) == versions
    assert second.users == Written(0, first.users.new)
    assert second.follows == Written(0, first.follows.new)
    assert second.posts == Written(0, first.posts.new)
    assert second.shares == Written(0, first.shares.new)
    assert second.reposts_left_out_because == first.reposts_left_out_because
    assert second.scored_follows == 0
    assert second.duplicate_rows == first.duplicate_rows


async def test_imports_into_two_databases_are_equal(template_url: str, database_url: str, tmp_path: Path) -> None:
    folder = write_world(tmp_path)
    other = await copy_database(template_url)
    try:
        await asyncio.gather(
            import_files(database_url, folder, celebrity_threshold=100),
            import_files(other, folder, celebrity_threshold=100),
        )
        assert await contents(database_url) == await contents(other)
    finally:
        await drop_database(other)


async def test_two_imports_at_once_are_as_good_as_one(database_url: str, tmp_path: Path) -> None:
    folder = write_world(tmp_path)
    summaries = await asyncio.gather(*(import_files(database_url, folder, celebrity_threshold=100) for _ in range(2)))
    assert min(summary.posts.new for summary in summaries) == 0
    assert await wrong_counts(database_url) == []
