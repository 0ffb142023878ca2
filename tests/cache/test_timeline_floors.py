"""Nothing is ever put below a cut slice, whether its floor is asked for or known to be older than the post."""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from datetime import timedelta

from cache.timelines import Timelines, member_of
from domain.ids import make_id
from domain.timeline_version import TimelineVersion
from services.backends import Backends

VERSION = TimelineVersion("abc", 1)
NOW = 1_790_000_000_000
CAP = 20


def post(number: int) -> int:
    return make_id(milliseconds=NOW + number // 3, sequence=number % 3, shard=0)


class Scene(Timelines):
    """Timelines of one test alone."""

    def __init__(self, backends: Backends) -> None:
        self.redis = backends.redis
        self.name = secrets.token_hex(4)
        self.floor = f"{self.name}-floor"
        super().__init__(self.redis, cap=CAP, ttl=timedelta(hours=1), key=self.key, newest_floor=self.floor)

    def key(self, viewer_id: int) -> str:
        return f"{self.name}:{{{viewer_id}}}"

    async def know_old_floors(self) -> None:
        """As it is a minute after the first cut."""
        await self.redis.call("SET", self.floor, member_of(1))


async def make(timelines: Timelines, viewer_id: int, numbers: Sequence[int]) -> None:
    claim = await timelines.begin_building(viewer_id, version=VERSION)
    assert claim is not None
    assert await timelines.finish_building(claim, [post(number) for number in sorted(numbers, reverse=True)])


async def ids_of(timelines: Timelines, viewer_id: int) -> list[int]:
    return (await timelines.inspect(viewer_id)).ids


async def test_a_post_below_a_slice_that_was_just_cut_stays_out(backends: Backends) -> None:
    timelines = Scene(backends)
    await timelines.know_old_floors()
    await make(timelines, 1, range(10))
    await make(timelines, 2, range(100, 100 + CAP + 1))
    assert await timelines.deliver([1, 2, 3], post(101)) == 2, "the slice of 2 begins at 101"
    assert await timelines.deliver([1, 2, 3], post(50)) == 1, "2 is cut above it"
    assert await timelines.deliver([1, 2, 3], post(200)) == 2
    assert await ids_of(timelines, 2) == [post(200), *(post(number) for number in range(100 + CAP, 100, -1))]
    assert await ids_of(timelines, 3) == []


async def test_a_trim_is_a_cut(backends: Backends) -> None:
    timelines = Scene(backends)
    await timelines.know_old_floors()
    await make(timelines, 1, range(10))
    await make(timelines, 2, range(10))
    posts = [post(1_000 + number) for number in range(0, 200, 2)]
    for one in posts:
        await timelines.deliver([1], one)
    found = await timelines.inspect(1)
    assert not found.is_whole
    assert CAP <= len(found.ids) <= CAP + 50
    assert await timelines.deliver([1, 2], found.ids[-1] - 1) == 1, "to 2 alone, which is whole"
    assert await ids_of(timelines, 1) == found.ids


async def test_lost_floors_are_asked_for(backends: Backends) -> None:
    timelines = Scene(backends)
    await make(timelines, 2, range(100, 100 + CAP + 1))
    await backends.redis.call("DEL", timelines.floor)
    assert await timelines.deliver([2], post(50)) == 0
    # Another slice is cut further down: that says nothing of the one before.
    await make(timelines, 3, range(CAP + 1))
    assert await timelines.deliver([2, 3], post(50)) == 1


async def test_timelines_without_entries(backends: Backends) -> None:
    timelines = Scene(backends)
    await timelines.know_old_floors()
    redis = backends.redis
    await redis.call("ZADD", timelines.key(1), "-inf", "b:run:abc:1:0123456789")
    await redis.call("ZADD", timelines.key(2), "-inf", "r:run:abc:1:w")
    await redis.call("ZADD", timelines.key(3), "-inf", "r:run:abc:1:c")
    assert await timelines.deliver([1, 2, 3, 4], post(5)) == 3
    await redis.call("ZADD", timelines.key(5), "-inf", "r:run:abc:1:c")
    await redis.call("SET", timelines.floor, member_of(post(9)))
    assert await timelines.deliver([1, 2, 5], post(6)) == 2, "5 is cut, nobody knows where: it is cold"
    assert await redis.call("EXISTS", timelines.key(5)) == 0


async def test_slices_stay_contiguous_whatever_comes_in_whatever_order(backends: Backends) -> None:
    timelines, chance = Scene(backends), random.Random(6)
    await timelines.know_old_floors()
    viewers = list(range(1, 9))
    there: set[int] = set()
    for number in range(0, 1_500, 5):
        if number % 100 == 0:
            await timelines.forget([viewers[0]])
            viewers.append(viewers.pop(0))
            # What has been decided is in the database: a rebuild reads it.
            rows = sorted(there, reverse=True)[: CAP + 1]
            claim = await timelines.begin_building(viewers[-1], version=VERSION)
            assert claim is not None
            await timelines.finish_building(claim, rows)
        late = chance.choice((0, 0, 0, 1, 7, 60, 400))
        new = post(max(0, number - late) + 1_000)
        there.add(new)
        await timelines.deliver(viewers, new)
        for viewer in chance.sample(viewers, 2):
            found = await timelines.inspect(viewer)
            if found.marker is not None:
                floor = found.ids[-1] if found.ids and not found.is_whole else 0
                assert found.ids == sorted((one for one in there if one >= floor), reverse=True)
