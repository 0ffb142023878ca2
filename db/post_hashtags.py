"""Which hashtags a post names, and how many posts name a hashtag: kept true in the transaction that changes the post.

Order of locks, the same for everybody: posts, then users, then hashtags. New hashtags are inserted in the order of their
names, existing ones locked in the order of their ids; so no two writers wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text

from db.database import WriteSession

# Looked for first: most names exist, and an insert that meets its conflict has made an id and a dead row for nothing.
_CREATE = text(
    """
    INSERT INTO hashtags (name)
    SELECT name FROM unnest(CAST(:names AS text[])) AS wanted (name)
    WHERE NOT EXISTS (SELECT FROM hashtags h WHERE h.name = wanted.name)
    ORDER BY name COLLATE "C" ON CONFLICT DO NOTHING
    """
)
_LINK = text(
    """
    INSERT INTO post_hashtags (hashtag_id, post_id)
    SELECT id, :post_id FROM hashtags WHERE name = ANY(CAST(:names AS text[])) ON CONFLICT DO NOTHING
    """
)
_UNLINK = text(
    """
    DELETE FROM post_hashtags l USING hashtags h
    WHERE h.name = ANY(CAST(:names AS text[])) AND l.hashtag_id = h.id AND l.post_id = :post_id
    """
)
_COUNT = text(
    """
    UPDATE hashtags h SET post_count = greatest(0, h.post_count + changed.change) FROM (
      SELECT known.id, wanted.change
      FROM unnest(CAST(:names AS text[]), CAST(:changes AS integer[])) AS wanted (name, change)
      JOIN hashtags known USING (name)
      ORDER BY known.id FOR NO KEY UPDATE OF known
    ) AS changed WHERE h.id = changed.id
    """
)


async def create_hashtags(session: WriteSession, names: Collection[str]) -> None:
    """Makes those of the names (normalised, without `#`) that are not there yet. Waits for whoever is making one of them."""
    await session.execute(_CREATE, {"names": sorted(names)})


async def write_post_hashtags(
    session: WriteSession,
    post_id: int,
    *,
    before: Collection[str] = (),
    after: Collection[str] = (),
    was_counted: bool,
    is_counted: bool,
) -> None:
    """Takes the post from the names `before` to the names `after` (normalised, without `#`).

    `was_counted`, `is_counted`: whether it was and is a public, existing post. A deleted post keeps its names: the same ones
    before and after.
    """
    old, new = set(before), set(after)
    if added := sorted(new - old):
        await create_hashtags(session, added)
        await session.execute(_LINK, {"names": added, "post_id": post_id})
    if removed := sorted(old - new):
        await session.execute(_UNLINK, {"names": removed, "post_id": post_id})
    changes = {name: (is_counted and name in new) - (was_counted and name in old) for name in sorted(old | new)}
    if changed := {name: change for name, change in changes.items() if change}:
        await session.execute(_COUNT, {"names": list(changed), "changes": list(changed.values())})
