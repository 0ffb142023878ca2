"""The gate of notifications: groups as far as their recipients may see them now."""

from __future__ import annotations

from collections.abc import Sequence

from db.database import ReadSession
from db.notifications import NotificationRow
from db.posts import load_posts_for_many
from db.relation_groups import RelationGroups, load_awake_groups
from db.shown_actors import ShownActors, load_shown_actors
from domain.notifications import NotificationRecord
from domain.records import PostFacts
from services.notifications.only_allowed import is_told_of


async def judge_groups(session: ReadSession, rows: Sequence[NotificationRow]) -> dict[int, NotificationRecord]:
    """Those that are shown, by id: somebody is left in them, and the post, if there is one, can be seen and is not by somebody
    muted. Suspended recipients see nothing.

    At most four statements, however many rows of however many recipients.
    """
    if not rows:
        return {}
    awake = await load_awake_groups(session, {row.recipient_id for row in rows})
    actors = await load_shown_actors(session, [row.id for row in rows])
    posts = await load_posts_for_many(session, post_ids) if (post_ids := {row.post_id for row in rows if row.post_id}) else {}
    relations = await _load_relations(session, rows, posts)
    return {
        row.id: _record(row, actors[row.id])
        for row in rows
        if row.id in actors and row.recipient_id in awake and _may_see_post(row, posts, relations)
    }


async def _load_relations(session: ReadSession, rows: Sequence[NotificationRow], posts: dict[int, PostFacts]) -> RelationGroups:
    # Mostly the post is the recipient's own.
    foreign = [
        (row.recipient_id, facts.author.id)
        for row in rows
        if row.post_id is not None and (facts := posts.get(row.post_id)) is not None and facts.author.id != row.recipient_id
    ]
    relations = RelationGroups()
    if foreign:
        await relations.load(session, {pair[0] for pair in foreign}, {pair[1] for pair in foreign})
    return relations


def _may_see_post(row: NotificationRow, posts: dict[int, PostFacts], relations: RelationGroups) -> bool:
    if row.post_id is None:
        return True
    facts = posts.get(row.post_id)
    return facts is not None and is_told_of(facts, row.recipient_id, relations)


def _record(row: NotificationRow, actors: ShownActors) -> NotificationRecord:
    return NotificationRecord(
        id=row.id,
        recipient_id=row.recipient_id,
        kind=row.kind,
        post_id=row.post_id,
        place=row.place,
        is_read=row.is_read,
        actor_ids=actors.actor_ids,
        actor_count=actors.count,
        comment_id=actors.newest_comment_id,
    )
