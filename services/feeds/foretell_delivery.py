"""Push or pull of posts of which it is not decided yet, as it will be: a live event outlives that moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from db.audiences import load_audiences
from db.database import ReadSession
from domain.audience import AudienceRule, choose_delivery
from domain.records import Delivery, PostFacts


async def foretell_deliveries(session: ReadSession, posts: Iterable[PostFacts], rule: AudienceRule) -> Mapping[int, Delivery]:
    """What will be chosen for those of the posts that are not decided, by id. One statement, or none."""
    undecided = {facts.post.id for facts in posts if facts.post.delivery is None}
    if not undecided:
        return {}
    audiences = await load_audiences(session, undecided, writes_per_second=rule.writes_per_second)
    return {post_id: choose_delivery(audience, rule) for post_id, audience in audiences.items()}


def with_delivery(facts: PostFacts, foretold: Mapping[int, Delivery]) -> PostFacts:
    """The post with what will be chosen, where that was foretold."""
    choice = foretold.get(facts.post.id)
    return facts if choice is None else replace(facts, post=replace(facts.post, delivery=choice))
