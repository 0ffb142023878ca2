"""Use case: one post as an entry of the viewer's feed."""

from __future__ import annotations

from collections.abc import Sequence

from db.feed_candidates import load_feed_viewer
from domain.feed import FeedEntry
from domain.feed_rule import FeedRules, Reason, Verdict, judge_reason
from services.backends import Backends
from services.feeds.feed_cursors import FeedPlace, seal_place
from services.feeds.feed_entry import make_entry
from services.feeds.judge_reasons import ReasonJudge


async def find_feed_entry(backends: Backends, *, viewer_id: int, post_id: int) -> FeedEntry | None:
    """The edge under which the post stands in the viewer's feed, or None where it is not in it.

    At a moment after this call. Raises UnavailableError.
    """
    own = await _judge_own(backends, viewer_id, post_id)
    if own is not None:
        return _entry(backends, viewer_id, own, [own]) if own.is_valid else None
    async with backends.database.at_once() as session:
        viewer = await load_feed_viewer(session, viewer_id)
        if viewer is None:
            return None
        judged = (await ReasonJudge.of(backends, session, viewer_id, viewer).judge([post_id])).get(post_id)
    if judged is None or not judged.is_shown:
        return None
    return _entry(backends, viewer_id, judged.verdict, judged.named)


async def _judge_own(backends: Backends, viewer_id: int, post_id: int) -> Verdict | None:
    """Whoever asks has nearly always just written the post: then nobody's relation, limit or share has a part in the verdict.

    None where the other way must be taken.
    """
    own = await backends.memory.facts.own_post(viewer_id, post_id) if backends.memory is not None else None
    if own is None or own.facts.post.is_plain_share or own.facts.post.share_count:
        return None
    return judge_reason(
        Reason(own.facts, own.hashtag_ids), FeedRules(viewer_id, backends.policy.repeat_window, own.preferences)
    )


def _entry(backends: Backends, viewer_id: int, verdict: Verdict, named: Sequence[Verdict]) -> FeedEntry:
    facts = verdict.reason.facts
    return make_entry(seal_place(backends.sealer, viewer_id, FeedPlace(facts.post.id)), facts, named)
