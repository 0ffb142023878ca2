"""Databases made by copying, and their contents in a form that can be compared."""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

_TABLES = {
    "users": "id",
    "follows": "follower_id, followee_id",
    "follow_requests": "follower_id, followee_id",
    "posts": "id",
    "outbox": "id",
    # Hashtags get ids of the moment: what matters is which posts they have.
    """(
      SELECT h.name, h.post_count, array_agg(l.post_id ORDER BY l.post_id) AS posts
      FROM hashtags h LEFT JOIN post_hashtags l ON l.hashtag_id = h.id GROUP BY h.id
    )""": "name",
}


async def copy_database(template_url: str) -> str:
    """Makes a copy of a database to which nobody is connected, and returns its address."""
    name = f"import_{token_hex(6)}"
    await _execute(_named(template_url, "postgres"), f"CREATE DATABASE {name} TEMPLATE {urlsplit(template_url).path[1:]}")
    return _named(template_url, name)


async def drop_database(url: str) -> None:
    await _execute(_named(url, "postgres"), f"DROP DATABASE {urlsplit(url).path[1:]} WITH (FORCE)")


async def query(url: str, statement: str, *arguments: object) -> list[Any]:
    """The rows of a query on a connection of its own."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return list(await connection.fetch(statement, *arguments, timeout=60))
    finally:
        await connection.close(timeout=10)


_ROW = "(to_jsonb(t) - '{graph_version,audience_version,import_version}'::text[])"


async def contents(url: str) -> dict[str, tuple[int, str]]:
    """(number of rows, hash over all columns of all rows) of each table, but for the counters of changes."""
    found = {}
    for table, key in _TABLES.items():
        row = (
            await query(
                url, f"SELECT count(*), coalesce(md5(string_agg({_ROW}::text, chr(10) ORDER BY {key})), '') FROM {table} AS t"
            )
        )[0]
        found[table] = (row[0], row[1])
    return found


async def wrong_counts(url: str) -> list[str]:
    """Accounts, posts and hashtags one of whose counts is not that of the rows."""
    rows = await query(
        url,
        """
        SELECT external_id FROM users u
        LEFT JOIN (SELECT followee_id AS id, count(*) AS followers FROM follows GROUP BY 1) AS a USING (id)
        LEFT JOIN (SELECT follower_id AS id, count(*) AS following FROM follows GROUP BY 1) AS b USING (id)
        LEFT JOIN (
          SELECT author_id AS id, count(*) AS posts FROM posts
          WHERE visibility = 'PUBLIC' AND deleted_at IS NULL AND NOT is_plain_share GROUP BY 1
        ) AS c USING (id)
        WHERE (follower_count, following_count, post_count)
          <> (coalesce(followers, 0), coalesce(following, 0), coalesce(posts, 0))
        UNION ALL
        SELECT 'shares of ' || p.id FROM posts p LEFT JOIN posts s ON s.shared_post_id = p.id AND s.deleted_at IS NULL
        GROUP BY p.id HAVING p.share_count <> count(s.id)
        UNION ALL
        SELECT '#' || h.name FROM hashtags h LEFT JOIN post_hashtags l ON l.hashtag_id = h.id
        LEFT JOIN posts p ON p.id = l.post_id AND p.visibility = 'PUBLIC' AND p.deleted_at IS NULL
        GROUP BY h.id HAVING h.post_count <> count(p.id)
        UNION ALL
        SELECT 'hashtags of ' || p.id FROM posts p LEFT JOIN post_hashtags l ON l.post_id = p.id
        GROUP BY p.id
        HAVING count(l) <> (SELECT count(DISTINCT e ->> 'h') FROM jsonb_array_elements(p.entities) e WHERE e ? 'h')
        """,
    )
    return [row[0] for row in rows]


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _execute(url: str, statement: str) -> None:
    async with asyncio.timeout(60):
        connection = await asyncpg.connect(_named(url, "postgres"), timeout=10)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
