"""The reading side of the event logs (`domain/event_log.py`): opening them, and what was added behind a place.

A place is always the id of an entry that was there when the place was given out. So a log has lost nothing behind a place
exactly where that entry is still in it; a log that was wiped, evicted, forgotten or cut above the place shows by its absence.
That does not hold over a restart, which may bring back older contents: hence `run_id`.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from domain.errors import CacheUnavailableError
from domain.event_log import BEGINNING, SHARED_LOG, LogEntry, LogPosition, log_key
from live.scripts import source

LOG_LIFE = timedelta(hours=24)
"""Of a log whose viewer is not live any more: as long as a log is written to, its viewer can resume from it."""
LOGS_PER_CALL = 500
"""Logs that one script goes through: 2 to 3 ms in which no other command is served."""
READ_LIMIT = 200
"""Entries of a log in one reading, unless asked otherwise: more than a viewer gets between two bells."""
_LOST = "!"


class LogScript(Protocol):
    """One script of the logs. Raises CacheUnavailableError where the server does not answer in time."""

    def __call__(self, *, keys: Sequence[str], args: Sequence[str | int]) -> Awaitable[Any]:
        """Its answer."""


class LogClient(Protocol):
    """What the logs need of a Redis client. `call` raises CacheUnavailableError where the server does not answer in time."""

    @property
    def run_id(self) -> str:
        """The run of the server that the newest connection reached; empty before the first one."""

    async def call(self, *command: str) -> Any:
        """The reply."""

    def hot_script(self, source: str) -> LogScript:
        """A script, to be called again and again."""


@dataclass(frozen=True, slots=True)
class LogRead:
    """What a log holds behind a place, oldest first; a row may come twice. Read on from `end`.

    `is_whole` is False where something behind the place may be missing: then `entries` is empty, `end` is where the log ends
    now (BEGINNING where there is none: open it), and the truth must be asked afterwards. As many entries as asked for: there
    may be more. Several viewers may share one object.
    """

    entries: Sequence[LogEntry]
    end: LogPosition
    is_whole: bool


class EventLogs:
    """All logs. Methods raise CacheUnavailableError where Redis does not answer in time, or restarts in between."""

    def __init__(self, client: LogClient) -> None:
        self._client = client
        self._open = client.hot_script(source("open_logs"))
        self._read = client.hot_script(source("read_logs"))
        self._renew = client.hot_script(source("renew_logs"))
        self._life_ms = int(LOG_LIFE.total_seconds() * 1_000)

    @property
    def run_id(self) -> str:
        """The server's run. What `open` and `shared_end` return belongs to the one that stands here when they return."""
        return self._client.run_id

    async def open(self, viewer_ids: Collection[int]) -> dict[int, LogPosition]:
        """The ends of the viewers' logs; from now on, and for 24 hours, everything that concerns them is written there."""
        viewers = list(viewer_ids)
        ends = await self._open_keys([log_key(viewer_id) for viewer_id in viewers])
        return dict(zip(viewers, ends, strict=True))

    async def read(
        self, places: Mapping[int, LogPosition], *, run_id: str | None = None, limit: int = READ_LIMIT
    ) -> dict[int, LogRead]:
        """What stands behind the places, of those viewers alone whose log has something to tell: entries, or a loss.

        `run_id`: the run that the places are from; where the server's is another one, everything counts as lost.
        """
        viewers = list(places)
        texts = await self._read_keys([log_key(viewer_id) for viewer_id in viewers], list(places.values()), limit)
        if run_id is not None and run_id != self._client.run_id:
            lost = LogRead((), BEGINNING, is_whole=False)
            return dict.fromkeys(viewers, lost)
        # Many viewers are told the same by one script, at one instant.
        known: dict[str, LogRead] = {}
        found = {}
        for number, text in texts:
            read = known.get(text)
            if read is None:
                read = known[text] = _parse(text)
            found[viewers[number]] = read
        return found

    async def shared_end(self) -> LogPosition:
        """The end of the log for all; from now on, and for 24 hours, it is written to."""
        (end,) = await self._open_keys([SHARED_LOG])
        return end

    async def read_shared(self, place: LogPosition, *, run_id: str | None = None, limit: int = READ_LIMIT) -> LogRead:
        """What stands behind the place in the log for all. `run_id`: as in `read`."""
        texts = await self._read_keys([SHARED_LOG], [place], limit)
        if run_id is not None and run_id != self._client.run_id:
            return LogRead((), BEGINNING, is_whole=False)
        for _, text in texts:
            return _parse(text)
        return LogRead((), place, is_whole=True)

    async def renew(self, viewer_ids: Collection[int]) -> None:
        """Another 24 hours for the logs that there are: of the viewers, and the one for all."""
        for keys in _parts([SHARED_LOG, *(log_key(viewer_id) for viewer_id in viewer_ids)]):
            await self._renew(keys=keys, args=[self._life_ms])

    async def _open_keys(self, keys: list[str]) -> list[LogPosition]:
        run_id = await self._known_run()
        ends: list[LogPosition] = []
        for part in _parts(keys):
            arguments: list[int] = [self._life_ms, secrets.randbits(32)]
            reply: list[bytes] = await self._open(keys=part, args=arguments)
            ends += [LogPosition.parse(end.decode()) for end in reply]
        if self._client.run_id != run_id:
            raise CacheUnavailableError("Redis has restarted")
        return ends

    async def _read_keys(self, keys: list[str], places: list[LogPosition], limit: int) -> list[tuple[int, str]]:
        """(which of the keys, what it has to tell)."""
        found: list[tuple[int, str]] = []
        for start in range(0, len(keys), LOGS_PER_CALL):
            part = slice(start, start + LOGS_PER_CALL)
            # One argument: each costs the driver more than all that is done with it here.
            joined = " ".join([f"{milliseconds}-{sequence}" for milliseconds, sequence in places[part]])
            reply: bytes = await self._read(keys=keys[part], args=[limit, joined])
            for line in reply.decode().splitlines():
                number, _, text = line.partition(" ")
                found.append((start + int(number) - 1, text))
        return found

    async def _known_run(self) -> str:
        if not self._client.run_id:
            await self._client.call("PING")
        return self._client.run_id


def _parse(text: str) -> LogRead:
    end, *entries = text.split(" ")
    if entries == [_LOST]:
        return LogRead((), LogPosition.parse(end), is_whole=False)
    try:
        return LogRead(tuple(map(LogEntry.unpack, entries)), LogPosition.parse(end), is_whole=True)
    except (ValueError, IndexError):
        # Written by another version of this program: what it says is not known, so the truth is asked.
        return LogRead((), LogPosition.parse(end), is_whole=False)


def _parts(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), LOGS_PER_CALL):
        yield keys[start : start + LOGS_PER_CALL]
