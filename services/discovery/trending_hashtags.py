"""Use cases: hashtags that are used more than usual, and finding out which these are."""

from __future__ import annotations

import time
from datetime import timedelta

from db.hashtag_trends import load_trends, replace_trends
from domain.ids import first_id_at
from domain.records import TrendingHashtagRecord
from services.backends import Backends

WINDOW = timedelta(hours=48)
HALF_LIFE = timedelta(hours=6)
"""After this time somebody's use of a hashtag counts half."""
MAX_USES = 100_000
"""The newest uses that are looked at; where there are more, the window is as long as these took."""
KEPT_TRENDS = 500
_AHEAD = timedelta(minutes=1)
"""Ids come from the database's clock, `now` from ours."""
_MAX_AGE = timedelta(hours=1)
"""Trends that nobody has renewed for so long are none."""


async def trending_hashtags(backends: Backends, *, size: int) -> list[TrendingHashtagRecord]:
    """The same for every viewer, as a worker last found them."""
    async with backends.database.at_once() as session:
        found = await load_trends(session, max_age_seconds=_MAX_AGE.total_seconds(), size=size)
    return [TrendingHashtagRecord(hashtag, count) for hashtag, count in found]


async def refresh_trends(backends: Backends, *, now_ms: int | None = None) -> bool:
    """Finds them anew; False where another process is doing so.

    What counts is who uses a hashtag, and when: of each author the newest public, existing post with it, halved every six
    hours; not those of accounts that are private, suspended or shadow-banned. The sum is damped where the hashtag is always
    used: by (n + 1) / (n + usual + 1) for n posts in the window, where it usually has `usual`.
    """
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    async with backends.database.writing() as session:
        return await replace_trends(
            session,
            now_ms=now,
            from_id=first_id_at(now - WINDOW // timedelta(milliseconds=1)),
            to_id=first_id_at(now + _AHEAD // timedelta(milliseconds=1)),
            half_life_ms=HALF_LIFE // timedelta(milliseconds=1),
            max_uses=MAX_USES,
            size=KEPT_TRENDS,
        )
