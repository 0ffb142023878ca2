"""The plain case of a difference: posts that were just published, in feeds to which nothing else has happened.

Thousands of looks are about the same few posts, and their viewers stand to the authors in few ways: each way is judged once.
Everything else is left to `services.feeds.judge_difference`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from db.change_rows import ChangeRow, load_rows_of_accounts, load_rows_of_posts
from db.database import ReadSession
from db.posts import load_posts_for_many
from db.relation_groups import RelationGroups
from db.touched_posts import load_hashtag_followers, load_post_hashtags
from domain.feed import FeedEntry
from domain.feed_rule import FeedRules, Reason, judge_reason
from domain.preferences import FeedPreferences
from domain.records import NO_RELATION, PostFacts, Relation
from services.backends import FeedPolicy
from services.feeds.difference_case import Difference, Look, parse_snapshot
from services.feeds.feed_cursors import Moment
from services.feeds.feed_entry import reasons_of
from services.feeds.feed_events import Added
from services.feeds.foretell_delivery import foretell_deliveries, with_delivery

_Way = tuple[int, int, tuple[int, ...], bool]
"""A relation and preferences (by the address of their one object), followed hashtags, whether the post is the viewer's own."""


@dataclass(slots=True, eq=False)
class _Publication:
    """A new post that nobody has shared: until its row is told, it is in nobody's feed."""

    row: ChangeRow
    facts: PostFacts
    relations: Mapping[int, Relation]
    hashtag_ids: tuple[int, ...]
    outcomes: dict[_Way, Added | None] = field(default_factory=dict)


class QuickDifferences:
    """Answers the looks that it can answer. `load` comes first."""

    def __init__(
        self, policy: FeedPolicy, preferences: Mapping[int, FeedPreferences], busy_ids: Collection[int], transaction: int
    ) -> None:
        """`preferences`: of those who are awake. `busy_ids`: accounts of which something else is pending, for somebody.

        `transaction`: nothing before it is pending for anybody.
        """
        self._transaction = transaction
        self._policy = policy
        self._preferences = preferences
        self._busy_ids = busy_ids
        self._publications: dict[int, _Publication] = {}
        self._transactions: dict[int, int] = {}
        self._rows: dict[int, frozenset[int]] = {}
        self._hashtag_followers: dict[int, set[int]] = {}

    async def load(self, session: ReadSession, rows: Iterable[ChangeRow], viewer_ids: Collection[int]) -> None:
        """Eight statements at most, however many viewers there are; none where no row is a publication."""
        by_post = {row.post_id: row for row in rows if row.is_publication and row.author_id not in self._busy_ids}
        found = await load_posts_for_many(session, [post_id for post_id in by_post if post_id]) if by_post else {}
        plain = await self._only_plain(session, found)
        if not plain:
            return
        foretold = await foretell_deliveries(session, plain.values(), self._policy.audience_rule)
        relations = RelationGroups()
        await relations.load(session, viewer_ids, {facts.author.id for facts in plain.values()})
        named = {post_id for post_id, facts in plain.items() if any("h" in entity for entity in facts.post.entity_rows)}
        hashtags = await load_post_hashtags(session, named) if named else {}
        if hashtags:
            everything = {hashtag_id for several in hashtags.values() for hashtag_id in several}
            self._hashtag_followers = await load_hashtag_followers(session, everything, viewer_ids)
        for post_id, facts in plain.items():
            row = by_post[post_id]
            self._transactions[row.id] = row.transaction_id
            self._rows[row.id] = frozenset((row.id,))
            self._publications[row.id] = _Publication(
                row, with_delivery(facts, foretold), relations.of(facts.author.id), hashtags.get(post_id, ())
            )

    async def _only_plain(self, session: ReadSession, found: Mapping[int, PostFacts]) -> dict[int, PostFacts]:
        """Those that nobody has shared, and about which nothing is pending but that they appear; nor about what they quote."""
        plain = {
            post_id: facts for post_id, facts in found.items() if not facts.post.is_plain_share and not facts.post.share_count
        }
        if not plain:
            return {}
        quoted_ids = {facts.post.shared_post_id for facts in plain.values()} - {None}
        quoted = await load_posts_for_many(session, [post_id for post_id in quoted_ids if post_id]) if quoted_ids else {}
        changed = set()
        for row in await load_rows_of_posts(session, plain.keys() | quoted.keys(), since=self._transaction):
            if not row.is_publication or row.post_id in quoted:
                changed.add(row.post_id)
        if quoted:
            authors = {facts.author.id for facts in quoted.values()}
            busy = {row.author_id for row in await load_rows_of_accounts(session, authors, since=self._transaction)}
            changed |= {post_id for post_id, facts in quoted.items() if facts.author.id in busy}
        return {
            post_id: facts
            for post_id, facts in plain.items()
            if post_id not in changed and facts.post.shared_post_id not in changed
        }

    def answer(self, look: Look, rows: Sequence[ChangeRow], reached: Moment | None) -> Difference | None:
        """None where it is not the plain case. `reached`: None where the look's own moment goes on."""
        viewer_id, moment = look.viewer_id, look.moment
        preferences = self._preferences.get(viewer_id)
        if preferences is None or viewer_id in self._busy_ids:
            return None
        seen, told = parse_snapshot(moment.seen), moment.told
        changes: list[Added] = []
        for row in rows:
            publication = self._publications.get(row.id)
            if publication is None:
                return None
            if row.id in told or (row.transaction_id < seen.xmax and seen.sees(row.transaction_id)):
                continue
            relation = publication.relations.get(viewer_id, NO_RELATION)
            if relation.daily_limit is not None:
                return None
            hashtag_ids = publication.hashtag_ids and tuple(
                tag for tag in publication.hashtag_ids if viewer_id in self._hashtag_followers.get(tag, ())
            )
            way = (id(relation), id(preferences), hashtag_ids, viewer_id == row.author_id)
            try:
                outcome = publication.outcomes[way]
            except KeyError:
                outcome = publication.outcomes[way] = self._judge(publication, viewer_id, relation, preferences, hashtag_ids)
            if outcome is not None:
                changes.append(outcome)
        if len(changes) > 1:
            changes.sort(key=lambda change: change.event_id)
        groups = [self._rows[change.event_id] for change in changes]
        if reached is not None or not changes:
            return Difference(changes, reached or moment, None, groups, self._transactions, is_plain=True)
        now_told = [change.event_id for change in changes] if len(changes) > 1 else (changes[0].event_id,)
        reached = Moment(moment.seen, moment.as_of, told.union(now_told), moment.logs)
        return Difference(changes, reached, None, groups, self._transactions, is_plain=True)

    def _judge(
        self,
        publication: _Publication,
        viewer_id: int,
        relation: Relation,
        preferences: FeedPreferences,
        hashtag_ids: tuple[int, ...],
    ) -> Added | None:
        facts = replace(publication.facts, relation=relation)
        verdict = judge_reason(Reason(facts, hashtag_ids), FeedRules(viewer_id, self._policy.repeat_window, preferences))
        if not verdict.is_valid:
            return None
        return Added(publication.row.id, FeedEntry.of("", facts, reasons_of([verdict])), is_publication=True)
