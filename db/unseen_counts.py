"""How many candidates of a feed are shown for a plain reason, counted where they lie; the others are named, to be judged.

Counting decides nothing that the feed rule would decide otherwise: a row is counted where it, its author's row and whom the
viewer follows plainly leave the rule one answer (`domain.feed_rule.shows_all_public_posts`). Thousands stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from db.database import ReadSession
from db.feed_candidates import HEAD_OF_TIMELINE, all_newest, own_newest
from domain.ids import MAX_ID

# Of an author who is followed the flags of the row are asked for at this moment, as the post's are.
_COUNTED = """
    WITH asked AS MATERIALIZED (SELECT id FROM ({ids}) AS candidates ORDER BY id DESC LIMIT :size)
    SELECT (SELECT count(*) FROM asked), count(*) FILTER (WHERE judged.is_plain),
      array_agg(judged.id) FILTER (WHERE NOT judged.is_plain)
    FROM (
      SELECT p.id, p.deleted_at IS NULL AND NOT p.is_plain_share AND p.share_count = 0 AND (
        p.author_id = :viewer_id
        OR (p.visibility = 'PUBLIC' AND f.id IS NOT NULL AND u.suspended_at IS NULL AND u.shadow_banned_at IS NULL)
      ) AS is_plain
      FROM asked JOIN posts p ON p.id = asked.id JOIN users u ON u.id = p.author_id
      LEFT JOIN unnest(CAST(CAST(:author_ids AS text) AS bigint[])) AS f(id) ON f.id = p.author_id
    ) AS judged
"""
_OF_THESE = text(_COUNTED.replace("{ids}", f"SELECT unnest(CAST(CAST(:ids AS text) AS bigint[])) AS id UNION ({own_newest()})"))
_OF_ALL = text(_COUNTED.replace("{ids}", all_newest()))


@dataclass(frozen=True, slots=True)
class PlainCount:
    """`examined`: candidates; `shown`: those of them that are shown for a plain reason; `others`: whatever must be judged."""

    examined: int
    shown: int
    others: list[int]


async def count_plain(
    session: ReadSession, viewer_id: int, *, author_ids: str, ids: str | None, above: int, size: int
) -> PlainCount:
    """Of the newest `size` candidates above an id. The viewer has no muted words and follows no hashtags.

    `author_ids`: an array's text, whom the viewer follows plainly. `ids`: likewise the candidates, to which own posts are
    added; None: all are looked for.
    """
    parameters = {"viewer_id": viewer_id, "author_ids": author_ids, "above": above, "below": MAX_ID, "size": size}
    if ids is None:
        rows = await session.execute(_OF_ALL, {**parameters, "head": HEAD_OF_TIMELINE})
    else:
        rows = await session.execute(_OF_THESE, {**parameters, "ids": ids})
    ((examined, shown, others),) = rows
    return PlainCount(examined, shown, others or [])
