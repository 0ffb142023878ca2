"""Which of the accounts that a viewer follows have pulled posts, each with its import version.

A string a viewer: `RUN:DATABASE:GRAPH:PULLED`, a line feed, then pairs of little-endian 64-bit numbers. The content is a
function of the versions before it, and both come from one statement: whoever writes last writes the same.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from cache import keys
from cache.client import RedisClient
from domain.timeline_version import TimelineVersion


@dataclass(frozen=True, slots=True)
class PulledAuthorsVersion:
    """What the set was made from: the viewer's graph, and the deployment's count of changes to who is pulled."""

    timeline: TimelineVersion
    pulled: int


class PulledAuthors:
    """The sets of all viewers. Methods raise CacheUnavailableError where Redis does not answer in time."""

    def __init__(self, client: RedisClient, *, ttl: timedelta) -> None:
        self._client = client
        self._ttl_ms = int(ttl.total_seconds() * 1_000)

    async def find(self, viewer_id: int, version: PulledAuthorsVersion) -> dict[int, int] | None:
        """Import versions by author; None where no set of that version is there."""
        reply = await self._client.call("GETEX", keys.pulled_authors(viewer_id), "PX", self._ttl_ms)
        if reply is None:
            return None
        stored = cast("bytes", reply)
        # The run is asked for after the reply: a server that came back with older data has another one.
        marker, _, packed = stored.partition(b"\n")
        if marker != self._marker(version):
            return None
        numbers = struct.unpack(f"<{len(packed) // 8}q", packed)
        return dict(zip(numbers[::2], numbers[1::2], strict=True))

    async def store(self, viewer_id: int, authors: Mapping[int, int], version: PulledAuthorsVersion) -> None:
        """Keeps what one statement gave together with `version`."""
        numbers = [number for pair in authors.items() for number in pair]
        value = self._marker(version) + b"\n" + struct.pack(f"<{len(numbers)}q", *numbers)
        await self._client.call("SET", keys.pulled_authors(viewer_id), value, "PX", self._ttl_ms)

    async def forget(self, viewer_id: int) -> None:
        await self._client.call("UNLINK", keys.pulled_authors(viewer_id))

    def _marker(self, version: PulledAuthorsVersion) -> bytes:
        timeline = version.timeline
        return f"{self._client.run_id}:{timeline.database}:{timeline.graph}:{version.pulled}".encode()
