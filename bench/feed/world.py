"""Fills an empty database with a world: accounts, follows, posts, likes, comments, hashtags.

All posts are public and no account is blocked or muted: the peers have no rules, and all must give the same pages. The rules
of Tidings are evaluated all the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import accumulate
from random import Random

import orjson

from bench.feed.world_shape import WorldShape, WorldSize, draw_shape
from bench.search_world import WorldWords, index_posts
from db.bulk import BulkConnection, bulk_connection
from domain.ids import SHARD_MASK, make_id
from services.demo.words import FIRST_NAMES, LAST_NAMES

SPAN_MS = 30 * 86_400_000
"""All posts are of the last thirty days."""
HASHTAGS = 200
_HASHTAG_SHARE = 0.2
_WORDS = (10, 26)

_FINISH = (
    "UPDATE deployment SET pulled_version = 1",
    """
    INSERT INTO posts (id, author_id, text, entities, created_at, delivery, like_count, comment_count)
    SELECT m.id, m.author_id, m.text, CAST(m.entities AS jsonb), to_timestamp((m.id >> 22) / 1000.0), m.delivery,
      coalesce(l.n, 0), coalesce(c.n, 0)
    FROM made_posts m
    LEFT JOIN (SELECT post_id, count(*) AS n FROM likes GROUP BY 1) l ON l.post_id = m.id
    LEFT JOIN (SELECT post_id, count(*) AS n FROM comments GROUP BY 1) c ON c.post_id = m.id
    ORDER BY m.id
    """,
    """
    UPDATE users u SET following_count = f.n FROM (SELECT follower_id, count(*) AS n FROM follows GROUP BY 1) f
    WHERE f.follower_id = u.id
    """,
    "UPDATE hashtags h SET post_count = (SELECT count(*) FROM post_hashtags t WHERE t.hashtag_id = h.id)",
)


async def make_world(database_url: str, size: WorldSize, *, seed: int) -> None:
    """Fills an empty, migrated database."""
    random = Random(seed)
    shape = draw_shape(size, random)
    async with bulk_connection(database_url) as connection:
        await _write_people(connection, random, shape, size)
        await connection.copy("follows", ("follower_id", "followee_id"), _follows(shape))
        await connection.execute(
            "CREATE TEMP TABLE made_posts (id bigint, author_id bigint, text text, entities text, delivery text)"
        )
        posts = _draw_posts(random, shape)
        tags: list[tuple[int, int]] = []
        columns = ("id", "author_id", "text", "entities", "delivery")
        await connection.copy("made_posts", columns, _post_rows(random, shape, size, posts, tags))
        await connection.copy("hashtags", ("id", "name"), ((number, f"topic{number}") for number in range(1, HASHTAGS + 1)))
        await connection.copy("post_hashtags", ("hashtag_id", "post_id"), tags)
        await connection.copy("likes", ("post_id", "user_id"), _likes(random, shape, posts, size.likes))
        await connection.copy(
            "comments", ("id", "post_id", "author_id", "text"), _comments(random, shape, posts, size.comments)
        )
        await connection.execute("ANALYZE")
        await connection.execute("ALTER TABLE posts DISABLE TRIGGER USER")
        for statement in _FINISH:
            await connection.execute(statement)
        await connection.execute("ALTER TABLE posts ENABLE TRIGGER USER")
        await index_posts(connection)
        await connection.execute("VACUUM ANALYZE")


async def _write_people(connection: BulkConnection, random: Random, shape: WorldShape, size: WorldSize) -> None:
    pulled = set(shape.ranked[: size.pulled])
    rows = []
    for number in range(1, size.users + 1):
        first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
        avatar = f"https://pictures.example/{number}/small.png"
        followers, posts = len(shape.followers[number]), shape.post_counts[number]
        external_id, username = external_id_of(number), f"{first}_{last}{number}"
        rows.append((number, external_id, username, f"{first} {last}", avatar, number in pulled, followers, posts))
    columns = (
        "id",
        "external_id",
        "username",
        "display_name",
        "avatar_url",
        "has_pulled_posts",
        "follower_count",
        "post_count",
    )
    await connection.copy("users", columns, rows)


def external_id_of(user_id: int) -> str:
    """The `sub` of an account's tokens."""
    return f"w{user_id}"


def _follows(shape: WorldShape) -> Iterator[tuple[int, int]]:
    for author, followers in shape.followers.items():
        for follower in followers:
            yield follower, author


def _draw_posts(random: Random, shape: WorldShape) -> list[tuple[int, int]]:
    """(id, author) of every post, oldest first."""
    authors = [author for author, count in shape.post_counts.items() for _ in range(count)]
    random.shuffle(authors)
    now_ms = time.time_ns() // 1_000_000
    step = SPAN_MS / len(authors)
    instants = (now_ms - SPAN_MS + int((number + random.random()) * step) for number in range(len(authors)))
    return [
        (make_id(milliseconds=ms, sequence=number % 4_096, shard=author & SHARD_MASK), author)
        for number, (ms, author) in enumerate(zip(instants, authors, strict=True))
    ]


def _post_rows(
    random: Random, shape: WorldShape, size: WorldSize, posts: list[tuple[int, int]], tags: list[tuple[int, int]]
) -> Iterator[tuple[object, ...]]:
    words = WorldWords.make(random)
    pulled = set(shape.ranked[: size.pulled])
    for post_id, author in posts:
        body = " ".join(words.draw(random, random.randrange(*_WORDS))).capitalize() + random.choice(".!?")
        entities: list[dict[str, object]] = []
        if random.random() < _HASHTAG_SHARE:
            number = 1 + int(HASHTAGS * random.random() ** 3)
            name, start = f"topic{number}", len(body) + 1
            entities.append({"k": "HASHTAG", "s": start, "e": start + 1 + len(name), "t": f"#{name}", "h": name})
            body += f" #{name}"
            tags.append((number, post_id))
        yield post_id, author, body, orjson.dumps(entities).decode(), "PULL" if author in pulled else "PUSH"


def _likes(random: Random, shape: WorldShape, posts: list[tuple[int, int]], count: int) -> Iterator[tuple[int, int]]:
    """By followers, so that readers meet what they like; authors with more followers are liked more."""
    for post_id, author, times in _drawn(random, shape, posts, count):
        for follower in set(random.choices(shape.followers[author], k=times)):
            yield post_id, follower


def _comments(
    random: Random, shape: WorldShape, posts: list[tuple[int, int]], count: int
) -> Iterator[tuple[int, int, int, str]]:
    number = 0
    for post_id, author, times in _drawn(random, shape, posts, count):
        for follower in random.choices(shape.followers[author], k=times):
            number += 1
            ms = (post_id >> 22) + 60_000 + number % 50_000
            comment_id = make_id(milliseconds=ms, sequence=number % 4_096, shard=follower & SHARD_MASK)
            yield comment_id, post_id, follower, f"What {number % 97} people say about it."


def _drawn(random: Random, shape: WorldShape, posts: list[tuple[int, int]], count: int) -> Iterator[tuple[int, int, int]]:
    """(post, author, how often), about `count` in all."""
    weights = list(accumulate(len(shape.followers[author]) ** 0.5 for _, author in posts))
    times: dict[int, int] = {}
    for place in random.choices(range(len(posts)), cum_weights=weights, k=count):
        times[place] = times.get(place, 0) + 1
    for place, often in times.items():
        if shape.followers[posts[place][1]]:
            yield *posts[place], often
