"""The newest pulled posts of authors who are too large to be pushed: one list an author, however many follow.

Laid out, marked, filled and rebuilt as home timelines are, but under their milliseconds: a merge asks for them by time. The
version in the marker is the author's import version: imports are the only way for a pulled post past the outbox.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cache import keys
from cache.client import RedisClient
from cache.scripts import source
from cache.timelines import Timelines, ids_of, member_of, score_by_time
from domain.errors import CacheUnavailableError
from domain.ids import MAX_ID
from domain.timeline_version import TimelineVersion

_KEYS_PER_CALL = 500
"""Lists that one call goes through: what follows more is answered by several, so that no other reader waits for long."""
_TOUCHED = 1 / 16
"""Share of the reads that lengthen the lives of the lists: they live for a day, so this is often enough."""


@dataclass(frozen=True, slots=True)
class MergedPosts:
    """What several lists say. `ids`: in page order, at most as many as asked for.

    `cold`: authors of whom nothing is known; `short`: of whom not all that belongs among the `ids` is known.
    """

    ids: list[int]
    cold: list[int]
    short: list[int]


class PulledPosts(Timelines):
    """All lists of pulled posts, by author."""

    def __init__(self, client: RedisClient, *, cap: int, ttl: timedelta) -> None:
        super().__init__(
            client, cap=cap, ttl=ttl, key=keys.pulled_posts, score=score_by_time, newest_floor=keys.NEWEST_PULLED_FLOOR
        )
        self._read_pulled = client.hot_script(source("read_pulled"))

    async def read_merged(
        self, versions: Mapping[int, TimelineVersion], *, position: int, newer: bool, size: int
    ) -> MergedPosts:
        """The next `size` posts of the authors beyond a position: older ones in descending, `newer` ones in ascending order.

        Raises CacheUnavailableError, also where the server was another one than it seemed.
        """
        authors = list(versions)
        merged = MergedPosts([], [], [])
        for start in range(0, len(authors), _KEYS_PER_CALL):
            part = authors[start : start + _KEYS_PER_CALL]
            found = await self._read_part({author: versions[author] for author in part}, position, newer, size)
            ids = sorted([*merged.ids, *found.ids], reverse=not newer)[:size]
            merged = MergedPosts(ids, merged.cold + found.cold, merged.short + found.short)
        return merged

    async def _read_part(self, versions: Mapping[int, TimelineVersion], position: int, newer: bool, size: int) -> MergedPosts:
        authors = list(versions)
        run_id = self._client.run_id
        if not run_id:
            await self._client.call("PING")
            run_id = self._client.run_id
        is_end = position >= MAX_ID and not newer
        arguments: list[str | int] = [
            "newer" if newer else "older",
            "-inf" if is_end else score_by_time(position),
            "" if is_end else member_of(position),
            size,
            self._ttl_ms if random.random() < _TOUCHED else 0,  # noqa: S311 - no secret
            f"r:{run_id}:",
        ]
        arguments += [f"{version.database}:{version.graph}:" for version in versions.values()]
        reply = await self._read_pulled(keys=[self._key(author) for author in authors], args=arguments)
        if self._client.run_id != run_id:
            # It restarted, perhaps with older lists that bear the name of the run we asked for.
            raise CacheUnavailableError("Redis has restarted")
        return MergedPosts(
            ids=ids_of(reply[2]),
            cold=_pick(authors, reply[0]),
            short=_pick(authors, reply[1]),
        )


def _pick(authors: Sequence[int], numbers: Sequence[int]) -> list[int]:
    return [authors[number - 1] for number in numbers]
