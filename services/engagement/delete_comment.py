"""Use case: a comment's author, or that of the post, takes it away."""

from __future__ import annotations

from db.comments import mark_comment_deleted
from domain.comments import can_delete_comment
from domain.errors import RefusalCode, RefusedError, refused
from domain.records import VisiblePost
from services.backends import Backends
from services.engagement.find_target import with_counts
from services.engagement.load_visible_comments import load_comments_under_posts


async def delete_comment(backends: Backends, *, viewer_id: int, comment_id: int) -> VisiblePost:
    """The post without the comment, gone for everybody at the next read.

    Raises RefusedError NOT_FOUND for comments that are hidden, absent, or not the viewer's to delete.
    """
    async with backends.database.reading() as session:
        found = (await load_comments_under_posts(session, [comment_id], viewer_id=viewer_id)).get(comment_id)
    if found is None or not can_delete_comment(found[0], viewer_id=viewer_id):
        raise no_such_comment()
    async with backends.database.writing_at_once() as writing:
        counts = await mark_comment_deleted(writing, found[0], viewer_id=viewer_id)
    if counts is None:
        raise no_such_comment()
    backends.live_bell.ring_counts([counts.post_id])
    backends.relay_bell.ring_soon()
    return with_counts(found[1], counts)


def no_such_comment() -> RefusedError:
    """The one refusal for comments that are hidden, absent, no ids at all, or somebody else's."""
    return refused(RefusalCode.NOT_FOUND, "there is no such comment", "commentId")
