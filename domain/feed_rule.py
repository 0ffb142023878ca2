"""The one rule of the home feed: which reasons are valid for a viewer, and which of them are shown.

A *reason* is an id that brings a post into the feed: the post itself (own, by a followed author, with a followed hashtag), or a
share without words by somebody followed; the post that it is about is its *root*. Pure: judges facts that were loaded with the
page. Pages, live events, explanations and counts all ask here, whatever way the candidates came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.feed import FeedReasonKind, FeedRule
from domain.ids import first_id_at, milliseconds_of
from domain.muted_words import MutedWords
from domain.preferences import NO_PREFERENCES, FeedPreferences
from domain.records import PostFacts, Relation, UserRecord
from domain.visibility import HiddenBecause, why_post_is_hidden


@dataclass(frozen=True, slots=True)
class FeedRules:
    """What one viewer's reasons are judged by."""

    viewer_id: int
    repeat_window: timedelta
    preferences: FeedPreferences = NO_PREFERENCES

    def mutes_words_in(self, text: str) -> bool:
        """Whether the text holds one of the viewer's muted words."""
        words = self.preferences.muted_words
        return bool(words) and MutedWords.of(words).matches(text)

    def window_start(self, reason_id: int) -> int:
        """The first id of the window before a reason in which another one of the same root makes it a repetition."""
        return first_id_at(milliseconds_of(reason_id) - self.repeat_window // timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason and what it is judged by, apart from the viewer's rules."""

    facts: PostFacts
    hashtag_ids: tuple[int, ...] = ()
    """Hashtags of the post itself that the viewer follows; a share without words has none."""
    day_rank: int = 0
    """How many reasons its author made earlier that UTC day; counts only where the viewer has set a daily limit."""

    @property
    def id(self) -> int:
        return self.facts.post.id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a reason. SHOWN: it is valid, by `kinds`; whether it is a repetition depends on the other ones."""

    reason: Reason
    rule: FeedRule
    kinds: tuple[FeedReasonKind, ...] = ()

    @property
    def is_valid(self) -> bool:
        return self.rule is FeedRule.SHOWN


def judge_reason(reason: Reason, rules: FeedRules) -> Verdict:
    """Whether a reason is valid for the viewer: the first rule that says no, or SHOWN."""
    facts = reason.facts
    hidden = why_post_is_hidden(facts, viewer_id=rules.viewer_id)
    if hidden is not None:
        return Verdict(reason, _RULES.get(hidden, FeedRule.NOT_VISIBLE))
    kinds = _kinds(reason, rules.viewer_id)
    if not kinds:
        return Verdict(reason, FeedRule.NOT_FOLLOWING)
    if facts.relation.is_muting or facts.about.relation.is_muting:
        return Verdict(reason, FeedRule.MUTED)
    if rules.mutes_words_in(facts.about.post.text):
        return Verdict(reason, FeedRule.MUTED_WORD)
    if facts.post.is_plain_share and (rules.preferences.hide_shares or facts.relation.hide_shares):
        return Verdict(reason, FeedRule.SHARES_HIDDEN)
    if facts.relation.daily_limit is not None and reason.day_rank >= facts.relation.daily_limit:
        # The limit is on what comes by following the author: a hashtag brings the same post all the same.
        kinds = tuple(kind for kind in kinds if kind is FeedReasonKind.FOLLOWED_HASHTAG)
        if not kinds:
            return Verdict(reason, FeedRule.DAILY_LIMIT)
    return Verdict(reason, FeedRule.SHOWN, kinds)


def shows_all_public_posts(author: UserRecord, relation: Relation) -> bool:
    """Whether `judge_reason` says of every public post of the author alone, whatever it is, that it is shown because the author
    is followed: the rule's answer for nearly everybody, found once instead of for each post.

    It still hangs on the post whether it is public, not deleted, no share, and without a muted word.
    """
    return follows_plainly(relation) and not (author.is_suspended or author.is_shadow_banned)


def follows_plainly(relation: Relation) -> bool:
    """What of `shows_all_public_posts` hangs on the relation; of the author remains that neither moderation has struck them."""
    return (
        relation.follows
        and not (relation.is_blocking or relation.is_blocked_by or relation.is_muting)
        and relation.daily_limit is None
    )


_RULES = {HiddenBecause.DELETED: FeedRule.DELETED, HiddenBecause.AUTHOR_BLOCKED: FeedRule.BLOCKED}
"""Everything else looks like what does not exist: not even who has blocked the viewer is told."""


def _kinds(reason: Reason, viewer_id: int) -> tuple[FeedReasonKind, ...]:
    facts = reason.facts
    comes_by_author = is_source(facts.relation, reason.id)
    if facts.post.is_plain_share:
        return (FeedReasonKind.FOLLOWED_SHARER,) if comes_by_author else ()
    kinds = []
    if facts.post.author_id == viewer_id:
        kinds.append(FeedReasonKind.OWN_POST)
    if comes_by_author:
        kinds.append(FeedReasonKind.FOLLOWED_AUTHOR)
    if reason.hashtag_ids:
        kinds.append(FeedReasonKind.FOLLOWED_HASHTAG)
    return tuple(kinds)


def is_source(relation: Relation, reason_id: int) -> bool:
    """Whether a reason by the account comes into the viewer's feed: it is followed, or was when history was kept."""
    return relation.follows or (relation.kept_until is not None and reason_id <= relation.kept_until)


def is_repetition(reason_id: int, valid_ids: Sequence[int], rules: FeedRules) -> bool:
    """Whether another valid reason of the same root lies in the window before this one."""
    start = rules.window_start(reason_id)
    return any(start <= other < reason_id for other in valid_ids)


def reasons_of_entry(reason_id: int, verdicts: Sequence[Verdict], rules: FeedRules) -> list[Verdict]:
    """The valid reasons that an entry stands for: its own, and those whose repetition it spares the reader; oldest first."""
    named = [
        verdict
        for verdict in verdicts
        if verdict.is_valid and rules.window_start(verdict.reason.id) <= reason_id <= verdict.reason.id
    ]
    return sorted(named, key=lambda verdict: verdict.reason.id)
