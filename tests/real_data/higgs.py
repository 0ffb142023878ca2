"""higgs2012, imported into a database of its own, with the follows that its file names."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from app.stack.urls import ServerUrls
from bootstrap import open_backends
from services.backends import Backends
from services.importing.import_files import import_files
from settings import Settings
from tests.real_data.folders import real_folder
from tests.real_data.own_database import own_database, urls_of


@dataclass(frozen=True, slots=True)
class Higgs:
    """`followers`, `followees`: accounts by the file's ids, from the file alone. `numbers`: our ids of them."""

    urls: ServerUrls
    backends: Backends
    followers: dict[str, list[str]]
    followees: dict[str, set[str]]
    numbers: dict[str, int]
    follows_rows_per_second: float

    def most_followed(self, count: int) -> list[str]:
        return sorted(self.followers, key=lambda account: (-len(self.followers[account]), account))[:count]


@asynccontextmanager
async def imported_higgs(shared: ServerUrls, *, threshold: int, redis_number: int) -> AsyncIterator[Higgs]:
    """Imports under a celebrity threshold. The backends write under the same one."""
    folder = real_folder("higgs2012")
    async with own_database(shared.database_url) as database_url:
        summary = await import_files(database_url, folder, celebrity_threshold=threshold, strict=True)
        assert summary.follows_rows_per_second is not None
        connection = await asyncpg.connect(database_url, timeout=10)
        try:
            numbers = dict(await connection.fetch("SELECT external_id, id FROM users", timeout=60))
        finally:
            await connection.close(timeout=10)
        urls = urls_of(shared, database_url, redis_number=redis_number)
        settings = Settings(
            database_url=SecretStr(urls.database_url),
            redis_url=SecretStr(urls.redis_url),
            broker_url=SecretStr(urls.broker_url),
            redis_timeout_seconds=5.0,
            database_timeout_seconds=20.0,
            celebrity_threshold=threshold,
        )
        followers, followees = _graph(folder)
        async with open_backends(settings) as backends:
            yield Higgs(urls, backends, followers, followees, numbers, summary.follows_rows_per_second)


def _graph(folder: Path) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    followers: dict[str, list[str]] = defaultdict(list)
    followees: dict[str, set[str]] = defaultdict(set)
    with gzip.open(folder / "follows.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            followers[row["followee_id"]].append(row["follower_id"])
            followees[row["follower_id"]].add(row["followee_id"])
    return followers, followees
