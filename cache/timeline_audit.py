"""Timelines as they lie in Redis, whatever is in them: for the auditor, who believes nothing.

Layout, marker and their meaning are those of `cache.timelines`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from redis.exceptions import ResponseError

from cache import keys
from cache.client import RedisClient
from cache.timelines import BUILDING_SECONDS, score_of
from domain.errors import CacheUnavailableError
from domain.ids import MAX_ID
from domain.timeline_version import TimelineVersion

_MARKER = re.compile(r"([rb]):([^:]*):([^:]+):(\d{1,19}):(.+)", re.ASCII)
_MARKER_SCORE = b"-inf"
_USUAL_DIGITS = 19
_USUAL_SCORE = b"19"
_KEYS_A_SCAN = 1_000
_SCANNED_WHOLE = 20_000
"""Below so many keys a sample is drawn from the list of all: drawing keys at random would meet few of them, and some twice."""
_DRAWS = 5


@dataclass(frozen=True, slots=True)
class StoredMarker:
    """What a marker says. `is_whole` counts where it is ready."""

    text: str
    is_ready: bool
    is_whole: bool
    run_id: str
    version: TimelineVersion


@dataclass(frozen=True, slots=True)
class StoredTimeline:
    """One key. `ids`: the entries, newest first, each once. Nothing but `viewer_id` is set where there is no timeline.

    `marker` is None where the first element is none (`has_marker` False) or says nothing that anybody would understand.
    `twice`: ids with more than one member; `misplaced`: entries whose score is not their own, so that they do not stand where
    they belong; `no_ids`: elements that are no entry at all.
    """

    viewer_id: int
    is_there: bool = False
    is_sorted_set: bool = True
    has_marker: bool = False
    marker: StoredMarker | None = None
    ids: list[int] = field(default_factory=list)
    twice: list[int] = field(default_factory=list)
    misplaced: list[int] = field(default_factory=list)
    no_ids: list[str] = field(default_factory=list)

    @property
    def is_well_formed(self) -> bool:
        """Whether every element is what it should be, as far as that can be said without the truth."""
        return self.is_sorted_set and self.marker is not None and not (self.twice or self.misplaced or self.no_ids)


class TimelineReader:
    """Reads many timelines in one round trip each way. Methods raise CacheUnavailableError."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def read(self, viewer_ids: Sequence[int]) -> list[StoredTimeline]:
        """In the order of `viewer_ids`, without touching their lives."""
        pipeline = self._client.redis.pipeline(transaction=False)
        for viewer_id in viewer_ids:
            # As a bare command: the client's own method would turn every score into a float.
            pipeline.execute_command("ZRANGE", keys.timeline(viewer_id), 0, -1, "WITHSCORES")
        replies = await self._client.run(pipeline.execute(raise_on_error=False))
        return [_to_timeline(viewer_id, reply) for viewer_id, reply in zip(viewer_ids, replies, strict=True)]

    async def find_endless_marks(self, viewer_ids: Sequence[int]) -> set[int]:
        """Those whose building mark would stand for longer than any builder may take."""
        pipeline = self._client.redis.pipeline(transaction=True)  # the mark and its life at one moment
        for viewer_id in viewer_ids:
            pipeline.zrange(keys.timeline(viewer_id), 0, 0)
            pipeline.pttl(keys.timeline(viewer_id))
        replies = iter(await self._client.run(pipeline.execute()))
        longest_ms = BUILDING_SECONDS * 1_000
        endless = set()
        for viewer_id, first, life_ms in zip(viewer_ids, replies, replies, strict=True):
            if first and first[0].startswith(b"b:") and not 0 <= life_ms <= longest_ms:
                endless.add(viewer_id)
        return endless

    async def seconds_to_live(self, viewer_id: int) -> float | None:
        """None where the key is not there, or has no end."""
        life_ms = int(await self._client.run(self._client.redis.pttl(keys.timeline(viewer_id))))
        return life_ms / 1_000 if life_ms >= 0 else None

    async def sample(self, size: int) -> list[int]:
        """Up to `size` different viewers who have a timeline, at random."""
        if int(await self._client.run(self._client.redis.dbsize())) <= max(_SCANNED_WHOLE, size):
            found = await self._scan()
            return random.sample(sorted(found), min(size, len(found)))
        drawn: set[int] = set()
        for _ in range(_DRAWS):
            pipeline = self._client.redis.pipeline(transaction=False)
            for _ in range(size):
                pipeline.randomkey()
            drawn |= _viewers(await self._client.run(pipeline.execute()))
            if len(drawn) >= size:
                break
        return random.sample(sorted(drawn), min(size, len(drawn)))

    async def _scan(self) -> set[int]:
        found: set[int] = set()
        cursor = 0
        while True:
            cursor, page = await self._client.run(self._client.redis.scan(cursor, count=_KEYS_A_SCAN))
            found |= _viewers(page)
            if cursor == 0:
                return found

    def is_current(self, marker: StoredMarker, version: TimelineVersion) -> bool:
        """Whether somebody would act on the marker now: believe it, or wait for who is building."""
        return marker.run_id == self._client.run_id and marker.version == version


