"""The writing side of the event logs (`domain/event_log.py`).

Nothing is written to a log that does not exist: whoever is live has opened theirs, and reads first from the truth what came
before. Each entry rings the bell in the same step. What is tried again may be written twice: readers drop doubles.
"""

from __future__ import annotations

from collections.abc import Sequence

from cache import keys
from cache.client import RedisClient
from cache.scripts import source
from domain.event_log import LOG_LENGTH, SHARED_BELL, SHARED_LOG, SHARED_LOG_LENGTH, VIEWERS_BELL, LogEntry, pack_ids


def telling(viewer_ids: Sequence[int], entry: LogEntry) -> list[str | int | bytes]:
    """What `tell_viewers.lua` wants to know."""
    return [entry.pack(), LOG_LENGTH, VIEWERS_BELL, pack_ids(viewer_ids)]


class LogWriter:
    """Adds to logs without touching timelines. Methods raise CacheUnavailableError where Redis does not answer in time."""

    def __init__(self, client: RedisClient) -> None:
        self._append = client.hot_script(source("tell_viewers", "append"))

    async def append(self, viewer_ids: Sequence[int], entry: LogEntry) -> None:
        """To the logs of those viewers who have one."""
        if viewer_ids:
            logs = [keys.event_log(viewer_id) for viewer_id in viewer_ids]
            await self._append(keys=logs, args=telling(viewer_ids, entry))

    async def append_shared(self, entry: LogEntry) -> None:
        """To the log for all, where anybody has opened it."""
        arguments: list[str | int | bytes] = [entry.pack(), SHARED_LOG_LENGTH, SHARED_BELL, b""]
        await self._append(keys=[SHARED_LOG], args=arguments)
