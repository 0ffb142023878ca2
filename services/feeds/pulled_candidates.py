"""Posts of pulled authors for a page: from the authors' lists in the cache, and from the truth where a list cannot answer.

Why nothing is missing: the caller has read the open outbox rows and, in the same statement, the deployment's pulled version. A
row that is closed there was closed after its post's decision was committed (so its author is in the set of that pulled version)
and after its id had been delivered to the author's list, where that was warm or being built. A list that was neither has been
made since, by a reading of the truth that came after the mark, and so after the decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cache.pulled_authors import PulledAuthorsVersion
from db.database import ReadSession
from db.feed_candidates import FeedViewer, IdRange
from db.pulled_posts import load_newest_pulled_ids, load_pulled_authors, load_pulled_ids
from domain.timeline_version import TimelineVersion
from services.backends import Backends

MAX_REBUILDS = 20
"""Lists that one request makes; the truth answers for the rest, and the next request goes on."""


@dataclass
class PulledReader:
    """The pulled part of one request's candidates. Methods raise CacheUnavailableError."""

    backends: Backends
    session: ReadSession
    viewer_id: int
    viewer: FeedViewer
    _authors: dict[int, int] | None = field(default=None, init=False)
    _authors_of: int = field(default=-1, init=False)
    _rebuilds_left: int = field(default=MAX_REBUILDS, init=False)

    async def next_ids(self, span: IdRange, *, size: int, pulled_version: int) -> list[int] | None:
        """The next `size` of the pulled posts of followed authors, and perhaps some more.

        None where the viewer has begun or ceased to follow somebody meanwhile: then one statement must tell all.
        """
        authors = await self._find_authors(pulled_version)
        if not authors:
            return None if authors is None else []
        database = self.viewer.database_identity
        versions = {author: TimelineVersion(database, imported) for author, imported in authors.items()}
        position = span.above if span.ascending else span.below
        lists = self.backends.pulled_posts
        merged = await lists.read_merged(versions, position=position, newer=span.ascending, size=size)
        ids = merged.ids
        unanswered = [*merged.cold, *merged.short]
        if unanswered:
            ids = [*ids, *await load_pulled_ids(self.session, unanswered, span, size=size)]
        await self._rebuild({author: versions[author] for author in merged.cold[: self._rebuilds_left]})
        return ids

    async def _find_authors(self, pulled_version: int) -> dict[int, int] | None:
        """Import versions by author, of the graph that the page is read with, at a moment not before `pulled_version`."""
        if self._authors is not None and self._authors_of >= pulled_version:
            return self._authors
        sets, timeline = self.backends.pulled_authors, self.viewer.timeline_version
        found = await sets.find(self.viewer_id, PulledAuthorsVersion(timeline, pulled_version))
        if found is None:
            loaded = await load_pulled_authors(self.session, self.viewer_id)
            if loaded is None:
                return None
            now = TimelineVersion(timeline.database, loaded.graph_version)
            await sets.store(self.viewer_id, loaded.import_versions, PulledAuthorsVersion(now, loaded.pulled_version))
            if now != timeline:
                # An account that became kept history after that was read would be in neither.
                return None
            found = loaded.import_versions
        self._authors, self._authors_of = found, pulled_version
        return found

    async def _rebuild(self, versions: dict[int, TimelineVersion]) -> None:
        """Makes cold lists, each by one reader at a time over all processes: mark, read the truth, finish."""
        if not versions:
            return
        self._rebuilds_left -= len(versions)
        lists = self.backends.pulled_posts
        claims = await lists.begin_building_many(versions)
        if claims:
            rows = await load_newest_pulled_ids(self.session, [claim.owner_id for claim in claims], size=lists.cap + 1)
            await lists.finish_building_many([(claim, rows[claim.owner_id]) for claim in claims])
