"""What one batch of publications is judged by, for all watchers at once.

Thousands of sockets wait for the same few posts. What the feed rule needs is loaded for all of them together, and when it
has become too old to be acted on (a slow reader, a busy process) it is loaded again once, by whoever notices first: if every
watcher asked for itself, being late would make everybody later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from db.database import Database, ReadSession
from db.feed_facts import load_day_ranks
from db.live_facts import Relations, load_awake, load_followed_hashtags_among, load_relations_among, load_shares_of
from db.posts import load_posts_for_many
from domain.cursors import CursorSealer
from domain.feed import FeedEntry
from domain.feed_rule import FeedRules, Reason, Verdict, is_repetition, judge_reason, reasons_of_entry
from domain.preferences import FeedPreferences
from domain.records import PostFacts
from services.backends import FeedPolicy
from services.feeds.feed_entry import make_entry
from services.feeds.foretell_delivery import foretell_deliveries, with_delivery

JUDGED_SECONDS = 0.5
"""Age at which facts are too old to judge by: live events promise to hide within a second what is hidden."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """One reading of the facts. `posts`: the published ones; `siblings`: shares of what they are about, by that post's id."""

    posts: dict[int, PostFacts] = field(default_factory=dict)
    siblings: dict[int, list[PostFacts]] = field(default_factory=dict)
    relations: Relations = field(default_factory=Relations)
    hashtags: dict[int, dict[int, tuple[int, ...]]] = field(default_factory=dict)
    receivers: dict[int, set[int]] = field(default_factory=dict)
    preferences: dict[int, FeedPreferences] = field(default_factory=dict)
    day_ranks: dict[int, int] = field(default_factory=dict)


class PublishedFacts:
    """Publications, and how the watching viewers stand to whom they come from. First of all `load` or `refresh` them."""

    def __init__(self, post_ids: Iterable[int], viewer_ids: Iterable[int], *, policy: FeedPolicy) -> None:
        self._policy = policy
        self._post_ids = set(post_ids)
        self._viewer_ids = list(viewer_ids)
        self._loaded = _Loaded()
        self._shared: dict[tuple[object, ...], dict[int, Any]] = {}
        self._judged_at = 0.0
        self._lock = asyncio.Lock()

    async def load(self, session: ReadSession) -> None:
        """Four statements, however many watchers there are; more for undecided posts, shares, and daily limits among them."""
        judged_at = time.monotonic()
        posts = await load_posts_for_many(session, self._post_ids)
        foretold = await foretell_deliveries(session, posts.values(), self._policy.audience_rule)
        posts = {post_id: with_delivery(facts, foretold) for post_id, facts in posts.items()}
        siblings = await self._load_siblings(session, posts)
        everything = [*posts.values(), *(share for shares in siblings.values() for share in shares)]
        accounts = {one.author.id for facts in everything for one in (facts, facts.about)}
        relations = await load_relations_among(session, self._viewer_ids, list(accounts))
        hashtags = await load_followed_hashtags_among(
            session, {facts.post.root_id for facts in posts.values()}, self._viewer_ids
        )
        receivers = {post_id: self._receivers_of(facts, relations, hashtags) for post_id, facts in posts.items()}
        preferences = await load_awake(session, set().union(*receivers.values()) if receivers else ())
        limited = [
            facts.post.id
            for facts in everything
            if any(relations.between(viewer_id, facts.author.id).daily_limit is not None for viewer_id in preferences)
        ]
        ranks = await load_day_ranks(session, limited) if limited else {}
        self._loaded = _Loaded(posts, siblings, relations, hashtags, receivers, preferences, ranks)
        self._judged_at = judged_at
        self._shared = {}

    async def refresh(self, database: Database) -> None:
        """Loads again what is too old; once, however many ask. Raises UnavailableError."""
        if time.monotonic() - self._judged_at <= JUDGED_SECONDS:
            return
        async with self._lock:
            if time.monotonic() - self._judged_at > JUDGED_SECONDS:
                async with database.reading() as session:
                    await self.load(session)

    def receivers(self, post_id: int) -> set[int]:
        """Those of the viewers whom the post may concern: its author, and who follows them or one of its hashtags."""
        return self._loaded.receivers.get(post_id, set())

    def entry(self, sealer: CursorSealer, post_id: int, *, viewer_id: int) -> FeedEntry | None:
        """The post as an entry of the viewer's feed, or None where a rule keeps it out."""
        loaded = self._loaded
        if post_id not in loaded.posts or viewer_id not in loaded.preferences:
            return None
        facts = loaded.posts[post_id]
        rules = FeedRules(viewer_id, self._policy.repeat_window, loaded.preferences[viewer_id])
        verdict = self._judge(facts, rules)
        if not verdict.is_valid:
            return None
        others = loaded.siblings.get(facts.post.root_id, ())
        verdicts = [verdict, *(self._judge(share, rules) for share in others if share.post.id != post_id)]
        if facts.post.is_plain_share:
            verdicts.append(self._judge(facts.about, rules))
        if is_repetition(post_id, [other.reason.id for other in verdicts if other.is_valid], rules):
            return None
        named = reasons_of_entry(post_id, verdicts, rules)
        return make_entry(sealer, verdict.reason.facts, named, viewer_id=viewer_id, floor=None)

    def shared(self, entry: FeedEntry) -> dict[int, Any]:
        """One object for all receivers whose entries differ in cursors alone; a new one after each loading."""
        reasons = (
            (reason.kind, reason.delivery, reason.user_count, reason.hashtag_id, *(user.id for user in reason.users))
            for reason in entry.reasons
        )
        return self._shared.setdefault((entry.node.id, *reasons), {})

    async def _load_siblings(self, session: ReadSession, posts: dict[int, PostFacts]) -> dict[int, list[PostFacts]]:
        roots = {
            facts.post.root_id: facts.about for facts in posts.values() if facts.post.is_plain_share or facts.post.share_count
        }
        if not roots:
            return {}
        window = FeedRules(0, self._policy.repeat_window)
        from_id = min(window.window_start(post_id) for post_id in posts)
        siblings: dict[int, list[PostFacts]] = {}
        for share in await load_shares_of(session, roots.values(), self._viewer_ids, from_id=from_id):
            if share.post.id not in posts:
                siblings.setdefault(share.post.root_id, []).append(replace(share, root=roots[share.post.root_id]))
        for facts in posts.values():
            if facts.post.is_plain_share:
                siblings.setdefault(facts.post.root_id, []).append(facts)
        return siblings

    def _receivers_of(
        self, facts: PostFacts, relations: Relations, hashtags: dict[int, dict[int, tuple[int, ...]]]
    ) -> set[int]:
        receivers = set(relations.viewers_with_source(facts.author.id, self._viewer_ids))
        if not facts.post.is_plain_share:
            receivers |= hashtags.get(facts.post.id, {}).keys()
            receivers |= {facts.author.id} & set(self._viewer_ids)
        return receivers

    def _judge(self, facts: PostFacts, rules: FeedRules) -> Verdict:
        relations, viewer_id = self._loaded.relations, rules.viewer_id
        root = facts.root
        if root is not None:
            root = replace(root, relation=relations.between(viewer_id, root.author.id))
        seen = replace(facts, relation=relations.between(viewer_id, facts.author.id), root=root)
        tags = self._loaded.hashtags.get(facts.post.id, {}).get(viewer_id, ())
        return judge_reason(Reason(seen, tags, self._loaded.day_ranks.get(facts.post.id, 0)), rules)
