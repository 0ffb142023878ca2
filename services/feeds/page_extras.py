"""What comes with a page that must stand on its own, since nobody can be asked for it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from db.database import ReadSession
from db.engagement import load_marks
from db.hashtags import load_hashtags
from db.post_media import load_media_of_posts
from db.shares import load_shared_roots
from db.users import load_relations
from domain.feed import FeedEntry, PageExtras
from domain.records import NO_RELATION, PostRecord
from services.feeds.entry_subjects import facts_of
from services.posts.load_visible_posts import load_visible_posts_in


async def load_page_extras(session: ReadSession, entries: Sequence[FeedEntry], *, viewer_id: int) -> PageExtras:
    """Two statements; another one each where there are quotes, hashtags as reasons, and posts that several people shared."""
    quoted = {post.shared_post_id for post in _posts_of(entries) if _is_quote(post) and post.shared_post_id is not None}
    found = await load_visible_posts_in(session, quoted, viewer_id=viewer_id) if quoted else {}
    roots = {post.root_id for post in _posts_of(entries)} | {visible.post.root_id for visible in found.values()}
    shared = await load_shared_roots(session, roots, author_id=viewer_id) if roots else set()
    marks = await load_marks(session, roots, viewer_id=viewer_id) if roots else {}
    named = {reason.hashtag_id for entry in entries for reason in entry.reasons if reason.hashtag_id is not None}
    relations = {facts.author.id: facts.relation for entry in entries for facts in facts_of(entry)}
    others = {user.id for entry in entries for reason in entry.reasons for user in reason.users} - relations.keys()
    if others:
        relations |= dict.fromkeys(others, NO_RELATION) | await load_relations(session, viewer_id, others)
    shown = {post.id for post in _posts_of(entries)} | found.keys()
    media = await load_media_of_posts(session, shown) if shown else {}
    return PageExtras(
        posts={post_id: found.get(post_id) for post_id in quoted},
        shared_roots={root_id: root_id in shared for root_id in roots},
        marks=marks,
        hashtags=await load_hashtags(session, named) if named else {},
        relations=relations,
        media={post_id: media.get(post_id, []) for post_id in shown},
    )


def _posts_of(entries: Iterable[FeedEntry]) -> list[PostRecord]:
    return [facts.post for entry in entries for facts in facts_of(entry)]


def _is_quote(post: PostRecord) -> bool:
    return post.is_share and not post.is_plain_share
