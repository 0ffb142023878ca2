"""Home timelines in Redis: for each viewer in use, the contiguous newest slice of pushed post ids.

Layout: one sorted set a viewer. The first element is the *marker* (score -inf): state, server run, database, the viewer's
graph version, and whether the slice is whole (`w`: nothing pushed lies below it) or cut (`c`). Marker and entries are one key,
so eviction takes both or none. The other elements are the posts: member = the complement of the id in decimal, score = its
number of digits. So the set's own order is exactly the feed's (a score is a double and holds no whole id), new entries stand
first, where inserting into the compact encoding is cheapest, and a score takes two bytes there: docs/decisions/0050.

A timeline is *warm* when its marker names the present server run, database and graph version; anything else is cold, never
empty.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, NamedTuple, cast

import orjson

from cache import keys
from cache.client import RedisClient
from cache.hot_script import HotScript
from cache.log_writer import telling
from cache.packing import Part
from cache.scripts import source
from domain.event_log import LogEntry
from domain.ids import MAX_ID, TIME_SHIFT
from domain.timeline_version import TimelineVersion

TRIM_SLACK = 50
"""Entries above the cap that may stay until the next trim: trimming at each write costs a third of its speed."""
_MORE_THAN_ANY_CAP = 1_000_000
BUILDING_SECONDS = 5.0
"""Life of a building mark: longer than a rebuild takes, short enough that a dead builder is soon replaced."""
_TOKEN_BYTES = 5
"""Members above 64 bytes cost the set its compact encoding. A building mark has at most 46, and the graph version's digits."""


class Warmth(Enum):
    """What a look at a timeline found."""

    WARM = "warm"
    BUILDING = "building"
    COLD = "cold"


class Slice(NamedTuple):
    """Ids read from a timeline, newest first. `covers`: no pushed post within the asked range is missing from them,
    as far down as the last one (or the whole range, where fewer came than were asked for)."""

    warmth: Warmth
    ids: list[int]
    covers: bool


@dataclass(frozen=True, slots=True)
class BuildingClaim:
    """The right to rebuild one timeline; holds while its mark stands in Redis."""

    owner_id: int
    mark: str
    ready_marker: str


@dataclass(frozen=True, slots=True)
class TimelineInspection:
    """A timeline as it lies in Redis, for operators."""

    marker: str | None
    is_whole: bool
    ids: list[int]
    seconds_to_live: float | None


_COMPLEMENT = MAX_ID.__sub__


def member_of(post_id: int) -> str:
    """The entry of a post: the smaller, the newer."""
    return str(MAX_ID - post_id)


def score_of(post_id: int) -> int:
    """Its score: numbers of one length sort as texts do."""
    return len(member_of(post_id))


def score_by_time(post_id: int) -> int:
    """The score in lists that are asked for by score: entries of one millisecond share it."""
    return -(post_id >> TIME_SHIFT)


def ids_of(members: bytes) -> list[int]:
    """The posts of entries that are joined by commas, as our scripts give them."""
    # JSON's array but for the brackets: read in half the time that `int` takes for each of them.
    return [*map(_COMPLEMENT, orjson.loads(b"[%b]" % members))]


