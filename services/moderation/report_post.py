"""Use case: somebody finds that a post should not be here."""

from __future__ import annotations

from db.database import ReadSession
from db.reports import insert_report
from domain.errors import RefusalCode, refused
from domain.moderation import ReportReason
from domain.records import VisiblePost
from domain.text import TextProblem, check_post_text
from services.backends import Backends
from services.posts.load_visible_posts import load_visible_posts_in

MAX_COMMENT_LENGTH = 1_000
"""Code points."""


async def report_post(backends: Backends, *, reporter_id: int, post_id: int, reason: ReportReason, comment: str) -> None:
    """Tells the moderators; a second time changes nothing. Of a share without words, what it shares is reported.

    Raises RefusedError: NOT_FOUND for what is hidden or absent, SELF_REFERENCE for the reporter's own post; for the comment,
    which may be blank, TOO_LONG and INVALID.
    """
    problem = check_post_text(comment, max_length=MAX_COMMENT_LENGTH)
    if problem is TextProblem.TOO_LONG:
        raise refused(RefusalCode.TOO_LONG, f"a comment has at most {MAX_COMMENT_LENGTH} characters", "comment")
    if problem is TextProblem.INVALID:
        raise refused(RefusalCode.INVALID, "the comment holds characters that are not allowed", "comment")
    async with backends.database.writing() as session:
        reported = await _require_visible(session, post_id, viewer_id=reporter_id)
        if reported.post.is_plain_share:
            reported = await _require_visible(session, reported.post.root_id, viewer_id=reporter_id)
        if reported.author.id == reporter_id:
            raise refused(RefusalCode.SELF_REFERENCE, "this is the viewer's own post", "postId")
        words = "" if problem is TextProblem.BLANK else comment
        await insert_report(session, reported.post.id, reporter_id, reason=reason, comment=words)


async def _require_visible(session: ReadSession, post_id: int, *, viewer_id: int) -> VisiblePost:
    visible = (await load_visible_posts_in(session, [post_id], viewer_id=viewer_id)).get(post_id)
    if visible is None:
        raise refused(RefusalCode.NOT_FOUND, "there is no such post", "postId")
    return visible
