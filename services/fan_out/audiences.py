"""Who receives an author's posts, kept in the worker's memory for authors who post again and again.

A list bears the audience version that was read *before* the list, and is used for a fan-out only where the version that was
read *after* the post's delivery was decided is the same. That makes it whole: whoever began to receive the author's posts
before that reading is in the version, and so in the list; whoever begins later commits a higher graph version, so that their
timeline is made anew by a reading of the database that sees the decided post. Whoever ceased in between is filtered when read.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass

from db.audiences import load_receivers
from db.database import Database

WORTH_FROM = 200
"""Followers below which reading them each time is as fast as asking for their version."""
LIFE_SECONDS = 600.0
"""An author whose last post is older is forgotten, whatever room there is."""
LOAD_CHUNK = 20_000
"""Receivers in one statement: few round trips, and each far below a statement's deadline."""
LARGEST_SHARE = 2
"""A list may take one such part of the room: larger ones are read from the database each time, rather than evict all others."""
MAX_SEEN = 100_000
"""Authors remembered for having posted once."""


@dataclass(frozen=True, slots=True)
class ReceiverList:
    """Everybody who received an author's posts at one audience version, by id.

    `kept_ids` with `kept_until`: who no longer follows, but keeps what was posted up to that id.
    """

    version: int
    follower_ids: array[int]
    kept_ids: array[int]
    kept_until: array[int]

    @property
    def size(self) -> int:
        """Ids in memory."""
        return len(self.follower_ids) + 2 * len(self.kept_ids)

    def chunk(self, post_id: int, *, after_id: int, size: int) -> tuple[list[int], bool]:
        """About `size` receivers of the post behind a receiver, all of them up to the last of these; whether nobody is left."""
        start = bisect_right(self.follower_ids, after_id)
        followers = self.follower_ids[start : start + size]
        is_last = start + size >= len(self.follower_ids)
        kept_from = bisect_right(self.kept_ids, after_id)
        kept_to = len(self.kept_ids) if is_last else bisect_right(self.kept_ids, followers[-1])
        kept = [self.kept_ids[at] for at in range(kept_from, kept_to) if self.kept_until[at] >= post_id]
        return sorted([*followers, *kept]) if kept else followers.tolist(), is_last


class Audiences:
    """The receiver lists of one process: bounded by the ids they hold, least recently used first out."""

    def __init__(self, max_ids: int = 2_000_000) -> None:
        self._max_ids = max_ids
        self._lists: OrderedDict[int, tuple[float, ReceiverList]] = OrderedDict()
        self._ids = 0
        self._seen: OrderedDict[int, float] = OrderedDict()
        self._loading: dict[tuple[int, int], asyncio.Task[ReceiverList]] = {}

    @property
    def ids_held(self) -> int:
        """Ids in memory, for measurements."""
        return self._ids

    def expects(self, author_id: int, follower_count: int) -> bool:
        """Notes a post; whether a list is worth its loading: the author has posted before, lately, and the list would fit."""
        now = time.monotonic()
        last = self._seen.pop(author_id, None)
        self._seen[author_id] = now
        while len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        return last is not None and now - last <= LIFE_SECONDS and follower_count * LARGEST_SHARE <= self._max_ids

    def known(self, author_id: int, version: int) -> ReceiverList | None:
        """The list of that version, where it is in memory."""
        found = self._lists.get(author_id)
        if found is None or found[1].version != version:
            return None
        self._lists.move_to_end(author_id)
        self._lists[author_id] = (time.monotonic(), found[1])
        return found[1]

    async def load(self, database: Database, author_id: int, version: int) -> ReceiverList:
        """The list, loaded once however many jobs ask. `version` was read before. Raises UnavailableError."""
        key = author_id, version
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.get_running_loop().create_task(self._load(database, author_id, version))
            task.add_done_callback(lambda ended: self._loaded(key, ended))
        # A job that is cancelled must not take the list away from the others.
        return await asyncio.shield(task)

    async def _load(self, database: Database, author_id: int, version: int) -> ReceiverList:
        followers, kept_ids, kept_until = array("q"), array("q"), array("q")
        after_id = 0
        while True:
            async with database.reading() as session:
                ids, kept = await load_receivers(session, author_id, after_id=after_id, size=LOAD_CHUNK)
            if kept:
                followers.extend(receiver for receiver in ids if receiver not in kept)
                kept_ids.extend(sorted(kept))
                kept_until.extend(kept[receiver] for receiver in sorted(kept))
            else:
                followers.extend(ids)
            if len(ids) < LOAD_CHUNK:
                break
            after_id = ids[-1]
        loaded = ReceiverList(version, followers, kept_ids, kept_until)
        self._keep(author_id, loaded)
        return loaded

    def _loaded(self, key: tuple[int, int], task: asyncio.Task[ReceiverList]) -> None:
        del self._loading[key]
        if not task.cancelled():
            task.exception()  # looked at here for the case that every job has gone meanwhile

    def _keep(self, author_id: int, loaded: ReceiverList) -> None:
        self._drop(author_id)
        if loaded.size * LARGEST_SHARE > self._max_ids:
            return
        now = time.monotonic()
        self._lists[author_id] = (now, loaded)
        self._ids += loaded.size
        while self._lists:
            oldest = next(iter(self._lists))
            if self._ids <= self._max_ids and now - self._lists[oldest][0] <= LIFE_SECONDS:
                break
            self._drop(oldest)

    def _drop(self, author_id: int) -> None:
        found = self._lists.pop(author_id, None)
        if found is not None:
            self._ids -= found[1].size
