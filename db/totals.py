"""How much there is, for operators: estimates where counting would take long."""

from __future__ import annotations

from sqlalchemy import text

from db.database import ReadSession

_TOTALS = text(
    """
    SELECT relname, greatest(n_live_tup, 0) FROM pg_stat_user_tables
    WHERE relname IN ('users', 'follows', 'posts') ORDER BY relname
    """
)
_IS_EMPTY = text("SELECT NOT EXISTS (SELECT FROM users)")


async def load_totals(session: ReadSession) -> dict[str, int]:
    """Rows of the large tables, as the statistics collector knows them."""
    return {row[0]: int(row[1]) for row in await session.execute(_TOTALS)}


async def is_empty(session: ReadSession) -> bool:
    """Whether nobody has an account yet."""
    return bool((await session.execute(_IS_EMPTY)).scalar_one())
