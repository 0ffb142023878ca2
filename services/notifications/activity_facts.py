"""What a batch of activities is about: read before anybody is locked, none of it decides whether it is still so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from db.activities import ActivityRow
from db.database import ReadSession
from db.deeds import WrittenComment, load_close_friends, load_written_comments
from db.posts import load_posts_for_many
from db.users import load_users_by_username
from domain.activities import ActivityKind
from domain.ids import created_at_of
from domain.notifications import MAX_MENTIONS, REMEMBERED
from domain.records import PostFacts, Visibility
from domain.text import find_entities
from services.posts.text_entities import mentioned_names

MOST_FRIENDS = 2_000
"""Close friends that one batch tells, about: the others have their turn in the next one."""
FEWEST_FRIENDS = 20

_OF_POSTS = frozenset({ActivityKind.LIKE, ActivityKind.BOOKMARK, ActivityKind.SHARE, ActivityKind.POST})


@dataclass(slots=True)
class ActivityFacts:
    """By the ids of what they are about. `friends`: by activity, the close friends to be told now; `walked`: how far that is,
    of those activities that have more."""

    comments: dict[int, WrittenComment] = field(default_factory=dict)
    posts: dict[int, PostFacts] = field(default_factory=dict)
    names: dict[int, set[str]] = field(default_factory=dict)
    """Of comments, who is mentioned, in lower case."""
    accounts: dict[str, int] = field(default_factory=dict)
    friends: dict[int, list[int]] = field(default_factory=dict)
    walked: dict[int, int] = field(default_factory=dict)

    def root_of(self, row: ActivityRow) -> PostFacts | None:
        """The post that an activity is about: what is liked, kept, commented on, shared or quoted. None where there is none."""
        subject_id: int | None = row.subject_id
        if row.kind is ActivityKind.COMMENT:
            comment = self.comments.get(row.subject_id)
            subject_id = comment.post_id if comment is not None else None
        facts = self.posts.get(subject_id) if subject_id is not None else None
        if facts is None:
            return None
        if row.kind is ActivityKind.SHARE:
            shared_id = facts.post.shared_post_id
            return self.posts.get(shared_id) if shared_id is not None else None
        return facts.about

    def mentioned_in_comment(self, comment_id: int) -> list[int]:
        """Accounts that exist, the first MAX_MENTIONS."""
        known = (self.accounts.get(name) for name in sorted(self.names.get(comment_id, ())))
        return [user_id for user_id in known if user_id is not None][:MAX_MENTIONS]


def mentioned_in_post(facts: PostFacts) -> list[int]:
    """Accounts that a post mentions, the first MAX_MENTIONS."""
    found = dict.fromkeys(int(row["u"]) for row in facts.post.entity_rows if "u" in row)
    return list(found)[:MAX_MENTIONS]


async def load_activity_facts(session: ReadSession, rows: Sequence[ActivityRow]) -> ActivityFacts:
    """At most five statements, whatever the size of the batch."""
    facts = ActivityFacts()
    facts.comments = await load_written_comments(session, {row.subject_id for row in rows if row.kind is ActivityKind.COMMENT})
    wanted = {row.subject_id for row in rows if row.kind in _OF_POSTS}
    wanted |= {comment.post_id for comment in facts.comments.values()}
    if wanted:
        facts.posts = await load_posts_for_many(session, wanted)
        shared = {one.post.shared_post_id for one in facts.posts.values() if one.post.shared_post_id is not None}
        missing = shared - facts.posts.keys()
        if missing:
            facts.posts |= await load_posts_for_many(session, missing)
    if facts.comments:
        facts.names = await find_names(facts.comments.values())
        names = set().union(*facts.names.values())
        if names:
            facts.accounts = {name: user.id for name, user in (await load_users_by_username(session, names)).items()}
    await _walk_close_friends(session, rows, facts)
    return facts


async def find_names(comments: Iterable[WrittenComment]) -> dict[int, set[str]]:
    """Who is mentioned, by comment. Looking through many long texts takes a while: not on the event loop."""
    texts = {comment.id: comment.text for comment in comments if "@" in comment.text}
    if not texts:
        return {}
    return await asyncio.to_thread(lambda: {key: mentioned_names(find_entities(body)) for key, body in texts.items()})


async def _walk_close_friends(session: ReadSession, rows: Sequence[ActivityRow], facts: ActivityFacts) -> None:
    walks = [(row.id, row.actor_id, row.last_follower_id) for row in rows if _tells_close_friends(row, facts)]
    if not walks:
        return
    size = max(FEWEST_FRIENDS, MOST_FRIENDS // len(walks))
    facts.friends = await load_close_friends(session, walks, size=size)
    facts.walked = {row_id: friends[-1] for row_id, friends in facts.friends.items() if len(friends) == size}


def _tells_close_friends(row: ActivityRow, facts: ActivityFacts) -> bool:
    """Of a post that exists for others, and that is not edited long after it was written."""
    found = facts.posts.get(row.subject_id) if row.kind is ActivityKind.POST else None
    if found is None or found.post.is_deleted or found.post.is_plain_share or found.post.visibility is Visibility.PRIVATE:
        return False
    return row.created_at - created_at_of(found.post.id) < REMEMBERED
