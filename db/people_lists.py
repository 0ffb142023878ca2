"""Lists of people, newest first: one form of statement for every table of relations between them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import TextClause, text

from db.database import ReadSession
from db.rows import RELATION_COLUMNS, RELATION_JOINS, USER_COLUMNS, USER_WIDTH, to_relation, to_user
from domain.records import Relation, UserRecord

PersonRow = tuple[datetime, UserRecord, Relation]
"""(since when, the account, how the viewer stands to it)"""


def people_statement(table: str, owner: str, other: str, *, condition: str = "true") -> TextClause:
    """The accounts in column `other` of the rows whose `owner` is `:user_id`; `condition` speaks of the row as `e`."""
    return text(
        f"""
        SELECT e.created_at, {USER_COLUMNS}, {RELATION_COLUMNS}
        FROM {table} e JOIN users u ON u.id = e.{other} {RELATION_JOINS}
        WHERE e.{owner} = :user_id AND (e.created_at, e.{other}) < (:below_time, :below_id) AND {condition}
        ORDER BY e.created_at DESC, e.{other} DESC LIMIT :size
        """
    )


async def load_listed_people(
    session: ReadSession, statement: TextClause, user_id: int, viewer_id: int, below: tuple[datetime, int], size: int
) -> list[PersonRow]:
    """The next rows of a `people_statement` below a (time, id) keyset. Nothing is filtered yet."""
    rows = await session.execute(
        statement,
        {"user_id": user_id, "viewer_id": viewer_id, "below_time": below[0], "below_id": below[1], "size": size},
    )
    end = 1 + USER_WIDTH
    return [(row[0], to_user(row[1:end]), to_relation(row[end:])) for row in rows]
