"""What PostgreSQL says of mutations that were to happen once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import asyncpg

from bench.retrying_clients import text_of
from domain.ids import from_global_id

_WRITTEN = """
    SELECT text, id FROM posts WHERE text LIKE 'written once %' UNION ALL
    SELECT text, id FROM comments WHERE text LIKE 'written once %'
"""
_WRONG_COUNTS = """
    SELECT (SELECT count(*) FROM users u WHERE post_count <>
              (SELECT count(*) FROM posts p WHERE p.author_id = u.id AND NOT is_plain_share AND deleted_at IS NULL)),
      (SELECT count(*) FROM posts p WHERE share_count <> (SELECT count(*) FROM posts s WHERE s.shared_post_id = p.id)),
      (SELECT count(*) FROM posts p WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.post_id = p.id))
"""


async def count_effects(url: str, answers: Mapping[int, str]) -> dict[str, int]:
    """How many mutations have which effect, and what does not go with the rows."""
    connection = await asyncpg.connect(url, command_timeout=120)
    try:
        written: dict[str, list[int]] = defaultdict(list)
        for text, number in await connection.fetch(_WRITTEN):
            written[text].append(number)
        post_counts, share_counts, unpromised = await connection.fetchrow(_WRONG_COUNTS)
        keys = await connection.fetchval("SELECT count(*) FROM idempotency_keys")
    finally:
        await connection.close()
    found = {number: written.get(text_of(number), []) for number in answers}
    return {
        "once, as answered": sum(_is_answered(answers[number], ids) for number, ids in found.items()),
        "twice or more": sum(len(ids) > 1 for ids in found.values()),
        "answered and lost": sum(not ids for ids in found.values()),
        "another id than answered": sum(len(ids) == 1 and not _is_answered(answers[n], ids) for n, ids in found.items()),
        "texts that nobody was answered": len(written.keys() - {text_of(number) for number in answers}),
        "keys stored": keys,
        "accounts with a wrong postCount": post_counts,
        "posts with a wrong shareCount": share_counts,
        "posts without a row in the outbox": unpromised,
    }


def _is_answered(answer: str, ids: list[int]) -> bool:
    parts = from_global_id(answer)
    return parts is not None and ids == [parts[1]]