class Timelines:
    """All timelines. Methods raise CacheUnavailableError where Redis does not answer in time.

    `key`: the key of an owner's timeline. Other lists of posts are laid out and kept the same way, `score` apart.
    `newest_floor`: the key under which their scripts keep the newest end of all cut slices.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        cap: int,
        ttl: timedelta,
        key: Callable[[int], str] = keys.timeline,
        score: Callable[[int], int] = score_of,
        newest_floor: str = keys.NEWEST_TIMELINE_FLOOR,
    ) -> None:
        self._client = client
        self._key = key
        self._score = score
        self._newest_floor = newest_floor
        self.cap = cap
        self._ttl_ms = int(ttl.total_seconds() * 1_000)
        self._read = client.hot_script(source("read_timeline"))
        self._deliver = client.hot_script(source("floors", "tell_viewers", "deliver"))
        self._remove = client.hot_script(source("tell_viewers", "remove"))
        self._begin = client.hot_script(source("begin_building"))
        self._finish = client.hot_script(source("floors", "finish_building"))

    async def read_older(self, viewer_id: int, *, version: TimelineVersion, below: int, size: int) -> Slice:
        """Up to `size` ids below `below`, newest first."""
        return self.to_slice(await self._client.call(*self.older_request(viewer_id, below=below, size=size)), version, size)

    async def read_newer(self, viewer_id: int, *, version: TimelineVersion, above: int, size: int) -> Slice:
        """The `size` ids that follow `above` towards the new end, newest first."""
        # Not the cap: another process, or an earlier one, may have had a larger one.
        everything = _MORE_THAN_ANY_CAP
        found = await self._read_slice(viewer_id, version, ["", everything, self._ttl_ms], everything)
        if found.warmth is not Warmth.WARM:
            return found
        reaches = found.covers or (bool(found.ids) and found.ids[-1] <= above)
        newer = [post_id for post_id in found.ids if post_id > above]
        return Slice(Warmth.WARM, newer[-size:] if size else [], covers=reaches)

    async def _read_slice(self, viewer_id: int, version: TimelineVersion, arguments: list[str | int], size: int) -> Slice:
        return self.to_slice(await self._read(keys=[self._key(viewer_id)], args=arguments), version, size)

    def older_request(self, viewer_id: int, *, below: int, size: int) -> tuple[Part, ...]:
        """The command of `read_older`, to be asked together with others; `to_slice` says what the reply means."""
        place = "" if below >= MAX_ID else member_of(below)
        return ("EVALSHA", self._read.digest, 1, self._key(viewer_id), place, size, self._ttl_ms)

    def to_slice(self, reply: Any, version: TimelineVersion, size: int) -> Slice:
        """What the script's reply to a question for `size` entries says."""
        if not reply:
            return Slice(Warmth.COLD, [], covers=False)
        marker = reply[0].decode()
        if not marker.startswith(self._ready_prefix(version)):
            is_building = marker.startswith("b") and marker[1:].startswith(self._version_part(version))
            return Slice(Warmth.BUILDING if is_building else Warmth.COLD, [], covers=False)
        ids = ids_of(reply[2])
        # Cut, and the range ran out: what lies below the slice is not in it.
        return Slice(Warmth.WARM, ids, covers=len(ids) == size or bool(reply[1]) or marker.endswith("w"))

    async def deliver(self, viewer_ids: Sequence[int], post_id: int, entry: LogEntry | None = None) -> int:
        """Adds the post to those of the timelines that are warm or building, once; how many hold it now.

        In the same step the `entry` goes to the logs of those viewers who have one, whatever their timelines are.
        """
        if not viewer_ids:
            return 0
        arguments: list[str | int | bytes] = [
            member_of(post_id),
            self._score(post_id),
            self.cap,
            TRIM_SLACK,
            self._newest_floor,
        ]
        return int(await self._change(self._deliver, viewer_ids, arguments, entry))

    async def remove(self, viewer_ids: Sequence[int], post_id: int, entry: LogEntry | None = None) -> None:
        """Takes the post out of the timelines, which frees its place: readers filter in any case. `entry`: as in `deliver`."""
        if viewer_ids:
            await self._change(self._remove, viewer_ids, [member_of(post_id)], entry)

    async def _change(
        self, script: HotScript, viewer_ids: Sequence[int], arguments: list[str | int | bytes], entry: LogEntry | None
    ) -> Any:
        if entry is not None:
            arguments += telling(viewer_ids, entry)
        return await script(keys=[self._key(viewer) for viewer in viewer_ids], args=arguments)

    async def begin_building(self, viewer_id: int, *, version: TimelineVersion) -> BuildingClaim | None:
        """Claims the rebuild, over all processes; None where it is ready meanwhile, or somebody else is at it.

        From now on fan-out writes to the timeline: whatever is decided after this call and missing from the builder's read
        of the database arrives that way.
        """
        await self._client.call("PING")  # the run id must be the present server's before it is written
        building = "b" + self._version_part(version)
        mark = building + secrets.token_hex(_TOKEN_BYTES)
        ready = self._ready_prefix(version)
        arguments: list[str | int] = [mark, ready, building, int(BUILDING_SECONDS * 1_000)]
        claimed = await self._begin(keys=[self._key(viewer_id)], args=arguments)
        return BuildingClaim(viewer_id, mark, ready + "w") if claimed else None

    async def begin_building_many(self, versions: Mapping[int, TimelineVersion]) -> list[BuildingClaim]:
        """`begin_building` for several owners in two round trips: the claims that were given."""
        await self._client.call("PING")
        claims: list[BuildingClaim] = []
        commands = []
        for owner_id, version in versions.items():
            building, ready = "b" + self._version_part(version), self._ready_prefix(version)
            mark = building + secrets.token_hex(_TOKEN_BYTES)
            arguments: list[str | int] = [mark, ready, building, int(BUILDING_SECONDS * 1_000)]
            commands.append(self._begin.command([self._key(owner_id)], arguments))
            claims.append(BuildingClaim(owner_id, mark, ready + "w"))
        replies = await self._client.call_many(commands)
        return [claim for claim, reply in zip(claims, replies, strict=True) if reply]

    async def finish_building(self, claim: BuildingClaim, post_ids: Sequence[int]) -> bool:
        """Stores the rows (newest first, one more than the cap where there are more) and makes the timeline warm.

        False where the claim no longer stands: wiped, evicted or overtaken by a newer graph.
        """
        arguments = self._rows_of(claim, post_ids)
        return bool(await self._finish(keys=[self._key(claim.owner_id)], args=arguments))

    async def finish_building_many(self, built: Sequence[tuple[BuildingClaim, Sequence[int]]]) -> int:
        """`finish_building` for several owners in one round trip: how many claims still stood."""
        rows = [(self._key(claim.owner_id), self._rows_of(claim, post_ids)) for claim, post_ids in built]
        return sum(map(bool, await self._client.call_many([self._finish.command([key], row) for key, row in rows])))

    def _rows_of(self, claim: BuildingClaim, post_ids: Sequence[int]) -> list[str | int]:
        is_cut = len(post_ids) > self.cap
        ready = claim.ready_marker[:-1] + ("c" if is_cut else "w")
        arguments: list[str | int] = [claim.mark, ready, self._ttl_ms, self.cap, int(is_cut), self._newest_floor]
        for post_id in reversed(post_ids[: self.cap]):
            arguments += [self._score(post_id), member_of(post_id)]
        return arguments

    async def forget(self, viewer_ids: Sequence[int]) -> int:
        """Makes the timelines cold; how many there were."""
        if not viewer_ids:
            return 0
        return int(await self._client.call("UNLINK", *map(self._key, viewer_ids)))

    async def inspect(self, viewer_id: int) -> TimelineInspection:
        """The timeline as it is, without touching its life."""
        key = self._key(viewer_id)
        members: list[bytes] = cast("list[bytes]", await self._client.run(self._client.redis.zrange(key, 0, -1)))
        ttl = int(await self._client.run(self._client.redis.pttl(key)))
        if not members:
            return TimelineInspection(None, is_whole=False, ids=[], seconds_to_live=None)
        marker = members[0].decode()
        if marker[:1].isdigit():
            return TimelineInspection(None, is_whole=False, ids=[MAX_ID - int(m) for m in members], seconds_to_live=ttl / 1_000)
        ids = [MAX_ID - int(member) for member in members[1:]]
        return TimelineInspection(marker, is_whole=marker.endswith("w"), ids=ids, seconds_to_live=ttl / 1_000)

    async def viewer_ids(self) -> AsyncIterator[int]:
        """Everybody who has a timeline, in no order; some may come twice."""
        prefix, suffix = self._key(0).split("0")
        cursor = 0
        while True:
            cursor, found = await self._client.run(self._client.redis.scan(cursor, match=f"{prefix}*{suffix}", count=1_000))
            for key in found:
                number = cast("bytes", key).decode().removeprefix(prefix).removesuffix(suffix)
                if number.isdigit():
                    yield int(number)
            if cursor == 0:
                return

    def is_current(self, marker: str | None, version: TimelineVersion) -> bool:
        """Whether a marker makes its timeline warm now."""
        return marker is not None and marker.startswith(self._ready_prefix(version))

    def _version_part(self, version: TimelineVersion) -> str:
        return f":{self._client.run_id}:{version.database}:{version.graph}:"

    def _ready_prefix(self, version: TimelineVersion) -> str:
        return "r" + self._version_part(version)
