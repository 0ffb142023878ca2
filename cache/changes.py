"""When what copied pages depend on was last changed: one sorted set, subject by stamp.

A stamp is given after the commit of a change and before its answer. A copy notes where the stamps stood *before* its database
was read; an entry of it that depends on a subject with a newer stamp is not shown. The log is one key with its beginning
inside: evicted or wiped, it begins anew, and no copy that was made under another beginning counts. The same goes for another
run of the server, which may have come back with an older state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from cache import keys
from cache.client import RedisClient
from cache.scripts import source
from domain.errors import CacheUnavailableError

_RETRY_SECONDS = 1.0
_MAX_OWED = 100_000
"""Subjects that wait for a Redis that is away; beyond that only time helps: copies end with their life."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StampPlace:
    """A place in the log. Stamps are microseconds of the Redis server's clock."""

    run_id: str
    begin: int
    newest: int

    @property
    def origin(self) -> tuple[str, int]:
        """Which log it is a place in."""
        return self.run_id, self.begin


@dataclass(slots=True)
class _Gathered:
    """Subjects that go together, and who waits for them."""

    subjects: set[str]
    done: asyncio.Future[None]


class Changes:
    """The log of one deployment. `keep`: how long a copy may live that relies on it."""

    def __init__(self, client: RedisClient, *, keep: timedelta) -> None:
        self._client = client
        self._keep_us = int(keep.total_seconds() * 1_000_000)
        self._script = client.hot_script(source("stamp"))
        self._owed: set[str] = set()
        self._gathered: _Gathered | None = None
        self._stamping: asyncio.Task[None] | None = None
        self._paying: asyncio.Task[None] | None = None
        self.origin: tuple[str, int] | None = None
        """Run and beginning of the log as they were last seen: what was kept under another one is gone, or counts no more."""

    async def stamp(self, subjects: frozenset[str]) -> None:
        """They have changed. Returns when Redis has taken it or does not answer; then it is tried again in the background.

        What is changed while one call is under way goes together in the next one.
        """
        if self._gathered is None:
            self._gathered = _Gathered(set(), asyncio.get_running_loop().create_future())
            if self._stamping is None or self._stamping.done():
                # A task of its own: whoever made the change may be cancelled by a deadline right after the commit.
                self._stamping = asyncio.get_running_loop().create_task(self._stamp_gathered(), name="stamp-changes")
        gathered = self._gathered
        gathered.subjects |= subjects
        await asyncio.shield(gathered.done)

    async def place(self) -> StampPlace:
        """Where the stamps stand. Ask before the database is read. Raises CacheUnavailableError."""
        return await self._run([])

    async def find_changed(self, subjects: Sequence[str], *, since: StampPlace) -> set[str] | None:
        """Those that have a newer stamp; None where nobody can say any more. Raises CacheUnavailableError."""
        begin, *stamps = await self._stamps_of(["begin", *subjects])
        if self._client.run_id != since.run_id or begin is None or int(begin) != since.begin:
            return None
        return {subject for subject, stamp in zip(subjects, stamps, strict=True) if stamp is not None and stamp > since.newest}

    async def find_changed_after(self, subjects: Sequence[str], instant: datetime) -> set[str]:
        """Those with a stamp after an instant, as far as the log reaches back. Raises CacheUnavailableError."""
        stamps = await self._stamps_of(subjects) if subjects else []
        after = instant.timestamp() * 1_000_000
        return {subject for subject, stamp in zip(subjects, stamps, strict=True) if stamp is not None and stamp > after}

    async def _stamps_of(self, members: Sequence[str]) -> list[float | None]:
        scores = await self._client.call("ZMSCORE", keys.CHANGES, *members)
        return [None if score is None else float(score) for score in scores]

    async def close(self) -> None:
        for task in (self._stamping, self._paying):
            if task is not None:
                task.cancel()
        if self._gathered is not None and not self._gathered.done.done():
            self._gathered.done.set_result(None)

    async def _stamp_gathered(self) -> None:
        while self._gathered is not None:
            gathered, self._gathered = self._gathered, None
            try:
                await self._stamp(gathered.subjects)
            finally:
                gathered.done.set_result(None)

    async def _stamp(self, subjects: Iterable[str]) -> None:
        try:
            await self._run(subjects)
        except CacheUnavailableError:
            log.warning("changes.not_stamped", subjects=len(self._owed))
            self._owed.update(subjects)
            if self._paying is None or self._paying.done():
                self._paying = asyncio.get_running_loop().create_task(self._pay(), name="stamp-changes-later")

    async def _pay(self) -> None:
        while self._owed:
            await asyncio.sleep(_RETRY_SECONDS)
            while len(self._owed) > _MAX_OWED:
                self._owed.pop()
            owed = frozenset(self._owed)
            try:
                await self._run(owed)
            except CacheUnavailableError:
                continue
            self._owed -= owed

    async def _run(self, subjects: Iterable[str]) -> StampPlace:
        arguments: list[str | int] = [self._keep_us, *subjects]
        begin, newest = await self._script(keys=[keys.CHANGES], args=arguments)
        place = StampPlace(self._client.run_id, int(begin), int(newest))
        self.origin = place.origin
        return place
