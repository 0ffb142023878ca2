"""From a loaded post to an entry of somebody's feed: the same gate for pages, live events and payloads."""

from __future__ import annotations

from dataclasses import replace

from domain.audience import Audience, AudienceRule, choose_delivery
from domain.cursors import CursorSealer
from domain.feed import FeedEntry, FeedOrder, reason_for
from domain.records import PostRecord, Relation, UserRecord
from domain.visibility import is_in_home_feed, why_post_is_hidden
from services.feeds.feed_cursors import place_scope


def foretell_delivery(post: PostRecord, audience: Audience | None, rule: AudienceRule) -> PostRecord:
    """A post of which push or pull is not decided yet, with what will be chosen: a live event outlives that moment."""
    if post.delivery is not None or audience is None:
        return post
    return replace(post, delivery=choose_delivery(audience, rule))


def entry_for(
    sealer: CursorSealer, post: PostRecord, author: UserRecord, relation: Relation, *, viewer_id: int
) -> FeedEntry | None:
    """The post as an entry of the viewer's feed, or None where a rule keeps it out; `relation`: to the author."""
    if why_post_is_hidden(post, author, relation, viewer_id=viewer_id) is not None:
        return None
    if not is_in_home_feed(post, relation, viewer_id=viewer_id):
        return None
    return FeedEntry(
        cursor=sealer.seal_ids(place_scope(viewer_id, FeedOrder.LATEST), post.id),
        node=post,
        author=author,
        relation=relation,
        reasons=[reason_for(post, author, viewer_id=viewer_id)],
    )
