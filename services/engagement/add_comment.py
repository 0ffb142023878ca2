"""Use case: somebody says something under a post."""

from __future__ import annotations

from db.comments import insert_comment
from domain.comments import MAX_COMMENT_LENGTH, CommentRecord
from domain.paging import Edge
from domain.records import VisiblePost
from services.backends import Backends
from services.engagement.find_target import no_such_post, require_root, with_counts
from services.engagement.list_comments import comments_scope
from services.engagement.load_visible_comments import load_comments_under_posts
from services.idempotency.answer_once import Attempt, answer_once
from services.idempotency.run_once import OnceOperation
from services.posts.check_input import check_body
from services.posts.check_words import check_words
from services.protection.check_publication import PublicationKind

Commented = tuple[Edge[CommentRecord] | None, VisiblePost]
"""(the comment as an entry of its post's list; None where it is no longer there, the post in its new state)"""


async def add_comment(
    backends: Backends, *, viewer_id: int, post_id: int, body: str, idempotency_key: str | None = None
) -> Commented:
    """The new comment; of a share without words under what it shares. The same key with the same input gives the first one.

    Raises RefusedError: BLANK, TOO_LONG (2,000 code points) or INVALID for the text, NOT_FOUND for a post that is hidden or
    absent, what `check_words` and `begin_once` refuse.
    """
    request = {"post_id": post_id, "text": body}
    attempt = Attempt(viewer_id, OnceOperation.ADD_COMMENT, idempotency_key, request)

    async def comment() -> Commented:
        return await _add(backends, attempt, viewer_id=viewer_id, post_id=post_id, body=body)

    async def load_again(comment_id: int) -> Commented:
        async with backends.database.reading() as session:
            root = await require_root(session, post_id, viewer_id=viewer_id)
            known = await load_comments_under_posts(session, [comment_id], viewer_id=viewer_id)
        return _edge(backends, known[comment_id][0] if comment_id in known else None, viewer_id), root

    return await answer_once(backends, attempt, do=comment, load_again=load_again)


async def _add(backends: Backends, attempt: Attempt, *, viewer_id: int, post_id: int, body: str) -> Commented:
    check_body(body, max_length=MAX_COMMENT_LENGTH)
    await check_words(backends, PublicationKind.COMMENT, author_id=viewer_id, body=body, idempotency_key=attempt.key)
    async with backends.database.writing() as session:
        once = await attempt.begin(session)
        root = await require_root(session, post_id, viewer_id=viewer_id)
        written = await insert_comment(session, post_id=root.post.id, author_id=viewer_id, body=body)
        if written is None:
            raise no_such_post()
        comment, counts = written
        await once.remember(session, comment.id)
    backends.live_bell.ring_counts([root.post.id])
    backends.relay_bell.ring_soon()
    return _edge(backends, comment, viewer_id), with_counts(root, counts)


def _edge(backends: Backends, comment: CommentRecord | None, viewer_id: int) -> Edge[CommentRecord] | None:
    if comment is None:
        return None
    return Edge(backends.sealer.seal_ids(comments_scope(comment.post_id, viewer_id), comment.id), comment)
