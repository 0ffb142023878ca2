"""From rows to the posts that they touch, in the feeds of those whom they concern."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from db.change_rows import ChangeRow
from db.outbox import OutboxKind
from db.touched_posts import load_all_roots, load_later_roots, load_quotes_of, load_roots_of_pairs, load_tagged_roots
from db.users import load_users
from domain.records import Relation, UserRecord
from services.feeds.difference_case import Case, relation_of
from services.feeds.difference_facts import DifferenceFacts
from services.feeds.feed_events import FeedResetReason

MAX_EXAMINED = 300
"""Posts that one change may touch in one feed; where there are more, the client reads the feed again."""
MAX_PREFERENCE_POSTS = 200
"""The same of a change of preferences, which touches the whole feed."""

_Pending = list[tuple[Case, ChangeRow]]


async def follow_rows(facts: DifferenceFacts, cases: Sequence[Case]) -> None:
    """Notes for each case which posts its fresh rows touch; `reset` where those are too many."""
    fresh: dict[str, _Pending] = {"post": [], "account": [], "relation": [], "preferences": [], "hashtag": [], "import": []}
    for case in cases:
        rows, case.fresh = case.fresh, []
        for row in rows:
            fresh[_subject(row)].append((case, row))
    for case, _ in fresh["import"]:
        case.reset = FeedResetReason.FEED_CHANGED
    await _follow_posts(facts, fresh["post"])
    await _follow_accounts(facts, fresh["account"], fresh["relation"])
    await _follow_preferences(facts, fresh["preferences"])
    await _follow_hashtags(facts, fresh["hashtag"])


def _subject(row: ChangeRow) -> str:
    if row.kind is OutboxKind.ACCOUNT_CHANGED:
        return "account"
    if row.kind is OutboxKind.FEED_CHANGED:
        return next(iter(row.before or {"import": True}))
    return "post"


async def _follow_posts(facts: DifferenceFacts, pending: _Pending) -> None:
    await facts.add_posts({row.post_id for _, row in pending if row.post_id is not None})
    quoted: _Pending = []
    limited: _Pending = []
    for case, row in pending:
        post_facts = facts.posts.get(row.post_id or 0)
        if post_facts is None:
            continue
        post = post_facts.post
        case.touch(post.root_id, row.id)
        if row.before is not None and not post.is_plain_share and post.share_count:
            quoted.append((case, row))
        if row.is_publication and facts.may_be_limited(case, post.author_id):
            limited.append((case, row))
    if quoted:
        pairs = [(case.viewer_id, row.post_id or 0) for case, row in quoted]
        found = await load_quotes_of(facts.session, pairs, size=MAX_EXAMINED + 1)
        for (case, row), root_ids in zip(quoted, found, strict=True):
            _touch_all(case, root_ids, row.id, MAX_EXAMINED)
    if limited:
        # Who comes between two posts of a day moves the later one up by a place.
        later = await load_later_roots(facts.session, {row.post_id or 0 for _, row in limited}, since=facts.since)
        for case, row in limited:
            _touch_all(case, later.get(row.post_id or 0, ()), row.id, MAX_EXAMINED)


async def _follow_accounts(facts: DifferenceFacts, accounts: _Pending, relations: _Pending) -> None:
    changed: list[tuple[Case, ChangeRow, int]] = []
    for case, row in accounts:
        if row.author_id != case.viewer_id:
            changed.append((case, row, row.author_id))
        elif row.before is not None and row.before["is_suspended"]:
            # What happened meanwhile was told to nobody.
            case.reset = FeedResetReason.FEED_CHANGED
    changed += [(case, row, row.before["relation"]["user_id"]) for case, row in relations if row.before is not None]
    if not changed:
        return
    account_ids = {account_id for _, _, account_id in changed}
    await facts.relations.load(facts.session, facts.viewer_ids, account_ids)
    users = await load_users(facts.session, account_ids)
    await facts.add_account_rows(account_ids)
    for case, _, account_id in changed:
        # Compared is all that stands between the two at once: what one row hides must not hide what another one has changed.
        facts.name_account_rows(case, account_id)
    touching: list[tuple[Case, ChangeRow]] = []
    pairs: list[tuple[int, int, bool]] = []
    for case, row, account_id in changed:
        user = users.get(account_id)
        if user is None:
            continue
        now = facts.relation(case, account_id, is_before=False)
        # Also what was for a while: what was published in between is named in no log of somebody who did not follow then.
        known = [facts.relation(case, account_id, is_before=True), *_relation_before(row)]
        if any(_standing(case.author_before(user), before) != _standing(user, now) for before in known):
            touching.append((case, row))
            pairs.append((case.viewer_id, account_id, any(map(_may_be_source, (now, *known)))))
    if pairs:
        found = await load_roots_of_pairs(facts.session, pairs, since=facts.since, size=MAX_EXAMINED + 1)
        for (case, row), root_ids in zip(touching, found, strict=True):
            _touch_all(case, root_ids, row.id, MAX_EXAMINED)


async def _follow_preferences(facts: DifferenceFacts, pending: _Pending) -> None:
    pending = [(case, row) for case, row in pending if case.preferences_before not in (None, case.preferences)]
    if pending:
        viewers = {case.viewer_id for case, _ in pending}
        found = await load_all_roots(facts.session, viewers, since=facts.since, size=MAX_PREFERENCE_POSTS + 1)
        for case, row in pending:
            _touch_all(case, found.get(case.viewer_id, ()), row.id, MAX_PREFERENCE_POSTS)


async def _follow_hashtags(facts: DifferenceFacts, pending: _Pending) -> None:
    if not pending:
        return
    hashtags = {_hashtag(row)["id"] for _, row in pending}
    await facts.add_hashtag_followers(hashtags)
    found = await load_tagged_roots(
        facts.session, hashtags, since=facts.since, transaction=facts.transaction, size=MAX_EXAMINED + 1
    )
    for case, row in pending:
        hashtag_id = _hashtag(row)["id"]
        is_followed = case.viewer_id in facts.hashtag_followers[hashtag_id]
        if {case.hashtags_before.get(hashtag_id), _hashtag(row)["followed"]} != {is_followed}:
            _touch_all(case, found.get(hashtag_id, ()), row.id, MAX_EXAMINED)


def _relation_before(row: ChangeRow) -> list[Relation]:
    if row.kind is not OutboxKind.FEED_CHANGED or row.before is None:
        return []
    return [relation_of(row.before["relation"])]


def _hashtag(row: ChangeRow) -> dict[str, Any]:
    return (row.before or {})["hashtag"]  # type: ignore[no-any-return]


def _touch_all(case: Case, root_ids: Iterable[int], row_id: int, limit: int) -> None:
    root_ids = list(root_ids)
    if len(root_ids) > limit:
        case.reset = FeedResetReason.FEED_CHANGED
    for root_id in root_ids:
        case.touch(root_id, row_id)


def _may_be_source(relation: Relation) -> bool:
    return relation.follows or relation.kept_until is not None


def _standing(user: UserRecord, relation: Relation) -> tuple[object, ...]:
    """All by which the feed rule can tell posts of the account in one state from those in another."""
    if user.is_suspended or user.is_shadow_banned or relation.is_blocking or relation.is_blocked_by:
        return ("hidden",)
    return (
        user.is_private and not relation.follows,
        relation.follows and relation.is_followed_by,
        relation.follows,
        relation.kept_until,
        relation.is_muting,
        relation.hide_shares,
        relation.daily_limit,
    )
