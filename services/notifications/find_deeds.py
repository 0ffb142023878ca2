"""What of a batch of activities is so, and what no longer: read after those who are told were locked.

Two workers may hold a like and its end in either order. Whoever has the recipient's lock last reads last, and everything that
was committed is seen by then; so what is written last is right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from db.activities import ActivityRow
from db.database import ReadSession
from db.deeds import (
    Pair,
    find_bookmarks,
    find_existing_posts,
    find_follow_requests,
    find_follows,
    find_likes,
    find_other_shares,
    load_other_comments,
    load_written_comments,
)
from db.notification_groups import Withdrawal
from domain.activities import ActivityKind
from domain.notifications import Deed, GroupKey, NotificationKind
from domain.records import PostFacts
from services.notifications.activity_facts import ActivityFacts, find_names, mentioned_in_post

_OTHER_COMMENTS = 20
"""Looked through for one to name in place of a deleted comment."""


@dataclass(slots=True)
class Deeds:
    """`standing`: activities whose like, comment, share or bookmark is there, for the scores."""

    done: list[Deed] = field(default_factory=list)
    undone: list[Withdrawal] = field(default_factory=list)
    standing: set[int] = field(default_factory=set)


def find_recipients(rows: Iterable[ActivityRow], facts: ActivityFacts) -> set[int]:
    """Whoever may be told of any of it."""
    found: set[int] = set()
    for row in rows:
        if row.kind in {ActivityKind.FOLLOW, ActivityKind.FOLLOW_REQUEST}:
            found.add(row.subject_id)
            continue
        if row.kind is ActivityKind.POST:
            post = facts.posts.get(row.subject_id)
            found.update(mentioned_in_post(post) if post is not None else ())
            found.update(facts.friends.get(row.id, ()))
            continue
        root = facts.root_of(row)
        if root is None or row.kind is ActivityKind.BOOKMARK:
            continue
        found.add(root.author.id)
        if row.kind is ActivityKind.COMMENT:
            found.update(facts.mentioned_in_comment(row.subject_id))
    return found


async def find_deeds(session: ReadSession, rows: Sequence[ActivityRow], facts: ActivityFacts) -> Deeds:
    """Nothing is filtered yet, but that nobody tells themselves."""
    by_kind: dict[ActivityKind, list[ActivityRow]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    deeds = Deeds()
    likes = by_kind.get(ActivityKind.LIKE, [])
    _note_states(deeds, likes, await find_likes(session, _pairs(likes)), NotificationKind.LIKE, facts)
    bookmarks = by_kind.get(ActivityKind.BOOKMARK, [])
    kept = await find_bookmarks(session, _pairs(bookmarks))
    deeds.standing |= {row.id for row in bookmarks if (row.actor_id, row.subject_id) in kept}
    follows = by_kind.get(ActivityKind.FOLLOW, [])
    _note_follows(deeds, follows, await find_follows(session, _pairs(follows)), NotificationKind.FOLLOW)
    asked = by_kind.get(ActivityKind.FOLLOW_REQUEST, [])
    _note_follows(deeds, asked, await find_follow_requests(session, _pairs(asked)), NotificationKind.FOLLOW_REQUEST)
    await _note_shares(session, deeds, by_kind.get(ActivityKind.SHARE, []), facts)
    await _note_comments(session, deeds, by_kind.get(ActivityKind.COMMENT, []), facts)
    for row in by_kind.get(ActivityKind.POST, []):
        _note_post(deeds, row, facts)
    deeds.done = [deed for deed in deeds.done if deed.actor_id != deed.key.recipient_id]
    return deeds


def _pairs(rows: Iterable[ActivityRow]) -> set[Pair]:
    return {(row.actor_id, row.subject_id) for row in rows}


def _note_states(
    deeds: Deeds, rows: Iterable[ActivityRow], there: Collection[Pair], kind: NotificationKind, facts: ActivityFacts
) -> None:
    for row in rows:
        root = facts.root_of(row)
        if root is None:
            continue
        key = GroupKey(root.author.id, kind, root.post.id)
        if (row.actor_id, row.subject_id) in there:
            deeds.done.append(Deed(key, row.actor_id, row.created_at))
            deeds.standing.add(row.id)
        else:
            deeds.undone.append(Withdrawal(key, row.actor_id))


def _note_follows(deeds: Deeds, rows: Iterable[ActivityRow], there: Collection[Pair], kind: NotificationKind) -> None:
    for row in rows:
        key = GroupKey(row.subject_id, kind)
        if (row.actor_id, row.subject_id) in there:
            deeds.done.append(Deed(key, row.actor_id, row.created_at))
        else:
            deeds.undone.append(Withdrawal(key, row.actor_id))


async def _note_shares(session: ReadSession, deeds: Deeds, rows: Sequence[ActivityRow], facts: ActivityFacts) -> None:
    existing = await find_existing_posts(session, {row.subject_id for row in rows})
    roots = {row.id: root for row in rows if (root := facts.root_of(row)) is not None}
    gone = {(row.actor_id, roots[row.id].post.id) for row in rows if row.id in roots and row.subject_id not in existing}
    others = await find_other_shares(session, gone)
    for row in rows:
        root = roots.get(row.id)
        if root is None:
            continue
        key = GroupKey(root.author.id, NotificationKind.SHARE, root.post.id)
        if row.subject_id in existing:
            deeds.standing.add(row.id)
        share_id = row.subject_id if row.subject_id in existing else others.get((row.actor_id, root.post.id))
        if share_id is not None:
            deeds.done.append(Deed(key, row.actor_id, row.created_at, share_id=share_id))
        else:
            deeds.undone.append(Withdrawal(key, row.actor_id))


async def _note_comments(session: ReadSession, deeds: Deeds, rows: Sequence[ActivityRow], facts: ActivityFacts) -> None:
    # Again, now that the recipients are locked: it may have been deleted meanwhile.
    comments = await load_written_comments(session, {row.subject_id for row in rows})
    gone = [comment for comment in comments.values() if comment.is_deleted]
    others = await load_other_comments(
        session, {(comment.author_id, comment.post_id) for comment in gone}, size=_OTHER_COMMENTS
    )
    names = await find_names(comment for found in others.values() for comment in found)
    for row in rows:
        root, comment = facts.root_of(row), comments.get(row.subject_id)
        if root is None or comment is None:
            continue
        key = GroupKey(root.author.id, NotificationKind.COMMENT, root.post.id)
        mentioned = facts.mentioned_in_comment(comment.id)
        if not comment.is_deleted:
            deeds.standing.add(row.id)
            deeds.done.append(Deed(key, row.actor_id, row.created_at, comment_id=comment.id))
            deeds.done += [
                Deed(_mention(user_id, root), row.actor_id, row.created_at, comment_id=comment.id) for user_id in mentioned
            ]
            continue
        left = others.get((comment.author_id, comment.post_id), [])
        if left:
            deeds.done.append(Deed(key, row.actor_id, row.created_at, comment_id=left[0].id))
        else:
            deeds.undone.append(Withdrawal(key, row.actor_id))
        usernames = {user_id: name for name, user_id in facts.accounts.items()}
        for user_id in mentioned:
            deeds.undone.append(Withdrawal(_mention(user_id, root), row.actor_id, comment_id=comment.id))
            other = next((one.id for one in left if usernames[user_id] in names.get(one.id, ())), None)
            is_in_post = row.actor_id == root.author.id and user_id in mentioned_in_post(root)
            if other is not None or is_in_post:
                deeds.done.append(Deed(_mention(user_id, root), row.actor_id, row.created_at, comment_id=other))


def _note_post(deeds: Deeds, row: ActivityRow, facts: ActivityFacts) -> None:
    post = facts.posts.get(row.subject_id)
    if post is None:
        return
    if not row.last_follower_id:
        deeds.done += [Deed(_mention(user_id, post), row.actor_id, row.created_at) for user_id in mentioned_in_post(post)]
    deeds.done += [
        Deed(GroupKey(user_id, NotificationKind.CLOSE_FRIEND_POST, post.post.id), row.actor_id, row.created_at)
        for user_id in facts.friends.get(row.id, ())
    ]


def _mention(user_id: int, root: PostFacts) -> GroupKey:
    return GroupKey(user_id, NotificationKind.MENTION, root.post.id)
