"""A generated world to search in: posts of a year, whose words follow Zipf's law as those of people do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random

import orjson

from db.bulk import BulkConnection, bulk_connection
from services.demo.words import FIRST_NAMES, LAST_NAMES

VOCABULARY = 200_000
HASHTAGS = 2_000
_EXPONENT = 1.07
_SYLLABLES = "ba be bi bo bra ce cha da de dro e fa fi fle ga go gri ha hu i ja ka ke la le lo ma mi na no o pa pe qua ra re \
ri ro sa se sha si sta te ti tra tu u va ve wi ya zo ing er ness tion"
_CHINESE = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出"
    "就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
)
YEAR_MS = 365 * 86_400_000
EVENT_BEGIN, EVENT_END = 0.50, 0.52
"""When everybody spoke of one thing: the share of the year before now."""
EVENT_WORD = "eclipsia"
_CHINESE_SHARE, _HASHTAG_SHARE, _MENTION_SHARE, _EVENT_SHARE, _LONG_SHARE = 0.03, 0.30, 0.10, 0.30, 0.01


@dataclass(frozen=True, slots=True)
class WorldWords:
    """The vocabulary: rank 0 is the most frequent word."""

    words: list[str]
    cumulated: list[float]

    @classmethod
    def make(cls, random: Random) -> WorldWords:
        syllables = _SYLLABLES.split()
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            words["".join(random.choices(syllables, k=1 + (len(words) > 100) + (len(words) > 1_500) + random.randrange(2)))] = (
                None
            )
        return cls(list(words), list(accumulate((rank + 1) ** -_EXPONENT for rank in range(VOCABULARY))))

    def draw(self, random: Random, count: int) -> list[str]:
        return random.choices(self.words, cum_weights=self.cumulated, k=count)


async def make_world(database_url: str, *, users: int, posts: int, seed: int) -> float:
    """Fills an empty, migrated database; returns how many seconds the index took."""
    random = Random(seed)
    words = WorldWords.make(random)
    now_ms = time.time_ns() // 1_000_000
    async with bulk_connection(database_url) as connection:
        await make_people(connection, random, users)
        await connection.execute("ALTER TABLE posts DISABLE TRIGGER USER")
        columns = ("id", "author_id", "text", "entities", "visibility", "created_at", "delivery")
        await connection.execute(
            "CREATE TEMP TABLE made (id bigint, author_id bigint, text text, entities text, visibility text)"
        )
        await connection.copy("made", columns[:5], _rows(random, words, users, posts, now_ms))
        await connection.execute(
            """
            INSERT INTO posts (id, author_id, text, entities, visibility, created_at, delivery)
            SELECT id, author_id, text, CAST(entities AS jsonb), visibility, to_timestamp((id >> 22) / 1000.0), 'PUSH' FROM made
            """
        )
        await connection.execute("ALTER TABLE posts ENABLE TRIGGER USER")
        seconds = await index_posts(connection)
        for table in ("posts", "users", "searchable_posts"):
            await connection.execute(f"VACUUM ANALYZE {table}")
    return seconds


async def make_people(connection: BulkConnection, random: Random, users: int) -> None:
    """Accounts 1 to `users`, the first ones with most followers."""
    people = []
    for number in range(1, users + 1):
        first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
        people.append((number, f"u{number}", f"{first}_{last}{number}", f"{first} {last}", 1_000_000 // number))
    await connection.copy("users", ("id", "external_id", "username", "display_name", "follower_count"), people)
    await connection.execute("VACUUM ANALYZE searchable_accounts")


async def index_posts(connection: BulkConnection) -> float:
    """Makes all posts searchable, like the migration of a database that has posts: rows first, then the index over all of them.

    Returns how many seconds the index took.
    """
    definition = await connection.fetch_value("SELECT pg_get_indexdef('ix_searchable_posts_words'::regclass)")
    await connection.execute("DROP INDEX ix_searchable_posts_words")
    began = time.perf_counter()
    await connection.execute(
        """
        INSERT INTO searchable_posts (post_id, body, words)
        SELECT id, folded, search_words(folded) || array_to_tsvector(search_marks(entities))
        FROM (SELECT id, entities, search_text(text) AS folded FROM posts ORDER BY id OFFSET 0) AS p
        """
    )
    await connection.execute(definition)
    return time.perf_counter() - began


def _rows(random: Random, words: WorldWords, users: int, posts: int, now_ms: int) -> Iterator[tuple[object, ...]]:
    for number in range(posts):
        share = number / posts
        instant = now_ms - YEAR_MS + int(share * YEAR_MS)
        body, entities = _text(random, words, users, 1 - EVENT_END <= share < 1 - EVENT_BEGIN)
        draw = random.random()
        visibility = "PRIVATE" if draw < 0.02 else "FRIENDS" if draw < 0.08 else "PUBLIC"
        author = 1 + int(users * random.random() ** 2)
        yield (
            (instant << 22) | (number % 4096 << 10) | (author & 1023),
            author,
            body,
            orjson.dumps(entities).decode(),
            visibility,
        )


def _text(random: Random, words: WorldWords, users: int, is_event: bool) -> tuple[str, list[dict[str, object]]]:
    if random.random() < _CHINESE_SHARE:
        return "".join(random.choices(_CHINESE, k=random.randrange(6, 60))) + "。", []
    drawn = words.draw(random, random.randrange(150, 500) if random.random() < _LONG_SHARE else random.randrange(4, 21))
    if is_event and random.random() < _EVENT_SHARE:
        drawn.insert(random.randrange(len(drawn)), EVENT_WORD)
    body = " ".join(drawn).capitalize() + random.choice(".!?,")
    entities: list[dict[str, object]] = []
    if random.random() < _HASHTAG_SHARE:
        tag = words.words[100 + int(HASHTAGS * random.random() ** 3)]
        entities.append({"k": "HASHTAG", "s": len(body) + 1, "e": len(body) + 2 + len(tag), "t": f"#{tag}", "h": tag})
        body += f" #{tag}"
    if random.random() < _MENTION_SHARE:
        name = f"@user{1 + int(users * random.random() ** 3)}"
        entities.append({"k": "MENTION", "s": len(body) + 1, "e": len(body) + 1 + len(name), "t": name})
        body += f" {name}"
    return body, entities
