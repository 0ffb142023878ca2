"""A database of the first release gets the hashtags of the posts that it holds."""

from __future__ import annotations

from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

from app.stack.servers import EmbeddedServers
from migrations.run import upgrade
from tests.import_database import drop_database, query, wrong_counts

_OLD = """
INSERT INTO posts (id, author_id, text, entities, visibility, created_at, deleted_at)
SELECT next_id(1), u.id, 'old', e.entities::jsonb, e.visibility, now(), CASE WHEN e.is_deleted THEN now() END
FROM users u CROSS JOIN (VALUES
  ('[{"k":"HASHTAG","s":0,"e":2,"t":"#A","h":"a"},{"k":"HASHTAG","s":3,"e":5,"t":"#a","h":"a"}]', 'PUBLIC', false),
  ('[{"k":"HASHTAG","s":0,"e":2,"t":"#a","h":"a"},{"k":"LINK","s":3,"e":5,"t":"x","l":"x"}]', 'PUBLIC', false),
  ('[{"k":"HASHTAG","s":0,"e":2,"t":"#b","h":"b"}]', 'FRIENDS', false),
  ('[{"k":"HASHTAG","s":0,"e":2,"t":"#b","h":"b"}]', 'PUBLIC', true),
  ('[]', 'PUBLIC', false)
) AS e (entities, visibility, is_deleted)
"""


async def test_old_posts_get_their_hashtags(servers: EmbeddedServers) -> None:
    name = f"old_{token_hex(6)}"
    await query(servers.urls.database_url, f"CREATE DATABASE {name}")
    url = urlunsplit(urlsplit(servers.urls.database_url)._replace(path=f"/{name}"))
    try:
        await upgrade(url, "0001")
        await query(url, "INSERT INTO users (external_id, username, post_count) VALUES ('1', 'one', 3)")
        await query(url, _OLD)
        await upgrade(url)
        assert await wrong_counts(url) == []
        rows = await query(
            url,
            "SELECT name, post_count, count(*) FROM hashtags JOIN post_hashtags ON hashtag_id = id GROUP BY 1, 2 ORDER BY 1",
        )
        assert [tuple(row) for row in rows] == [("a", 2, 2), ("b", 0, 2)]
    finally:
        await drop_database(url)
