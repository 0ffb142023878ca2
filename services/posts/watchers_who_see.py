"""The gate for many viewers at once: who of those who watch a few posts may see them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from db.database import ReadSession
from db.relation_groups import RelationGroups, load_awake_groups
from domain.records import PostFacts
from domain.visibility import why_post_is_hidden


async def find_watchers_who_see(
    session: ReadSession, posts: Mapping[int, PostFacts], watchers: Mapping[int, Collection[int | None]]
) -> dict[int, set[int | None]]:
    """For each post the viewers (None: an anonymous one) of `watchers` to whom it is visible; suspended ones see nothing.

    Two statements, however many there are; none where nobody waits.
    """
    viewer_ids = [viewer_id for viewer_id in set().union(*watchers.values()) if viewer_id is not None]
    relations, awake = RelationGroups(), set[int]()
    if viewer_ids:
        watched = [facts for post_id, facts in posts.items() if watchers[post_id]]
        account_ids = {one.author.id for facts in watched for one in (facts, facts.about)}
        await relations.load(session, viewer_ids, account_ids)
        awake = set(await load_awake_groups(session, viewer_ids))
    return {
        post_id: {
            viewer_id
            for viewer_id in watchers[post_id]
            if (viewer_id is None or viewer_id in awake) and _is_visible(facts, viewer_id, relations)
        }
        for post_id, facts in posts.items()
    }


def _is_visible(facts: PostFacts, viewer_id: int | None, relations: RelationGroups) -> bool:
    if viewer_id is not None:
        root = facts.root
        if root is not None:
            root = replace(root, relation=relations.between(viewer_id, root.author.id))
        facts = replace(facts, relation=relations.between(viewer_id, facts.author.id), root=root)
    return why_post_is_hidden(facts, viewer_id=viewer_id) is None
