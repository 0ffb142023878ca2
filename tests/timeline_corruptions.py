"""Ways to spoil a timeline in Redis behind everybody's back, and the words by which an audit must name each."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from cache import keys
from cache.timeline_audit import StoredTimeline
from domain.ids import MAX_ID
from domain.timeline_differences import TimelineFault

LARGE = 5
"""Entries from which on every kind of corruption can be told from every other."""


@dataclass(frozen=True, slots=True)
class Victim:
    """A warm, right timeline and what is needed to spoil it. `stranger_id`: a pushed post by somebody not followed.

    `older_id`: of a cut timeline a pushed post that would belong below its last entry, but not directly.
    `other_entries`: those of another warm timeline, or of this one under another graph.
    """

    stored: StoredTimeline
    stranger_id: int
    older_id: int | None
    other_entries: list[int]

    @property
    def key(self) -> str:
        return keys.timeline(self.stored.viewer_id)

    @property
    def marker(self) -> str:
        assert self.stored.marker is not None
        return self.stored.marker.text


@dataclass(frozen=True, slots=True)
class Corruption:
    """`spoil` returns False where this timeline cannot be spoiled in this way. `words`: at least one of them must be said."""

    name: str
    words: frozenset[TimelineFault]
    spoil: Callable[[Redis, Victim, random.Random], Awaitable[bool]]


def member(post_id: int) -> str:
    return str(MAX_ID - post_id)


def score(post_id: int) -> int:
    return len(member(post_id))


async def _remove_one(redis: Redis, victim: Victim, chance: random.Random) -> bool:
    # Neither the last entry of a whole slice nor the last but one of a cut one: that would be another corruption as well.
    if len(victim.stored.ids) < LARGE:
        return False
    return bool(await redis.zrem(victim.key, member(chance.choice(victim.stored.ids[:-3]))))


async def _add_a_strangers(redis: Redis, victim: Victim, _: random.Random) -> bool:
    return bool(await redis.zadd(victim.key, {member(victim.stranger_id): score(victim.stranger_id)}))


async def _add_no_post(redis: Redis, victim: Victim, chance: random.Random) -> bool:
    if not victim.stored.ids:
        return False
    post_id = chance.choice(victim.stored.ids) ^ 1 << chance.randrange(22)
    return bool(await redis.zadd(victim.key, {member(post_id): score(post_id)}))


async def _add_twice(redis: Redis, victim: Victim, chance: random.Random) -> bool:
    if not victim.stored.ids:
        return False
    post_id = chance.choice(victim.stored.ids)
    return bool(await redis.zadd(victim.key, {"0" + member(post_id): score(post_id)}))


async def _misplace(redis: Redis, victim: Victim, chance: random.Random) -> bool:
    if not victim.stored.ids:
        return False
    post_id = chance.choice(victim.stored.ids)
    await redis.zadd(victim.key, {member(post_id): score(post_id) + chance.choice((-1, 1, 3_600_000))})
    return True


async def _add_below(redis: Redis, victim: Victim, _: random.Random) -> bool:
    if victim.older_id is None:
        return False
    return bool(await redis.zadd(victim.key, {member(victim.older_id): score(victim.older_id)}))


async def _forge_marker(redis: Redis, victim: Victim, _: random.Random) -> bool:
    """The content of another graph under the marker of the present one."""
    if not set(victim.other_entries) - set(victim.stored.ids) or not victim.stored.ids:
        return False
    await _replace(redis, victim, f"{victim.marker[:-1]}w", victim.other_entries)
    return True


async def _say_whole(redis: Redis, victim: Victim, _: random.Random) -> bool:
    if victim.marker.endswith("w"):
        return False
    await _replace(redis, victim, f"{victim.marker[:-1]}w", victim.stored.ids)
    return True


async def _cut_to_nothing(redis: Redis, victim: Victim, _: random.Random) -> bool:
    await _replace(redis, victim, f"{victim.marker[:-1]}c", [])
    return True


async def _garble_marker(redis: Redis, victim: Victim, chance: random.Random) -> bool:
    text = chance.choice(["r", "ready", victim.marker[:-1] + "x", victim.marker.replace(":", ";")])
    await _replace(redis, victim, text, victim.stored.ids)
    return True


async def _take_marker(redis: Redis, victim: Victim, _: random.Random) -> bool:
    return bool(victim.stored.ids) and bool(await redis.zrem(victim.key, victim.marker))


async def _build_for_ever(redis: Redis, victim: Victim, _: random.Random) -> bool:
    await _replace(redis, victim, "b" + victim.marker[1:-1] + "0123456789", [])
    await redis.persist(victim.key)
    return True


async def _add_no_id(redis: Redis, victim: Victim, chance: random.Random) -> bool:
    text = chance.choice(["12x", "", "-5", "0", str(MAX_ID + 1), "r:second:marker:1:w"])
    return bool(await redis.zadd(victim.key, {text: -1}))


async def _replace_by_text(redis: Redis, victim: Victim, _: random.Random) -> bool:
    await redis.set(victim.key, "no timeline")
    return True


async def _replace(redis: Redis, victim: Victim, marker: str, post_ids: list[int]) -> None:
    pipeline = redis.pipeline(transaction=True)
    pipeline.delete(victim.key)
    pipeline.zadd(victim.key, {marker: "-inf", **{member(post_id): score(post_id) for post_id in post_ids}})
    pipeline.expire(victim.key, 3_600)
    await pipeline.execute()


def _corruption(
    name: str, spoil: Callable[[Redis, Victim, random.Random], Awaitable[bool]], *words: TimelineFault
) -> Corruption:
    return Corruption(name, frozenset(words), spoil)


CORRUPTIONS = (
    _corruption("missing", _remove_one, TimelineFault.MISSING),
    _corruption("foreign", _add_a_strangers, TimelineFault.FOREIGN),
    _corruption("no post", _add_no_post, TimelineFault.FOREIGN),
    _corruption("twice", _add_twice, TimelineFault.TWICE),
    _corruption("out of order", _misplace, TimelineFault.OUT_OF_ORDER),
    _corruption("below the slice", _add_below, TimelineFault.BELOW_SLICE),
    _corruption("stale marker", _forge_marker, TimelineFault.MISSING, TimelineFault.FOREIGN),
    _corruption("falsely whole", _say_whole, TimelineFault.FALSELY_WHOLE),
    _corruption("cut but empty", _cut_to_nothing, TimelineFault.CUT_BUT_EMPTY),
    _corruption("unreadable marker", _garble_marker, TimelineFault.UNREADABLE_MARKER),
    _corruption("no marker", _take_marker, TimelineFault.NO_MARKER),
    _corruption("building without end", _build_for_ever, TimelineFault.ENDLESS_BUILDING),
    _corruption("no id", _add_no_id, TimelineFault.NO_ID),
    _corruption("wrong type", _replace_by_text, TimelineFault.WRONG_TYPE),
)
