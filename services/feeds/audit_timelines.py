"""Use case: compare cached timelines with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db.database import ReadSession
from db.feed_candidates import IdRange, load_feed_viewer, load_pushed_ids, load_unpushed_ids
from db.posts import load_posts
from domain.feed_rule import is_source
from services.backends import Backends
from services.feeds.rebuild_timeline import rebuild_timeline

OPEN_CHECKED = 1_000


@dataclass(frozen=True, slots=True)
class TimelineAudit:
    """What is wrong with one timeline. `is_warm` is False where nobody would believe it: then nothing can be wrong.

    `missing`: pushed posts that a reader would not find. `foreign`: entries of accounts that the viewer does not follow, or
    that do not exist (they are filtered when read, but take places). `is_disordered`: entries out of order, or twice.
    """

    viewer_id: int
    is_warm: bool
    entries: int
    missing: list[int]
    foreign: list[int]
    is_disordered: bool

    @property
    def is_right(self) -> bool:
        return not (self.missing or self.foreign or self.is_disordered)


async def audit_timeline(backends: Backends, viewer_id: int) -> TimelineAudit:
    """Compares one timeline. Posts whose fan-out is still open may be missing: readers merge them."""
    async with backends.database.reading() as session:
        viewer = await load_feed_viewer(session, viewer_id)
        # Before the timeline, as a reader does: what is delivered in between is then in both.
        unpushed = await load_unpushed_ids(session, viewer_id, IdRange(), size=OPEN_CHECKED)
        pushed = await load_pushed_ids(session, viewer_id, size=backends.timelines.cap + OPEN_CHECKED)
        found = await backends.timelines.inspect(viewer_id)
        if viewer is None or not backends.timelines.is_current(found.marker, viewer.timeline_version):
            return TimelineAudit(viewer_id, False, len(found.ids), [], [], False)
        foreign = await _foreign(session, viewer_id, found.ids)
    floor = 0 if found.is_whole else (found.ids[-1] if found.ids else 0)
    cached, open_ids = set(found.ids), set(unpushed.ids)
    missing = [post_id for post_id in pushed if post_id >= floor and post_id not in cached and post_id not in open_ids]
    in_order = sorted(set(found.ids), reverse=True)
    return TimelineAudit(viewer_id, True, len(found.ids), missing, foreign, is_disordered=in_order != found.ids)


async def _foreign(session: ReadSession, viewer_id: int, post_ids: Sequence[int]) -> list[int]:
    facts = await load_posts(session, post_ids, viewer_id=viewer_id)
    return [post_id for post_id in post_ids if post_id not in facts or not is_source(facts[post_id].relation, post_id)]


async def repair_timeline(backends: Backends, viewer_id: int) -> None:
    """Makes the timeline anew from the truth."""
    await backends.timelines.forget([viewer_id])
    async with backends.database.reading() as session:
        viewer = await load_feed_viewer(session, viewer_id)
        if viewer is not None:
            await rebuild_timeline(backends, session, viewer_id, version=viewer.timeline_version)
