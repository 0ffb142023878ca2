"""Promises to look again at what people did: written with the change, kept by workers (see `db.models.activity`)."""

from __future__ import annotations

from sqlalchemy import text

from db.database import WriteSession
from domain.activities import ActivityKind

INSERT_SQL = "INSERT INTO activities (kind, actor_id, subject_id) {source}"
"""For statements that do several things at once; `source` selects or lists (kind, actor, subject)."""

_INSERT = text(INSERT_SQL.format(source="VALUES (:kind, :actor_id, :subject_id)"))


async def note_activity(session: WriteSession, kind: ActivityKind, *, actor_id: int, subject_id: int) -> None:
    """What the actor does to the subject begins or ends in this transaction. Ring the relay's bell after the commit."""
    await session.execute(_INSERT, {"kind": kind.value, "actor_id": actor_id, "subject_id": subject_id})
