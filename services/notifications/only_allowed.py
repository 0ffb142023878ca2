"""Of what was done, what its recipient may be told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from db.database import WriteSession
from db.notification_groups import find_allowed_pairs
from db.relation_groups import RelationGroups
from domain.notifications import NO_POST, Deed
from domain.records import PostFacts
from domain.visibility import why_post_is_hidden


async def only_allowed(session: WriteSession, deeds: Sequence[Deed], posts: Mapping[int, PostFacts]) -> list[Deed]:
    """Those by accounts that the recipient may meet, about posts that the recipient may see, whose authors are not muted.

    Two statements.
    """
    pairs = {(deed.key.recipient_id, deed.actor_id) for deed in deeds}
    allowed = await find_allowed_pairs(session, pairs)
    met = [deed for deed in deeds if (deed.key.recipient_id, deed.actor_id) in allowed]
    # Mostly the post is the recipient's own.
    foreign = [
        (deed.key.recipient_id, facts.author.id)
        for deed in met
        for facts in _posts_of(deed, posts)
        if facts.author.id != deed.key.recipient_id
    ]
    relations = RelationGroups()
    if foreign:
        await relations.load(session, {pair[0] for pair in foreign}, {pair[1] for pair in foreign})
    return [deed for deed in met if _may_see_posts(deed, posts, relations)]


def _posts_of(deed: Deed, posts: Mapping[int, PostFacts]) -> list[PostFacts]:
    named = (deed.key.post_id, deed.share_id)
    return [posts[post_id] for post_id in named if post_id is not None and post_id in posts]


def _may_see_posts(deed: Deed, posts: Mapping[int, PostFacts], relations: RelationGroups) -> bool:
    if deed.key.post_id == NO_POST:
        return True
    return deed.key.post_id in posts and all(
        is_told_of(facts, deed.key.recipient_id, relations) for facts in _posts_of(deed, posts)
    )


def is_told_of(facts: PostFacts, recipient_id: int, relations: RelationGroups) -> bool:
    """Whether notifications about the post reach the recipient: it is visible, and not by somebody muted.

    `relations` knows its author, unless that is the recipient.
    """
    relation = relations.between(recipient_id, facts.author.id)
    root = facts.root
    if root is not None:
        root = replace(root, relation=relations.between(recipient_id, root.author.id))
    seen = replace(facts, relation=relation, root=root)
    return not relation.is_muting and why_post_is_hidden(seen, viewer_id=recipient_id) is None
