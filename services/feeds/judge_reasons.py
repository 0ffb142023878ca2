"""Candidates of one viewer's feed before the feed rule: what it needs is loaded, and each candidate gets its verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from db.database import ReadSession
from db.feed_candidates import FeedViewer
from domain.feed import FeedRule
from domain.feed_rule import FeedRules, Reason, Verdict, is_repetition, judge_reason, reasons_of_entry
from domain.records import PostFacts
from services.backends import Backends
from services.feeds.reason_facts import ReasonFacts, SessionFacts

_VIEWER_SIDE_FACTOR = 4
"""A post with so many times more shares than the viewer follows accounts is looked at from the viewer's side."""

_SEARCHED_AT_A_TIME = 20
"""Texts searched for muted words before others have a turn."""


@dataclass(frozen=True, slots=True)
class JudgedReason:
    """A candidate with its verdict, repetitions told apart; `named`: the valid reasons of its entry, oldest first."""

    verdict: Verdict
    rule: FeedRule
    named: Sequence[Verdict] = ()

    @property
    def is_shown(self) -> bool:
        return self.rule is FeedRule.SHOWN


@dataclass
class ReasonJudge:
    """Judges candidates on facts of now. What concerns a post is asked for once a page."""

    facts: ReasonFacts
    viewer_id: int
    viewer: FeedViewer
    rules: FeedRules
    _by_root: dict[int, list[Verdict]] = field(default_factory=dict)

    @classmethod
    def of(cls, backends: Backends, session: ReadSession, viewer_id: int, viewer: FeedViewer) -> ReasonJudge:
        """A judge on facts of one session."""
        return cls.on(SessionFacts(session, viewer_id), backends, viewer_id, viewer)

    @classmethod
    def on(cls, facts: ReasonFacts, backends: Backends, viewer_id: int, viewer: FeedViewer) -> ReasonJudge:
        """A judge on those facts."""
        rules = FeedRules(viewer_id, backends.policy.repeat_window, viewer.preferences)
        return cls(facts, viewer_id, viewer, rules)

    async def judge(self, ids: Sequence[int]) -> dict[int, JudgedReason]:
        """The candidates that exist, by id. One statement; more where there are shares, followed hashtags or daily limits."""
        found = await self.facts.posts(ids)
        await self._judge_roots(found)
        judged: dict[int, JudgedReason] = {}
        for reason_id, facts in found.items():
            verdicts = self._by_root[facts.post.root_id]
            verdict = next((verdict for verdict in verdicts if verdict.reason.id == reason_id), None)
            # Not among the reasons of its root: the viewer does not follow whom it comes from.
            verdict = verdict or judge_reason(Reason(facts), self.rules)
            judged[reason_id] = self._with_neighbours(verdict, verdicts)
        return judged

    def reasons_about(self, root_id: int) -> list[JudgedReason]:
        """All reasons of a post that was judged, by whatever way."""
        verdicts = self._by_root.get(root_id, [])
        return [self._with_neighbours(verdict, verdicts) for verdict in verdicts]

    def _with_neighbours(self, verdict: Verdict, verdicts: Sequence[Verdict]) -> JudgedReason:
        if not verdict.is_valid:
            return JudgedReason(verdict, verdict.rule)
        if len(verdicts) == 1 and verdicts[0] is verdict:
            # Nearly always: nobody whom the viewer follows has shared it.
            return JudgedReason(verdict, FeedRule.SHOWN, verdicts)
        valid_ids = [other.reason.id for other in verdicts if other.is_valid]
        if is_repetition(verdict.reason.id, valid_ids, self.rules):
            return JudgedReason(verdict, FeedRule.REPEATED)
        return JudgedReason(verdict, FeedRule.SHOWN, reasons_of_entry(verdict.reason.id, verdicts, self.rules))

    async def _judge_roots(self, found: Mapping[int, PostFacts]) -> None:
        """All reasons of every root that the candidates are about: the root itself, and shares by whom the viewer follows."""
        roots: dict[int, PostFacts] = {}
        shared: set[int] = set()
        facts_by_id: dict[int, PostFacts] = {}
        for facts in found.values():
            root_id = facts.post.root_id
            if root_id in self._by_root:
                continue
            roots[root_id] = facts.about
            facts_by_id[facts.post.id] = facts
            if facts.post.is_plain_share or facts.post.share_count:
                shared.add(root_id)
            if facts.about.post.id == root_id:
                facts_by_id[root_id] = facts.about
        for sibling in await self._siblings({root_id: roots[root_id] for root_id in shared}):
            root = roots[sibling.post.root_id]
            facts_by_id[sibling.post.id] = PostFacts(
                sibling.post, sibling.author, sibling.relation, root if root.post.id == sibling.post.root_id else None
            )
        hashtags: Mapping[int, tuple[int, ...]] = {}
        if self.viewer.follows_hashtags and roots:
            hashtags = await self.facts.followed_hashtags(roots)
        limited = [reason_id for reason_id, facts in facts_by_id.items() if facts.relation.daily_limit is not None]
        ranks = await self.facts.day_ranks(limited) if limited else {}
        for root_id in roots:
            self._by_root[root_id] = []
        for number, (reason_id, facts) in enumerate(facts_by_id.items(), start=1):
            if self.rules.preferences.muted_words and number % _SEARCHED_AT_A_TIME == 0:
                # Texts are searched by the processor alone: the other requests of the process must have their turns, and this
                # one's deadline its chance.
                await asyncio.sleep(0)
            reason = Reason(facts, hashtags.get(reason_id, ()), ranks.get(reason_id, 0))
            self._by_root[facts.post.root_id].append(judge_reason(reason, self.rules))

    async def _siblings(self, roots: Mapping[int, PostFacts]) -> list[PostFacts]:
        few: list[int] = []
        many: list[int] = []
        limit = _VIEWER_SIDE_FACTOR * (self.viewer.following_count + 100)
        for root_id, root in roots.items():
            (many if root.post.share_count > limit else few).append(root_id)
        siblings: list[PostFacts] = []
        for root_ids, from_viewer in ((few, False), (many, True)):
            if root_ids:
                siblings += await self.facts.sibling_shares(root_ids, from_viewer=from_viewer)
        return siblings
