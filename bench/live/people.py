"""Accounts and follows, put into the database by themselves: what is measured is what happens afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from bench.system import token_of

_USERS = """
INSERT INTO users (external_id, username) SELECT name, name FROM unnest($1::text[]) AS name RETURNING id, username
"""
_FOLLOWS = "INSERT INTO follows (follower_id, followee_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])"
_COUNTS = """
UPDATE users SET
  follower_count = (SELECT count(*) FROM follows WHERE followee_id = users.id),
  following_count = (SELECT count(*) FROM follows WHERE follower_id = users.id)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is the username and the `sub` of the tokens."""

    id: int
    name: str

    @property
    def token(self) -> str:
        return token_of(self.name)


async def make_people(database_url: str, names: Sequence[str], follows: Iterable[tuple[str, str]]) -> dict[str, Person]:
    """Accounts of these names; `follows` are pairs of (follower, followed)."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(_USERS, list(names))
        people = {row["username"]: Person(row["id"], row["username"]) for row in rows}
        pairs = [(people[follower].id, people[followed].id) for follower, followed in follows]
        await connection.execute(_FOLLOWS, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
        await connection.execute(_COUNTS)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return people
