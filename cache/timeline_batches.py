"""Building many timelines in few round trips: what `Timelines` does for one, with the same scripts, in pipelines."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from cache import keys
from cache.client import RedisClient
from cache.timelines import BUILDING_SECONDS, BuildingClaim, Timelines
from domain.ids import MAX_ID, TIME_SHIFT
from domain.timeline_version import TimelineVersion

_TOKEN_BYTES = 5


class TimelineBatches:
    """A friend of `Timelines`: the same caps and lives. Methods raise CacheUnavailableError."""

    def __init__(self, client: RedisClient, timelines: Timelines) -> None:
        self._client = client
        self._timelines = timelines

    async def begin_building(self, versions: Mapping[int, TimelineVersion]) -> list[BuildingClaim]:
        """Claims each viewer's rebuild. Those that are ready already, or in other hands, are missing from the result."""
        await self._client.run(self._client.redis.ping())  # the run id must be the present server's before it is written
        pipeline = self._client.redis.pipeline(transaction=False)
        wanted = []
        for viewer_id, version in versions.items():
            building = "b" + self._timelines._version_part(version)
            ready = self._timelines._ready_prefix(version)
            claim = BuildingClaim(viewer_id, building + secrets.token_hex(_TOKEN_BYTES), ready + "w")
            wanted.append(claim)
            arguments: list[str | int] = [claim.mark, ready, building, int(BUILDING_SECONDS * 1_000)]
            await self._timelines._begin(keys=[keys.timeline(viewer_id)], args=arguments, client=pipeline)
        replies = await self._client.run(pipeline.execute())
        return [claim for claim, is_claimed in zip(wanted, replies, strict=True) if is_claimed]

    async def finish_building(self, claims: Sequence[BuildingClaim], post_ids: Mapping[int, Sequence[int]]) -> int:
        """Stores each viewer's rows (newest first, one more than the cap where there are more); how many claims still stood."""
        cap = self._timelines.cap
        pipeline = self._client.redis.pipeline(transaction=False)
        for claim in claims:
            rows = post_ids.get(claim.viewer_id, ())
            is_cut = len(rows) > cap
            ready = claim.ready_marker[:-1] + ("c" if is_cut else "w")
            arguments: list[str | int] = [claim.mark, ready, self._timelines._ttl_ms, cap, int(is_cut)]
            for post_id in rows[:cap]:
                arguments += [-(post_id >> TIME_SHIFT), MAX_ID - post_id]
            await self._timelines._finish(keys=[keys.timeline(claim.viewer_id)], args=arguments, client=pipeline)
        return sum(map(bool, await self._client.run(pipeline.execute()))) if claims else 0

    async def forget(self, viewer_ids: Sequence[int]) -> None:
        """Makes the timelines cold, whatever lies under their keys."""
        if viewer_ids:
            await self._client.run(self._client.redis.unlink(*(keys.timeline(viewer_id) for viewer_id in viewer_ids)))
