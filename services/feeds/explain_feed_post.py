"""Use case: why a post is, or is not, in the viewer's home feed."""

from __future__ import annotations

from db.feed_candidates import FeedViewer, load_feed_viewer
from domain.errors import UnauthenticatedError
from domain.feed import FeedExplanation, FeedRule
from services.backends import Backends
from services.feeds.judge_reasons import JudgedReason, ReasonJudge

MESSAGES = {
    FeedRule.SHOWN: "The post is in your feed.",
    FeedRule.NOT_FOLLOWING: "You follow neither its author, nor anybody who shared it, nor one of its hashtags.",
    FeedRule.BLOCKED: "You have blocked its author, or whoever shared it.",
    FeedRule.MUTED: "You have muted its author, or whoever shared it.",
    FeedRule.MUTED_WORD: "It holds one of the words that you have muted.",
    FeedRule.NOT_VISIBLE: "There is no such post that you may see.",
    FeedRule.DELETED: "It was deleted.",
    FeedRule.SHARES_HIDDEN: "You have hidden shares, all of them or those of the account that shared it.",
    FeedRule.REPEATED: "It is in your feed already, further down.",
    FeedRule.DAILY_LIMIT: "You see only so many posts of its author a day, and this one came after them.",
    FeedRule.ALREADY_SEEN: "You have seen it, and have hidden what you have seen.",
}

# Of a post that came by no way, a share that something keeps out says more than that the author is not followed.
_TELLING = (FeedRule.DAILY_LIMIT, FeedRule.SHARES_HIDDEN, FeedRule.MUTED, FeedRule.BLOCKED)


async def explain_feed_post(backends: Backends, *, viewer_id: int, post_id: int | None) -> FeedExplanation:
    """The rule that decided, by the facts of now and the code that makes pages.

    A post that does not exist and one that the viewer may not see have the same answer. Of a post that comes into the feed by a
    share it says SHOWN, as of the share itself. Raises UnauthenticatedError, UnavailableError.
    """
    async with backends.database.at_once() as session:
        viewer = await load_feed_viewer(session, viewer_id)
        if viewer is None:
            raise UnauthenticatedError("sign in to see your feed")
        judge = ReasonJudge.of(backends, session, viewer_id, viewer)
        judged = (await judge.judge([post_id])).get(post_id) if post_id is not None else None
    rule = FeedRule.NOT_VISIBLE if judged is None else _rule(judged, judge, viewer)
    return FeedExplanation(rule is FeedRule.SHOWN, rule, MESSAGES[rule])


def _rule(judged: JudgedReason, judge: ReasonJudge, viewer: FeedViewer) -> FeedRule:
    if judged.verdict.reason.facts.post.is_plain_share:
        return _unless_seen(judged, viewer)
    ways = judge.reasons_about(judged.verdict.reason.id)
    shown = [way for way in ways if way.is_shown]
    if shown:
        return _unless_seen(max(shown, key=lambda way: way.verdict.reason.id), viewer)
    if judged.rule is FeedRule.NOT_FOLLOWING:
        found = {way.rule for way in ways}
        return next((rule for rule in _TELLING if rule in found), FeedRule.NOT_FOLLOWING)
    return judged.rule


def _unless_seen(judged: JudgedReason, viewer: FeedViewer) -> FeedRule:
    is_hidden = viewer.preferences.hide_seen and judged.is_shown and judged.verdict.reason.id <= viewer.position
    return FeedRule.ALREADY_SEEN if is_hidden else judged.rule
