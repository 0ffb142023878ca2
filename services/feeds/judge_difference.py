"""Entries about one post in one feed, as the client has them and as they are now; and what is to be said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from domain.feed import FeedEntry
from domain.feed_rule import FeedRules, Reason, Verdict, is_repetition, judge_reason, reasons_of_entry
from domain.records import PostFacts, PostRecord, Visibility
from domain.visibility import why_post_is_hidden
from services.feeds.difference_case import Case
from services.feeds.difference_facts import DifferenceFacts
from services.feeds.feed_entry import reasons_of
from services.feeds.feed_events import Added, Changed, FeedChange, Removed
from services.feeds.foretell_delivery import with_delivery

_Words = tuple[str, Visibility, bool]
"""Text, who may read it, whether the pictures are other ones than now."""
_Reading = tuple[_Words, _Words | None]
"""What a reader sees of a post that may change: words and visibility, and the same of what it quotes, if that is visible."""


@dataclass(frozen=True, slots=True)
class _View:
    """Entries about one post: the shown reasons by id, all verdicts, and how the post reads."""

    shown: dict[int, Verdict]
    verdicts: list[Verdict]
    reading: _Reading | None


_NOTHING = _View({}, [], None)


@dataclass(slots=True, eq=False)
class DifferenceJudge:
    """Compares the feeds of many viewers; what is alike for several of them is one object for all."""

    facts: DifferenceFacts
    _shared: dict[tuple[object, ...], Added | Changed] = field(default_factory=dict)
    _alike: dict[tuple[object, ...], list[FeedChange]] = field(default_factory=dict)

    def changes(self, case: Case, root_id: int) -> Iterator[FeedChange]:
        """What is different about one post, and what was different for a while.

        A client may be ahead of its moment: a page is a little newer than its cursor, and one that was fetched after a reset
        newer than that. It may have been shown what was so in between; so whatever was not always as it is now is said, too.
        """
        now = self._view(case, root_id, is_before=False)
        before = self._view(case, root_id, is_before=True)
        between = self._views_between(case, root_id)
        event_id = max(case.roots[root_id])
        was_shown = before.shown.keys() | {node_id for view in between for node_id in view.shown}
        for node_id in was_shown - now.shown.keys():
            yield Removed(event_id, node_id)
        for node_id, verdict in now.shown.items():
            if node_id not in before.shown:
                yield self._added(case, verdict, now, event_id)
            elif any(node_id not in view.shown for view in between):
                yield Removed(event_id, node_id)
                yield self._added(case, verdict, now, event_id)
            elif any(view.reading != now.reading for view in (before, *between)):
                yield self._changed(verdict, event_id)

    def _views_between(self, case: Case, root_id: int) -> list[_View]:
        """The entries as they were after each of the rows but the last one."""
        row_ids = sorted(case.roots[root_id])
        views: list[_View] = []
        for number in range(1, len(row_ids)):
            earlier = Case(case.look, case.told, case.preferences)
            for row_id in row_ids[number:]:
                earlier.name(case.named[row_id])
            views.append(self._view(earlier, root_id, is_before=True))
        return views

    def _added(self, case: Case, verdict: Verdict, view: _View, event_id: int) -> Added:
        rules = self._rules(case, is_before=False)
        named = reasons_of_entry(verdict.reason.id, view.verdicts, rules)
        publication = case.publication(verdict.reason.id)
        event_id = publication.id if publication is not None else event_id
        facts = verdict.reason.facts
        key = (
            Added,
            event_id,
            facts.post.id,
            id(facts.relation),
            id(facts.about.relation),
            *((one.reason.id, one.kinds, one.reason.hashtag_ids, id(one.reason.facts.relation)) for one in named),
        )
        known = self._shared.get(key)
        if known is None:
            entry = FeedEntry.of("", self._decided(facts), reasons_of([self._with_delivery(one) for one in named]))
            known = self._shared[key] = Added(event_id, entry, is_publication=publication is not None)
        assert isinstance(known, Added)
        return known

    def _changed(self, verdict: Verdict, event_id: int) -> Changed:
        facts = verdict.reason.facts
        key = (Changed, event_id, facts.post.id, id(facts.relation), id(facts.about.relation))
        known = self._shared.get(key)
        if known is None:
            known = self._shared[key] = Changed(event_id, self._decided(facts))
        assert isinstance(known, Changed)
        return known

    def _decided(self, facts: PostFacts) -> PostFacts:
        facts = with_delivery(facts, self.facts.deliveries)
        return facts if facts.root is None else replace(facts, root=with_delivery(facts.root, self.facts.deliveries))

    def _with_delivery(self, verdict: Verdict) -> Verdict:
        return replace(verdict, reason=replace(verdict.reason, facts=self._decided(verdict.reason.facts)))

    def _rules(self, case: Case, *, is_before: bool) -> FeedRules:
        preferences = case.preferences
        if is_before and case.preferences_before is not None:
            preferences = case.preferences_before
        return FeedRules(case.viewer_id, self.facts.policy.repeat_window, preferences)

    def _view(self, case: Case, root_id: int, *, is_before: bool) -> _View:
        found = self.facts.posts.get(root_id)
        root = self._seen(case, found, is_before=is_before) if found is not None else None
        if root is None:
            return _NOTHING
        rules = self._rules(case, is_before=is_before)
        reasons = [
            Reason(root, self._hashtags(case, root_id, is_before=is_before), self._rank(case, root, is_before=is_before))
        ]
        for share in self.facts.shares_for(case, root_id):
            seen = self._seen(case, share, is_before=is_before)
            if seen is not None:
                reasons.append(Reason(replace(seen, root=root), (), self._rank(case, seen, is_before=is_before)))
        verdicts = [judge_reason(reason, rules) for reason in reasons]
        valid_ids = [verdict.reason.id for verdict in verdicts if verdict.is_valid]
        shown = {
            verdict.reason.id: verdict
            for verdict in verdicts
            if verdict.is_valid and not is_repetition(verdict.reason.id, valid_ids, rules)
        }
        return _View(shown, verdicts, self._reading(case, root, is_before=is_before) if shown else None)

    def _seen(self, case: Case, facts: PostFacts, *, is_before: bool) -> PostFacts | None:
        """The facts with the viewer's relation; before: as the client knows them."""
        relation = self.facts.relation(case, facts.author.id, is_before=is_before)
        if not is_before:
            return PostFacts(facts.post, facts.author, relation)
        post = case.post_before(facts.post)
        return PostFacts(post, case.author_before(facts.author), relation) if post is not None else None

    def _reading(self, case: Case, root: PostFacts, *, is_before: bool) -> _Reading:
        post = root.post
        quoted = self.facts.posts.get(post.shared_post_id) if post.shared_post_id is not None else None
        seen = self._seen(case, quoted, is_before=is_before) if quoted is not None else None
        if seen is None or why_post_is_hidden(seen, viewer_id=case.viewer_id) is not None:
            return self._words(case, post, is_before=is_before), None
        return self._words(case, post, is_before=is_before), self._words(case, seen.post, is_before=is_before)

    def _words(self, case: Case, post: PostRecord, *, is_before: bool) -> _Words:
        return post.text, post.visibility, is_before and case.has_other_pictures(post.id)

    def _hashtags(self, case: Case, root_id: int, *, is_before: bool) -> tuple[int, ...]:
        """Those of the post that the viewer follows."""
        named = self.facts.hashtags.get(root_id, ())
        if is_before:
            named = case.hashtags_of_post_before(root_id, named)
        return tuple(hashtag_id for hashtag_id in named if self._follows(case, hashtag_id, is_before=is_before))

    def _follows(self, case: Case, hashtag_id: int, *, is_before: bool) -> bool:
        if is_before and hashtag_id in case.hashtags_before:
            return case.hashtags_before[hashtag_id]
        return case.viewer_id in self.facts.hashtag_followers.get(hashtag_id, ())

    def _rank(self, case: Case, facts: PostFacts, *, is_before: bool) -> int:
        rank = self.facts.day_ranks.get(facts.post.id, 0)
        if not is_before:
            return rank
        return rank - sum(row.id in case.named for row in self.facts.earlier.get(facts.post.id, ()))
