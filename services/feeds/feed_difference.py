"""interim"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from db.database import ReadSession
from services.backends import Backends
from services.feeds.feed_cursors import Moment
from services.feeds.feed_events import FeedChange, FeedResetReason


@dataclass(frozen=True, slots=True)
class Look:
    viewer_id: int
    moment: Moment
    event_ids: Collection[int] | None


@dataclass(frozen=True, slots=True)
class Difference:
    changes: Sequence[FeedChange]
    reached: Moment
    reset: FeedResetReason | None


async def find_differences(backends: Backends, looks: Sequence[Look]) -> list[Difference]:
    raise NotImplementedError


async def find_concerned(session: ReadSession, event_ids: Collection[int], viewer_ids: Collection[int]) -> dict[int, set[int]]:
    raise NotImplementedError