def _viewers(names: Iterable[Any]) -> set[int]:
    prefix, suffix = (part.encode() for part in keys.timeline(0).split("0"))
    found = set()
    for name in names:
        if name is not None and name.startswith(prefix) and name.endswith(suffix):
            number = name.removeprefix(prefix).removesuffix(suffix)
            if number.isdigit() and int(number) <= MAX_ID:
                found.add(int(number))
    return found


def _to_timeline(viewer_id: int, reply: Any) -> StoredTimeline:
    if isinstance(reply, ResponseError) and str(reply).startswith("WRONGTYPE"):
        return StoredTimeline(viewer_id, is_there=True, is_sorted_set=False)
    if isinstance(reply, Exception):
        raise CacheUnavailableError(str(reply)) from reply
    if not reply:
        return StoredTimeline(viewer_id)
    elements = cast("list[bytes]", reply)
    # Without a marker in its place an entry stands first; anything else there was meant as one.
    has_marker = elements[1] == _MARKER_SCORE or not elements[0].isdigit()
    marker = _to_marker(elements[0]) if elements[1] == _MARKER_SCORE else None
    start = 2 if has_marker else 0
    members, scores = elements[start::2], elements[start + 1 :: 2]
    if (ids := _usual_ids(members, scores)) is not None:
        return StoredTimeline(viewer_id, is_there=True, has_marker=has_marker, marker=marker, ids=ids)
    return _to_unusual(viewer_id, has_marker, marker, members, scores)


def _to_marker(member: bytes) -> StoredMarker | None:
    text = member.decode(errors="replace")
    parts = _MARKER.fullmatch(text)
    if parts is None:
        return None
    state, run_id, database, graph, end = parts.groups()
    is_ready = state == "r"
    if is_ready and end not in {"w", "c"}:
        return None
    return StoredMarker(text, is_ready, end == "w", run_id, TimelineVersion(database, int(graph)))


def _usual_ids(members: list[bytes], scores: list[bytes]) -> list[int] | None:
    """The ids where every entry is as we write it, in few steps for all of them together; else None.

    Members of one length without a leading zero, under that length: then none can come twice, and the set's order is the
    feed's.
    """
    if not members:
        return []
    if set(map(len, members)) != {_USUAL_DIGITS} or not b"".join(members).isdigit() or min(members) < b"1":
        return None
    ids = [MAX_ID - int(member) for member in members]
    return ids if ids[-1] > 0 and set(scores) == {_USUAL_SCORE} else None


def _to_unusual(
    viewer_id: int, has_marker: bool, marker: StoredMarker | None, members: list[bytes], scores: list[bytes]
) -> StoredTimeline:
    ids: list[int] = []
    twice: list[int] = []
    misplaced: list[int] = []
    no_ids: list[str] = []
    exact = set(members)
    for member, score in zip(members, scores, strict=True):
        number = int(member) if member.isdigit() and len(member) <= 2 * _USUAL_DIGITS else -1
        post_id = MAX_ID - number
        canonical = b"%d" % number
        if not 0 < post_id < MAX_ID or (member != canonical and canonical not in exact):
            no_ids.append(member.decode(errors="backslashreplace"))
        elif member != canonical:
            twice.append(post_id)
        else:
            ids.append(post_id)
            if float(score) != score_of(post_id):
                misplaced.append(post_id)
    return StoredTimeline(
        viewer_id,
        is_there=True,
        has_marker=has_marker,
        marker=marker,
        ids=sorted(ids, reverse=True),
        twice=twice,
        misplaced=misplaced,
        no_ids=no_ids,
    )
