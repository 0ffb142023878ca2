"""Copies of first pages and of accounts in Redis, for the time that PostgreSQL is away. Their content is the maker's affair."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import cast
from urllib.parse import urlsplit

from cache import keys
from cache.client import RedisClient


class Shelves:
    """The copies made from one database. Methods raise CacheUnavailableError where Redis does not answer in time.

    They are kept apart by the database's address: a process that has never reached its database must not take for its own what
    was copied from another one, where accounts have the same ids.
    """

    def __init__(self, client: RedisClient, *, database_url: str, ttl: timedelta) -> None:
        parts = urlsplit(database_url)
        address = f"{parts.hostname}:{parts.port}{parts.path}?{parts.query}"
        self._database = hashlib.sha256(address.encode()).hexdigest()[:8]
        self._client = client
        self._ttl_ms = int(ttl.total_seconds() * 1_000)

    async def put_page(self, viewer_id: int, copy: bytes) -> None:
        await self._put(keys.shelf(self._database, viewer_id), copy)

    async def take_page(self, viewer_id: int) -> bytes | None:
        return await self._take(keys.shelf(self._database, viewer_id))

    async def put_account(self, external_id: str, copy: bytes) -> None:
        await self._put(self._account_key(external_id), copy)

    async def take_account(self, external_id: str) -> bytes | None:
        return await self._take(self._account_key(external_id))

    def _account_key(self, external_id: str) -> str:
        # A subject may be long, and is nobody's business who lists keys.
        return keys.account(self._database, hashlib.sha256(external_id.encode()).hexdigest()[:32])

    async def _put(self, key: str, copy: bytes) -> None:
        await self._client.call("SET", key, copy, "PX", self._ttl_ms)

    async def _take(self, key: str) -> bytes | None:
        return cast("bytes | None", await self._client.call("GET", key))
