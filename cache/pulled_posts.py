"""The newest pulled posts of authors who are too large to be pushed: one list an author, however many follow.

Laid out, marked, filled and rebuilt as home timelines are, but under their milliseconds: a merge asks for them by time. The
version in the marker is the author's import version: imports are the only way for a pulled post past the outbox.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from cache import keys
from cache.client import RedisClient
from cache.hot_script import HotScript, PackedScript
from cache.packing import bulks
from cache.scripts import source
from cache.timelines import Slice, Timelines, ids_of, member_of, score_by_time
from domain.errors import CacheUnavailableError
from domain.ids import MAX_ID
from domain.timeline_version import TimelineVersion

KEYS_PER_CALL = 500
"""Lists that one call goes through: what follows more is answered by several, so that no other reader waits for long."""
_NEWEST_END = ("-inf", "")
_TOUCHED = 1 / 16
"""Share of the reads that lengthen the lives of the lists: they live for a day, so this is often enough."""


class WantedLists(NamedTuple):
    """Lists as they are asked for, packed. `keys`: where they are; `markers`: what the rest of each marker must begin with."""

    authors: tuple[int, ...]
    keys: bytes
    markers: bytes


class MergedPosts(NamedTuple):
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
        self._read_older = client.hot_script(source("read_pulled_older"))
        self._read_newer = client.hot_script(source("read_pulled_newer"))

    async def read_merged(
        self, versions: Mapping[int, TimelineVersion], *, position: int, newer: bool, size: int
    ) -> MergedPosts:
        """The next `size` posts of the authors beyond a position: older ones in descending, `newer` ones in ascending order.

        Raises CacheUnavailableError, also where the server was another one than it seemed.
        """
        authors = list(versions)
        merged = MergedPosts([], [], [])
        for start in range(0, len(authors), KEYS_PER_CALL):
            part = authors[start : start + KEYS_PER_CALL]
            found = await self._read_part({author: versions[author] for author in part}, position, newer, size)
            ids = sorted([*merged.ids, *found.ids], reverse=not newer)[:size]
            merged = MergedPosts(ids, merged.cold + found.cold, merged.short + found.short)
        return merged

    async def read_older_with(
        self, timelines: Timelines, viewer_id: int, wanted: WantedLists, *, version: TimelineVersion, below: int, size: int
    ) -> tuple[Slice, MergedPosts]:
        """What `timelines.read_older` and, for as many lists as one call goes through, `read_merged` say: by one question.

        Raises CacheUnavailableError, also where the server was another one than it seemed.
        """
        run_id = await self._run_id()
        own = timelines.older_request(viewer_id, below=below, size=size)
        replies = await self._client.call_many((own, self._older(wanted, below, size)))
        self._check_run(run_id)
        return timelines.to_slice(replies[0], version, size), _to_merged(replies[1], wanted)

    def want(self, versions: Mapping[int, TimelineVersion]) -> WantedLists:
        """What is asked of lists of these versions, good for any number of questions."""
        markers = [f"{each.database}:{each.graph}:" for each in versions.values()]
        return WantedLists(tuple(versions), bulks([*map(self._key, versions)]), bulks(markers))

    async def _read_part(self, versions: Mapping[int, TimelineVersion], position: int, newer: bool, size: int) -> MergedPosts:
        run_id = await self._run_id()
        wanted = self.want(versions)
        if newer:
            place = (score_by_time(position), member_of(position))
            command = self._request(self._read_newer, place, wanted, size)
        else:
            command = self._older(wanted, position, size)
        (reply,) = await self._client.call_many((command,))
        self._check_run(run_id)
        return _to_merged(reply, wanted)

    async def _run_id(self) -> str:
        if not self._client.run_id:
            await self._client.call("PING")
        return self._client.run_id

    def _check_run(self, run_id: str) -> None:
        if self._client.run_id != run_id:
            # It restarted, perhaps with older lists that bear the name of the run we asked for.
            raise CacheUnavailableError("Redis has restarted")

    def _older(self, wanted: WantedLists, below: int, size: int) -> PackedScript:
        place = _NEWEST_END if below >= MAX_ID else (score_by_time(below), member_of(below))
        return self._request(self._read_older, place, wanted, size)

    def _request(self, script: HotScript, place: tuple[str | int, str], wanted: WantedLists, size: int) -> PackedScript:
        ttl = self._ttl_ms if random.random() < _TOUCHED else 0  # noqa: S311 - no secret
        count = len(wanted.authors)
        return script.packed(wanted.keys, count, (*place, size, ttl, f"r:{self._client.run_id}:"), wanted.markers, count)


def _to_merged(reply: Any, wanted: WantedLists) -> MergedPosts:
    cold, short, members = reply
    return MergedPosts(ids_of(members), _pick(wanted.authors, cold), _pick(wanted.authors, short))


def _pick(authors: Sequence[int], numbers: Sequence[int]) -> list[int]:
    return [authors[number - 1] for number in numbers] if numbers else []
