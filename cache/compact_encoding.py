"""Whether the server keeps timelines in their compact encoding: 6 kB for 500 entries instead of 40."""

from __future__ import annotations

from cache.client import RedisClient
from cache.timelines import TRIM_SLACK
from domain.errors import CacheUnavailableError

SETTING = "zset-max-listpack-entries"


def entries_needed(cap: int) -> int:
    """Elements that a timeline may have: its entries, those that the next trim takes away, and the marker."""
    return cap + TRIM_SLACK + 2


async def load_entries_allowed(client: RedisClient) -> int | None:
    """Elements up to which the server keeps a sorted set compact; None where it does not say (CONFIG is refused by some).

    Asked apart from what is hot: a refusal is an answer here, and no reason to leave the server alone for a second.
    """
    try:
        reply = await client.run(client.redis.config_get(SETTING))
    except CacheUnavailableError:
        return None
    value = reply.get(SETTING)
    return int(value) if value is not None else None
