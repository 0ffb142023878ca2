"""Notifications as they are read: rows alone. Who and what in them may be seen is judged apart (`db.shown_actors`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import text

from db.database import ReadSession, WriteSession
from domain.notifications import NO_POST, NotificationKind

_COLUMNS = "n.id, n.recipient_id, n.kind, n.post_id, n.place, n.place <= coalesce(r.read_to, 0)"
_POSITION = "LEFT JOIN notification_positions r ON r.user_id = n.recipient_id"
_PAGE = text(
    f"""
    SELECT {_COLUMNS} FROM notifications n {_POSITION}
    WHERE n.recipient_id = :recipient_id AND n.place < :below_place ORDER BY n.place DESC LIMIT :size
    """
)
_UNREAD = text(
    f"""
    SELECT {_COLUMNS} FROM notifications n {_POSITION}
    WHERE n.recipient_id = :recipient_id AND n.place < :below_place AND n.place > coalesce(r.read_to, 0)
    ORDER BY n.place DESC LIMIT :size
    """
)
_BY_IDS = text(
    f"""
    SELECT {_COLUMNS} FROM notifications n {_POSITION}
    WHERE n.id = ANY(CAST(:ids AS bigint[])) AND n.recipient_id = :recipient_id
    """
)
_NEWER = text(
    f"""
    SELECT w.nr, g.* FROM unnest(CAST(:recipient_ids AS bigint[]), CAST(:after_places AS bigint[]))
      WITH ORDINALITY AS w(recipient_id, after_place, nr)
    CROSS JOIN LATERAL (
      SELECT {_COLUMNS} FROM notifications n {_POSITION}
      WHERE n.recipient_id = w.recipient_id AND n.place > w.after_place ORDER BY n.place LIMIT :size
    ) AS g
    ORDER BY w.nr, g.place
    """
)
_NEWEST_PLACES = text(
    """
    SELECT w.id, coalesce((
      SELECT n.place FROM notifications n WHERE n.recipient_id = w.id ORDER BY n.place DESC LIMIT 1
    ), 0)
    FROM unnest(CAST(:recipient_ids AS bigint[])) AS w(id)
    """
)
_MARK_READ = text(
    """
    INSERT INTO notification_positions AS p (user_id, read_to)
    SELECT n.recipient_id, n.place FROM notifications n WHERE n.id = :id AND n.recipient_id = :recipient_id
    ON CONFLICT (user_id) DO UPDATE SET read_to = greatest(p.read_to, excluded.read_to)
    RETURNING 1
    """
)


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """A group without the people in it."""

    id: int
    recipient_id: int
    kind: NotificationKind
    post_id: int | None
    place: int
    is_read: bool


async def load_page(session: ReadSession, recipient_id: int, *, below_place: int, size: int) -> list[NotificationRow]:
    """The next groups below a place, newest place first."""
    parameters = {"recipient_id": recipient_id, "below_place": below_place, "size": size}
    return [_to_row(row) for row in await session.execute(_PAGE, parameters)]


async def load_unread(session: ReadSession, recipient_id: int, *, below_place: int, size: int) -> list[NotificationRow]:
    """The same of those that are not read."""
    parameters = {"recipient_id": recipient_id, "below_place": below_place, "size": size}
    return [_to_row(row) for row in await session.execute(_UNREAD, parameters)]


async def load_by_ids(session: ReadSession, ids: Collection[int], *, recipient_id: int) -> list[NotificationRow]:
    """Those of the groups that are the recipient's."""
    parameters = {"ids": list(ids), "recipient_id": recipient_id}
    return [_to_row(row) for row in await session.execute(_BY_IDS, parameters)]


async def load_newer(
    session: ReadSession, watched: Sequence[tuple[int, int]], *, size: int
) -> dict[int, list[NotificationRow]]:
    """For each (recipient, place), by its index, the next groups above the place, oldest first, at most `size` each."""
    found: dict[int, list[NotificationRow]] = {}
    parameters = {"recipient_ids": [one for one, _ in watched], "after_places": [place for _, place in watched], "size": size}
    for number, *row in await session.execute(_NEWER, parameters):
        found.setdefault(number - 1, []).append(_to_row(row))
    return found


async def load_newest_places(session: ReadSession, recipient_ids: Collection[int]) -> dict[int, int]:
    """The place of each recipient's newest group; 0 where there is none."""
    rows = await session.execute(_NEWEST_PLACES, {"recipient_ids": list(recipient_ids)})
    return {row[0]: row[1] for row in rows}


async def mark_read(session: WriteSession, notification_id: int, *, recipient_id: int) -> bool:
    """Moves the position up to the group's place, never down. False where there is no such group of the recipient."""
    row = await session.execute(_MARK_READ, {"id": notification_id, "recipient_id": recipient_id})
    return row.first() is not None


def _to_row(row: Sequence[object]) -> NotificationRow:
    row_id, recipient_id, kind, post_id, place, is_read = row
    return NotificationRow(
        id=row_id,  # type: ignore[arg-type]
        recipient_id=recipient_id,  # type: ignore[arg-type]
        kind=NotificationKind(str(kind)),
        post_id=post_id if post_id != NO_POST else None,  # type: ignore[arg-type]
        place=place,  # type: ignore[arg-type]
        is_read=bool(is_read),
    )
