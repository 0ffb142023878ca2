"""The feed rule on posts that the process remembers: at a glance for nearly all, by the judge of reasons for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import attrgetter, is_
from typing import TypeAlias, cast

from db.feed_candidates import FeedViewer
from db.post_versions import KnownPost
from domain.feed import FeedReason
from domain.feed_rule import shows_all_public_posts
from domain.records import NO_RELATION, PostFacts, Visibility
from services.backends import Backends
from services.feeds.feed_entry import makes_reasons, reasons_of_author, reasons_of_own
from services.feeds.judge_reasons import ReasonJudge
from services.feeds.remembered_facts import NotRememberedError, RememberedFacts
from services.memory.known_viewers import SeenViewer
from services.memory.memory import Memory

Shown: TypeAlias = tuple[Sequence[PostFacts], Iterable[Callable[[PostFacts], list[FeedReason]]]]
"""The facts of entries, and what makes their reasons."""
_author_id_of = attrgetter("author_id")
_usual_relation_of = attrgetter("usual_relation")
_usual_facts_of = attrgetter("usual_facts")


class QuickJudge:
    """Of one viewer at one moment. Where nobody's shares, limits, mutes or words have a part in it, it is said at once."""

    def __init__(self, backends: Backends, memory: Memory, seen: SeenViewer, viewer: FeedViewer) -> None:
        known = seen.known
        self._backends = backends
        self._memory = memory
        self._seen = seen
        self._viewer = viewer
        self._viewer_id = seen.look.viewer_id
        self._sources = known.sources
        self.is_plain_viewer = not (known.preferences.muted_words or known.follows_hashtags)

    async def judge(self, ids: Sequence[int], found: Mapping[int, KnownPost | None]) -> Shown | None:
        """Of the posts those that are shown, in the given order; None where too much would have to be asked."""
        shown = self._shown([*map(found.__getitem__, ids)])
        if shown is not None:
            return shown
        facts = RememberedFacts(self._memory, self._seen, {reason_id: found[reason_id] for reason_id in ids})
        try:
            judged = await ReasonJudge.on(facts, self._backends, self._viewer_id, self._viewer).judge(ids)
        except NotRememberedError:
            return None
        kept = [judged[reason_id] for reason_id in ids if reason_id in judged and judged[reason_id].is_shown]
        return [one.verdict.reason.facts for one in kept], [makes_reasons(one.named) for one in kept]

    def _shown(self, found: Sequence[KnownPost | None]) -> Shown | None:
        """None where one of them needs a longer look."""
        if not self.is_plain_viewer:
            return None
        if all(found):
            posts = cast("Sequence[KnownPost]", found)
            facts: list[PostFacts | None] = [*map(_usual_facts_of, posts)]
            relations = [*map(self._sources.get, map(_author_id_of, posts))]
            if not all(map(is_, relations, map(_usual_relation_of, posts))):
                facts = [
                    None if relation is None else one.plain_facts_for(relation)
                    for one, relation in zip(posts, relations, strict=True)
                ]
            if all(facts):
                return cast("list[PostFacts]", facts), repeat(reasons_of_author)
        return self._one_by_one(found)

    def _one_by_one(self, found: Sequence[KnownPost | None]) -> Shown | None:
        shown: list[PostFacts] = []
        reasons: list[Callable[[PostFacts], list[FeedReason]]] = []
        for known in found:
            if known is None:
                continue
            post, author = known.post, known.author
            relation = self._sources.get(author.id)
            facts = known.plain_facts_for(relation) if relation is not None else None
            if facts is not None:
                shown.append(facts)
                reasons.append(reasons_of_author)
                continue
            if post.is_deleted:
                continue
            if post.share_count or post.is_plain_share:
                return None
            if author.id == self._viewer_id:
                shown.append(known.facts_for(NO_RELATION))
                reasons.append(reasons_of_own)
                continue
            if relation is None or not shows_all_public_posts(author, relation):
                return None
            if post.visibility is not Visibility.PUBLIC and not (
                post.visibility is Visibility.FRIENDS and relation.is_followed_by
            ):
                continue
            shown.append(known.facts_for(relation))
            reasons.append(reasons_of_author)
        return shown, reasons
