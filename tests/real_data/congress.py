"""congress2016, imported once into a database of its own, with the feeds that its files promise."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from pydantic import SecretStr

from app.stack.urls import ServerUrls
from bootstrap import open_backends
from services.backends import Backends
from services.importing.import_files import import_files
from settings import Settings
from tests.real_data.folders import real_folder
from tests.real_data.oracle import expected_feeds
from tests.real_data.own_database import own_database, urls_of

THRESHOLD = 200
"""Followers from which authors are pulled: own, pushed and pulled posts meet in one feed. The largest account has 292."""
PATIENCE = {"TIDINGS_REDIS_TIMEOUT_SECONDS": "5", "TIDINGS_DATABASE_TIMEOUT_SECONDS": "20"}
"""For machines with other work to do: a proof about pages must not fail for being slow."""
_REDIS_NUMBER = 3
_SAMPLE_SIZE = 1
_SEED = 2016


@dataclass(frozen=True, slots=True)
class Congress:
    """`feeds`: ids of posts in this database by the account's id in the files, newest first, as the files have them."""

    urls: ServerUrls
    backends: Backends
    feeds: dict[str, list[int]]
    viewer_ids: dict[str, int]

    def accounts(self, *, is_whole: bool) -> list[str]:
        """All accounts, or a fixed sample with the longest and the shortest feed in it."""
        accounts = sorted(self.feeds)
        if is_whole:
            return accounts
        by_length = sorted(accounts, key=lambda account: (len(self.feeds[account]), account))
        return sorted({*random.Random(_SEED).sample(accounts, _SAMPLE_SIZE), by_length[0], by_length[-1]})


@asynccontextmanager
async def imported_congress(shared: ServerUrls) -> AsyncIterator[Congress]:
    """Imports, and translates the oracle's source ids to ids of posts."""
    folder = real_folder("congress2016")
    async with own_database(shared.database_url) as database_url:
        await import_files(database_url, folder, celebrity_threshold=THRESHOLD, strict=True)
        connection = await asyncpg.connect(database_url, timeout=10)
        try:
            posts = dict(await connection.fetch("SELECT source_id, id FROM posts", timeout=30))
            viewers = dict(await connection.fetch("SELECT external_id, id FROM users", timeout=30))
            ways = await connection.fetch("SELECT delivery, count(*) FROM posts GROUP BY 1", timeout=30)
        finally:
            await connection.close(timeout=10)
        assert {way for way, _ in ways} == {"PUSH", "PULL"}, "both ways of delivery take part"
        feeds = {account: [posts[source] for source in feed] for account, feed in expected_feeds(folder).items()}
        urls = urls_of(shared, database_url, redis_number=_REDIS_NUMBER)
        settings = Settings(
            database_url=SecretStr(urls.database_url),
            redis_url=SecretStr(urls.redis_url),
            broker_url=SecretStr(urls.broker_url),
            redis_timeout_seconds=5.0,
            database_timeout_seconds=20.0,
        )
        async with open_backends(settings) as backends:
            yield Congress(urls, backends, feeds, viewers)
