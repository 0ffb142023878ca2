"""Engagement comes to a database with posts in it, goes again, and comes back: nothing is lost that was there before it."""

from __future__ import annotations

import asyncio
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

from alembic import command

from app.stack.servers import EmbeddedServers
from migrations.run import _config, upgrade
from tests.import_database import drop_database, query

_POSTS = """
INSERT INTO posts (id, author_id, text, entities, visibility, created_at, deleted_at, engagement_score)
SELECT next_id(1), u.id, e.body, e.entities::jsonb, 'PUBLIC', now(), CASE WHEN e.is_deleted THEN now() END, e.score
FROM users u CROSS JOIN (VALUES
  ('Gruß @one #Tag',
   '[{"k":"MENTION","s":5,"e":9,"t":"@one","u":"1"},{"k":"HASHTAG","s":10,"e":14,"t":"#Tag","h":"tag"}]', 7, false),
  ('@nobody \U0001f469\u200d\U0001f467', '[{"k":"MENTION","s":0,"e":7,"t":"@nobody"}]', 0, false),
  ('gone', '[]', 0, true)
) AS e (body, entities, score, is_deleted)
"""
_SCORES = "SELECT text, engagement_score FROM posts ORDER BY text"
_WORDS = """
SELECT p.text FROM searchable_posts s JOIN posts p ON p.id = s.post_id
WHERE s.words @@ '''#tag'' | ''@nobody''' ORDER BY 1
"""


async def test_engagement_comes_goes_and_comes_again(servers: EmbeddedServers) -> None:
    name = f"down_{token_hex(6)}"
    await query(servers.urls.database_url, f"CREATE DATABASE {name}")
    url = urlunsplit(urlsplit(servers.urls.database_url)._replace(path=f"/{name}"))
    try:
        await upgrade(url, "0003")
        await query(url, "INSERT INTO users (external_id, username, post_count) VALUES ('1', 'one', 2)")
        await query(url, _POSTS)
        before = [tuple(row) for row in await query(url, _SCORES)]
        await upgrade(url)
        found = [row[0] for row in await query(url, _WORDS)]
        assert len(found) == 2
        # As a flush of three likes leaves it.
        await query(url, "UPDATE posts SET like_count = 3, engagement_score = imported_engagement + 3 WHERE deleted_at IS NULL")
        await asyncio.to_thread(command.downgrade, _config(url), "0003")
        assert [tuple(row) for row in await query(url, _SCORES)] == before
        await upgrade(url)
        assert [row[0] for row in await query(url, _WORDS)] == found
        assert [tuple(row) for row in await query(url, "SELECT text, imported_engagement FROM posts ORDER BY text")] == before
    finally:
        await drop_database(url)


async def test_visits_leave_the_accounts_rows_and_come_back(servers: EmbeddedServers) -> None:
    name = f"visits_{token_hex(6)}"
    await query(servers.urls.database_url, f"CREATE DATABASE {name}")
    url = urlunsplit(urlsplit(servers.urls.database_url)._replace(path=f"/{name}"))
    try:
        await upgrade(url, "0005")
        await query(url, "INSERT INTO users (external_id, username, last_active_at) VALUES ('1', 'one', '2026-01-02')")
        await query(url, "INSERT INTO users (external_id, username) VALUES ('2', 'two')")
        before = "SELECT username, last_active_at FROM users WHERE last_active_at IS NOT NULL"
        was = [tuple(row) for row in await query(url, before)]
        await upgrade(url)
        after = "SELECT u.username, v.last_active_at FROM account_visits v JOIN users u ON u.id = v.user_id"
        assert [tuple(row) for row in await query(url, after)] == was
        await asyncio.to_thread(command.downgrade, _config(url), "0005")
        assert [tuple(row) for row in await query(url, before)] == was
    finally:
        await drop_database(url)
