"""Staging: rows go by COPY into temporary tables, where they are joined and counted as sets. Nothing real is touched."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from db.bulk import BulkConnection
from services.importing.rows import AccountRow, ActivityRow, FollowRow, PostRow

_TABLES = (
    """
    CREATE TEMP TABLE staged_accounts (
      line int, external_id text, username text, display_name text, bio text, created_ms bigint,
      is_verified boolean, is_private boolean
    )
    """,
    "CREATE TEMP TABLE staged_follows (line int, follower text, followee text, since_ms bigint)",
    """
    CREATE TEMP TABLE staged_posts (
      number int, file text, line int, source_id text, order_key text COLLATE "C", author text, created_us bigint,
      text text, media jsonb, score float8, visibility text, location_name text, repost_of text
    )
    """,
    "CREATE TEMP TABLE staged_activity (actor text, target text, at_ms bigint, weight float8)",
)
_POST_COLUMNS = ("number", *PostRow._fields)


async def create_staging(connection: BulkConnection) -> None:
    """Makes the empty staging tables of this connection."""
    for statement in _TABLES:
        await connection.execute(statement)


async def stage_accounts(connection: BulkConnection, rows: Iterable[AccountRow]) -> int:
    return await connection.copy("staged_accounts", AccountRow._fields, rows)


async def stage_follows(connection: BulkConnection, rows: Iterable[FollowRow]) -> int:
    return await connection.copy("staged_follows", FollowRow._fields, rows)


async def stage_posts(connection: BulkConnection, rows: Iterable[PostRow]) -> int:
    """Stages the posts of one file behind those of others; this order tells which of two equal ids is the first."""
    begin = await connection.fetch_value("SELECT count(*) FROM staged_posts")
    return await connection.copy(
        "staged_posts",
        _POST_COLUMNS,
        (
            (number, *row._replace(media=orjson.dumps(row.media).decode()))  # type: ignore[arg-type]
            for number, row in enumerate(rows, begin)
        ),
    )


async def stage_activity(connection: BulkConnection, rows: Iterable[ActivityRow]) -> int:
    return await connection.copy("staged_activity", ActivityRow._fields, rows)


async def finish_staging(connection: BulkConnection) -> None:
    """Tells the planner what was staged; nobody else does so for temporary tables."""
    await connection.execute("CREATE UNIQUE INDEX ON staged_posts (number)")
    for table in ("staged_accounts", "staged_follows", "staged_posts", "staged_activity"):
        await connection.execute(f"ANALYZE {table}")
