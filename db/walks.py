"""Places of walks: work that goes through a table in parts, and begins again at its end."""

from __future__ import annotations

from sqlalchemy import text

from db.database import ReadSession, WriteSession

_LOAD = text("SELECT position FROM walks WHERE name = :name")
_STORE = text(
    "INSERT INTO walks (name, position) VALUES (:name, :position) ON CONFLICT (name) DO UPDATE SET position = excluded.position"
)


async def load_place(session: ReadSession, name: str) -> int | None:
    """The id of the last row that was looked at; None where no walk has begun."""
    place: int | None = (await session.execute(_LOAD, {"name": name})).scalar()
    return place


async def store_place(session: WriteSession, name: str, position: int) -> None:
    """Goes on from there the next time."""
    await session.execute(_STORE, {"name": name, "position": position})
