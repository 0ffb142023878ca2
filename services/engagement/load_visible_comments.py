"""The gate: comments by id, as far as one viewer may see them."""

from __future__ import annotations

from collections.abc import Iterable

from db.comments import load_comments
from db.database import ReadSession
from domain.comments import CommentRecord, can_see_comment
from domain.records import VisiblePost
from services.backends import Backends
from services.posts.load_visible_posts import load_visible_posts_in


async def load_visible_comments(
    backends: Backends, comment_ids: Iterable[int], *, viewer_id: int | None
) -> dict[int, CommentRecord]:
    """Those of the comments that exist for the viewer, by id: under a visible post, by somebody who may be listed.

    Two statements, however many there are.
    """
    async with backends.database.at_once() as session:
        found = await load_comments_under_posts(session, comment_ids, viewer_id=viewer_id)
    return {comment_id: comment for comment_id, (comment, _) in found.items()}


async def load_comments_under_posts(
    session: ReadSession, comment_ids: Iterable[int], *, viewer_id: int | None
) -> dict[int, tuple[CommentRecord, VisiblePost]]:
    """The same with the posts that they are under."""
    loaded = await load_comments(session, comment_ids, viewer_id=viewer_id)
    post_ids = {facts.comment.post_id for facts in loaded.values()}
    posts = await load_visible_posts_in(session, post_ids, viewer_id=viewer_id) if post_ids else {}
    return {
        comment_id: (facts.comment, posts[facts.comment.post_id])
        for comment_id, facts in loaded.items()
        if facts.comment.post_id in posts and can_see_comment(facts, viewer_id=viewer_id)
    }
