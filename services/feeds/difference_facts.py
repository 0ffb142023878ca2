"""What differences of many feeds are judged by, loaded for all of them together, in one snapshot."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from db.change_rows import ChangeRow, load_rows_of_accounts, load_rows_of_posts
from db.database import ReadSession
from db.feed_facts import load_day_ranks
from db.outbox import OutboxKind
from db.posts import load_posts_for_many
from db.relation_groups import RelationGroups
from db.touched_posts import load_earlier_publications, load_hashtag_followers, load_post_hashtags, load_shares
from domain.feed_rule import is_source
from domain.records import Delivery, PostFacts, Relation
from services.backends import FeedPolicy
from services.feeds.difference_case import Case
from services.feeds.foretell_delivery import foretell_deliveries


@dataclass(slots=True, eq=False)
class DifferenceFacts:
    """Facts of now, and the rows since the oldest moment by which they are undone.

    `since`, `transaction`: nothing before that instant and that transaction is unknown to any of the viewers.
    """

    session: ReadSession
    policy: FeedPolicy
    viewer_ids: Collection[int]
    since: datetime
    transaction: int
    relations: RelationGroups = field(default_factory=RelationGroups)
    posts: dict[int, PostFacts] = field(default_factory=dict)
    shares: dict[int, list[PostFacts]] = field(default_factory=dict)
    """Shares without words, by what they share; deleted ones too, as long as somebody may be shown them."""
    hashtags: dict[int, tuple[int, ...]] = field(default_factory=dict)
    hashtag_followers: dict[int, set[int]] = field(default_factory=dict)
    day_ranks: dict[int, int] = field(default_factory=dict)
    earlier: dict[int, list[ChangeRow]] = field(default_factory=dict)
    """For posts of limited authors what was published before them on their day, as far as it may be unknown."""
    deliveries: Mapping[int, Delivery] = field(default_factory=dict)
    _about: dict[int, list[tuple[ChangeRow, int | None]]] = field(default_factory=dict)
    _account_rows: dict[int, list[ChangeRow]] = field(default_factory=dict)

    async def add_posts(self, post_ids: Iterable[int]) -> None:
        """The posts with their authors, of shares also what they share, and how the viewers stand to the authors."""
        missing = [post_id for post_id in post_ids if post_id not in self.posts]
        if missing:
            found = await load_posts_for_many(self.session, missing)
            self.posts |= found
            accounts = {one.author.id for facts in found.values() for one in (facts, facts.about)}
            await self.relations.load(self.session, self.viewer_ids, accounts)

    async def add_roots(self, root_ids: Iterable[int], former_ids: Collection[int]) -> None:
        """Everything that entries about the posts depend on. `former_ids`: accounts to which some relation has changed."""
        new = [root_id for root_id in root_ids if root_id not in self._about]
        if not new:
            return
        await self.add_posts(new)
        roots = [self.posts[root_id] for root_id in new if root_id in self.posts]
        quoted = {facts.post.id: facts.post.shared_post_id for facts in roots if facts.post.shared_post_id is not None}
        await self.add_posts(quoted.values())
        for share in await load_shares(self.session, roots, self.viewer_ids, former_ids, since=self.since):
            self.shares.setdefault(share.post.root_id, []).append(share)
        await self._add_hashtags(new)
        parts = {root_id: self._parts(root_id, quoted.get(root_id)) for root_id in new}
        accounts = {facts.author.id for several in parts.values() for facts in several}
        await self.relations.load(self.session, self.viewer_ids, accounts)
        await self._add_rows(parts, accounts)

    async def add_limited(self, reason_ids: Iterable[int]) -> None:
        """Places in the day of posts whose author's posts are limited for somebody."""
        new = [reason_id for reason_id in reason_ids if reason_id not in self.day_ranks]
        if not new:
            return
        self.day_ranks |= dict.fromkeys(new, 0) | await load_day_ranks(self.session, new)
        found = await load_earlier_publications(self.session, new, transaction=self.transaction)
        for reason_id, row_id, transaction_id, post_id, author_id in found:
            row = ChangeRow(row_id, transaction_id, OutboxKind.POST_PUBLISHED, author_id, post_id, None)
            self.earlier.setdefault(reason_id, []).append(row)

    async def add_account_rows(self, account_ids: Iterable[int]) -> None:
        """What has changed about the accounts."""
        new = [account_id for account_id in account_ids if account_id not in self._account_rows]
        if new:
            self._account_rows |= {account_id: [] for account_id in new}
            for row in await load_rows_of_accounts(self.session, new, since=self.transaction):
                if row.kind is OutboxKind.ACCOUNT_CHANGED:
                    self._account_rows[row.author_id].append(row)

    def name_account_rows(self, case: Case, account_id: int) -> None:
        """Names what is pending about an account whose rows were added."""
        for row in self._account_rows[account_id]:
            case.name(row)

    async def foretell(self) -> None:
        """How undecided posts will be delivered."""
        everything = [*self.posts.values(), *(share for shares in self.shares.values() for share in shares)]
        self.deliveries = await foretell_deliveries(self.session, everything, self.policy.audience_rule)

    def relation(self, case: Case, account_id: int, *, is_before: bool) -> Relation:
        """How the viewer stands to the account, or stood."""
        if is_before and account_id in case.relations_before:
            return case.relations_before[account_id]
        return self.relations.between(case.viewer_id, account_id)

    def may_be_limited(self, case: Case, account_id: int) -> bool:
        """Whether the viewer wants to see only so many of the account's posts a day, now or before."""
        return any(self.relation(case, account_id, is_before=before).daily_limit is not None for before in (False, True))

    def shares_for(self, case: Case, root_id: int) -> list[PostFacts]:
        """Shares of the post that may be reasons in the viewer's feed, now or before."""
        return [share for share in self.shares.get(root_id, ()) if self._may_come(case, share.author.id, share.post.id)]

    def name_what_concerns(self, case: Case, root_id: int) -> None:
        """Names all pending rows on which the viewer's entries about the post depend."""
        for row, sharer_id in self._about.get(root_id, ()):
            if sharer_id is None or self._may_come(case, sharer_id, None):
                case.name(row)
        for reason_id in self.limited_reasons(case, root_id):
            for row in self.earlier.get(reason_id, ()):
                case.name(row)

    def limited_reasons(self, case: Case, root_id: int) -> list[int]:
        """Reasons about the post whose place in the day counts for the viewer."""
        root = self.posts.get(root_id)
        reasons = [*self.shares_for(case, root_id), *([root] if root is not None else [])]
        return [facts.post.id for facts in reasons if self.may_be_limited(case, facts.author.id)]

    def _may_come(self, case: Case, account_id: int, reason_id: int | None) -> bool:
        for is_before in (False, True):
            relation = self.relation(case, account_id, is_before=is_before)
            if is_source(relation, reason_id or 0):
                return True
        return False

    def _parts(self, root_id: int, quoted_id: int | None) -> list[PostFacts]:
        ids = (root_id, quoted_id) if quoted_id is not None else (root_id,)
        return [*(self.posts[post_id] for post_id in ids if post_id in self.posts), *self.shares.get(root_id, ())]

    async def _add_hashtags(self, root_ids: list[int]) -> None:
        found = await load_post_hashtags(self.session, root_ids)
        self.hashtags |= found
        await self.add_hashtag_followers({hashtag_id for several in found.values() for hashtag_id in several})

    async def add_hashtag_followers(self, hashtag_ids: Iterable[int]) -> None:
        """Which of the viewers follow the hashtags."""
        new = [hashtag_id for hashtag_id in hashtag_ids if hashtag_id not in self.hashtag_followers]
        if new:
            found = await load_hashtag_followers(self.session, new, self.viewer_ids)
            self.hashtag_followers |= {hashtag_id: found.get(hashtag_id, set()) for hashtag_id in new}

    async def _add_rows(self, parts: Mapping[int, list[PostFacts]], account_ids: Collection[int]) -> None:
        by_post: dict[int, list[ChangeRow]] = {}
        post_ids = {facts.post.id for several in parts.values() for facts in several}
        for row in await load_rows_of_posts(self.session, post_ids, since=self.transaction):
            if row.post_id is not None:
                by_post.setdefault(row.post_id, []).append(row)
        await self.add_account_rows(account_ids)
        tags = {tag for rows in by_post.values() for row in rows for tag in (row.before or {}).get("hashtag_ids", ())}
        await self.add_hashtag_followers(tags)
        for root_id, several in parts.items():
            about = self._about.setdefault(root_id, [])
            for facts in several:
                sharer_id = facts.author.id if facts.post.is_plain_share else None
                rows = by_post.get(facts.post.id, []) + self._account_rows[facts.author.id]
                about += [(row, sharer_id) for row in rows]
