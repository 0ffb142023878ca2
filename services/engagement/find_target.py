"""The post that a like, comment or bookmark is about."""

from __future__ import annotations

from dataclasses import replace

from db.database import ReadSession
from db.engagement import MarkChange
from db.posts import load_posts
from domain.engagement import ViewerMarks
from domain.errors import RefusalCode, RefusedError, refused
from domain.records import PostCounts, VisiblePost
from domain.visibility import why_post_is_hidden

Engaged = tuple[VisiblePost, ViewerMarks]
"""(the post in its new state, what the viewer has done with it)"""


def no_such_post() -> RefusedError:
    """The one refusal for posts that are hidden, absent, or no ids at all: nobody can tell which."""
    return refused(RefusalCode.NOT_FOUND, "there is no such post", "postId")


async def find_root(session: ReadSession, post_id: int, *, viewer_id: int) -> VisiblePost | None:
    """The post, of a share without words what it shares; None where it does not exist for the viewer.

    One statement; two for such a share.
    """
    facts = (await load_posts(session, [post_id], viewer_id=viewer_id)).get(post_id)
    if facts is None or why_post_is_hidden(facts, viewer_id=viewer_id) is not None:
        return None
    return VisiblePost(facts.about.post, facts.about.author, facts.about.relation)


async def require_root(session: ReadSession, post_id: int, *, viewer_id: int) -> VisiblePost:
    """The same. Raises RefusedError NOT_FOUND where it does not exist for the viewer."""
    root = await find_root(session, post_id, viewer_id=viewer_id)
    if root is None:
        raise no_such_post()
    return root


def with_counts(visible: VisiblePost, counts: PostCounts) -> VisiblePost:
    """The post as it is counted now."""
    post = replace(
        visible.post, like_count=counts.like_count, comment_count=counts.comment_count, share_count=counts.share_count
    )
    return replace(visible, post=post)


def engaged(visible: VisiblePost, change: MarkChange) -> Engaged:
    """The answer to a like or bookmark, without asking again."""
    return with_counts(visible, change.counts), change.marks
