"""Use case: one post as an entry of the viewer's feed."""

from __future__ import annotations

from db.feed_candidates import load_feed_viewer
from domain.feed import FeedEntry
from services.backends import Backends
from services.feeds.feed_cursors import FeedPlace, seal_place
from services.feeds.feed_entry import make_entry
from services.feeds.judge_reasons import ReasonJudge


async def find_feed_entry(backends: Backends, *, viewer_id: int, post_id: int) -> FeedEntry | None:
    """The edge under which the post stands in the viewer's feed, or None where it is not in it."""
    async with backends.database.at_once() as session:
        viewer = await load_feed_viewer(session, viewer_id)
        if viewer is None:
            return None
        judged = (await ReasonJudge.of(backends, session, viewer_id, viewer).judge([post_id])).get(post_id)
    if judged is None or not judged.is_shown:
        return None
    facts = judged.verdict.reason.facts
    return make_entry(seal_place(backends.sealer, viewer_id, FeedPlace(facts.post.id)), facts, judged.named)
