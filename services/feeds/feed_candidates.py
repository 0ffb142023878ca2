"""The ids from which a page is made: the timeline in the cache merged with what no timeline holds, or the truth alone.

The order of reading makes it exact without locks. First the database says what is in no list of the cache (own posts, tagged
posts, kept history of pulled authors, posts whose fan-out is still open), then the timeline and the lists of pulled authors
are read: a post whose fan-out ends in between is seen twice rather than not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cache.timelines import Slice, Warmth
from db.database import ReadSession
from db.feed_candidates import FeedViewer, IdRange, load_all_ids, load_unpushed_ids
from domain.errors import CacheUnavailableError
from services.backends import Backends
from services.feeds.pulled_candidates import PulledReader
from services.feeds.rebuild_timeline import rebuild_timeline


@dataclass
class CandidateReader:
    """Gives a viewer's candidates in page order; remembers what it met on the way, for the page's status and the metrics."""

    backends: Backends
    session: ReadSession
    viewer_id: int
    viewer: FeedViewer
    backward: bool
    floor: int = 0
    """Nothing at or below this id is asked for."""
    warmth: Warmth | None = None
    """What the first look at the timeline found; None where nobody looked."""
    is_cache_unavailable: bool = False
    oldest_open_at: datetime | None = None
    _use_cache: bool = field(default=True, init=False)
    _pulled: PulledReader | None = field(default=None, init=False)

    async def next_ids(self, position: int, count: int) -> list[int]:
        """The next `count` ids beyond `position`: older ones in descending, or, backward, newer ones in ascending order."""
        if self.backward:
            position = max(position, self.floor)
        span = IdRange(above=position, ascending=True) if self.backward else IdRange(above=self.floor, below=position)
        if self._use_cache:
            unpushed = await load_unpushed_ids(self.session, self.viewer_id, span, size=count, with_pulled=False)
            self._note_open(unpushed.oldest_open_at)
            pushed = await self._pushed_ids(position, count)
            pulled = await self._pulled_ids(span, count, unpushed.pulled_version) if pushed is not None else None
            if pushed is not None and pulled is not None:
                wanted = {post_id for post_id in (*pushed, *pulled) if post_id > self.floor}
                return sorted({*unpushed.ids, *wanted}, reverse=not self.backward)[:count]
        return await load_all_ids(self.session, self.viewer_id, span, size=count)

    async def _pushed_ids(self, position: int, count: int) -> list[int] | None:
        """The timeline's part; None where the truth must answer instead: no cache, being built, or beyond the slice."""
        try:
            found = await self._read_slice(position, count)
            if self.warmth is None:
                self.warmth = found.warmth
            if found.warmth is Warmth.COLD:
                return await self._rebuilt_ids(position, count)
        except CacheUnavailableError:
            self.is_cache_unavailable = True
            self._use_cache = False
            return None
        if not found.covers:
            # Below the slice, and somebody else's rebuild: every further round of this page asks the database at once.
            self._use_cache = False
            return None
        return found.ids

    async def _pulled_ids(self, span: IdRange, count: int, pulled_version: int) -> list[int] | None:
        """What the followed pulled authors have; None where the cache does not answer."""
        if self._pulled is None:
            self._pulled = PulledReader(self.backends, self.session, self.viewer_id, self.viewer)
        try:
            found = await self._pulled.next_ids(span, size=count, pulled_version=pulled_version)
        except CacheUnavailableError:
            self.is_cache_unavailable = True
            found = None
        if found is None:
            self._use_cache = False
        return found

    async def _read_slice(self, position: int, count: int) -> Slice:
        timelines, version = self.backends.timelines, self.viewer.timeline_version
        if self.backward:
            return await timelines.read_newer(self.viewer_id, version=version, above=position, size=count)
        return await timelines.read_older(self.viewer_id, version=version, below=position, size=count)

    async def _rebuilt_ids(self, position: int, count: int) -> list[int] | None:
        rows = await rebuild_timeline(self.backends, self.session, self.viewer_id, version=self.viewer.timeline_version)
        if rows is None:
            self._use_cache = False
            return None
        is_cut = len(rows) > self.backends.timelines.cap
        if self.backward:
            reaches = not is_cut or rows[-1] <= position
            part = [post_id for post_id in rows if post_id > position][-count:] if count else []
        else:
            part = [post_id for post_id in rows if post_id < position][:count]
            reaches = not is_cut or len(part) == count
        return part if reaches else None

    def _note_open(self, since: datetime | None) -> None:
        if since is not None and (self.oldest_open_at is None or since < self.oldest_open_at):
            self.oldest_open_at = since
