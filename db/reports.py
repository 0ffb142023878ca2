"""Reports of posts: one a person and post, open until a moderator has dealt with them."""

from __future__ import annotations

import orjson
from sqlalchemy import TextClause, text

from db.database import ReadSession, WriteSession
from domain.moderation import ReportedPost, ReportReason

_COMMENTS = 5

_INSERT = text(
    """
    INSERT INTO reports (post_id, reporter_id, reason, comment) VALUES (:post_id, :reporter_id, :reason, :comment)
    ON CONFLICT DO NOTHING
    """
)
_CLOSE = text("UPDATE reports SET handled_at = clock_timestamp() WHERE post_id = :post_id AND handled_at IS NULL RETURNING 1")


def _by_post(reports: str, posts: str) -> TextClause:
    """The statement for those reports and those posts of which these conditions hold."""
    return text(
        f"""
        SELECT r.post_id, u.username, p.text, p.deleted_at IS NOT NULL,
          p.deleted_at IS NOT NULL OR count(*) FILTER (WHERE r.handled_at IS NULL) = 0,
          count(*), CAST(jsonb_object_agg(r.reason, r.of_reason) AS text),
          (array_agg(r.comment ORDER BY r.id DESC) FILTER (WHERE r.comment <> ''))[1:{_COMMENTS}],
          min(r.created_at), max(r.created_at)
        FROM (SELECT *, count(*) OVER (PARTITION BY post_id, reason) AS of_reason FROM reports WHERE {reports}) r
        JOIN posts p ON p.id = r.post_id JOIN users u ON u.id = p.author_id
        WHERE {posts}
        GROUP BY r.post_id, u.username, p.text, p.deleted_at
        ORDER BY max(r.id) DESC LIMIT :size
        """
    )


# Reports of a post that its author has deleted need nobody any more.
_OPEN = _by_post("handled_at IS NULL", "p.deleted_at IS NULL")
_ALL = _by_post("true", "true")


async def insert_report(session: WriteSession, post_id: int, reporter_id: int, *, reason: ReportReason, comment: str) -> None:
    """Notes a report; a second one of the same person changes nothing."""
    row = {"post_id": post_id, "reporter_id": reporter_id, "reason": reason.value, "comment": comment}
    await session.execute(_INSERT, row)


async def close_reports(session: WriteSession, post_id: int) -> int:
    """Nothing is left to do about a post; how many of its reports were open."""
    return len((await session.execute(_CLOSE, {"post_id": post_id})).all())


async def load_reported_posts(session: ReadSession, *, is_all: bool, size: int) -> list[ReportedPost]:
    """Posts with open reports, or `is_all` with any, the newest report first."""
    rows = await session.execute(_ALL if is_all else _OPEN, {"size": size})
    return [
        ReportedPost(
            post_id=post_id,
            author=author,
            text=body,
            is_deleted=is_deleted,
            is_closed=is_closed,
            count=count,
            reasons={ReportReason(reason): number for reason, number in orjson.loads(reasons).items()},
            comments=comments or [],
            first_at=first_at,
            newest_at=newest_at,
        )
        for post_id, author, body, is_deleted, is_closed, count, reasons, comments, first_at, newest_at in rows
    ]
