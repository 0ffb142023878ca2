"""Searching among posts of years, rare words and common ones, against looking at every post."""

from __future__ import annotations

import time
from random import Random

from sqlalchemy import text

from db.post_search import WALKED_POSTS
from tests.services.discovery.test_search_posts import found
from tests.world import World, newest_first

YEAR_MS = 365 * 86_400_000
POSTS = 3 * WALKED_POSTS
_INSERT = text(
    """
    INSERT INTO posts (id, author_id, text, created_at, visibility)
    SELECT id, :author, body, now(), visibility
    FROM unnest(CAST(:ids AS bigint[]), CAST(:bodies AS text[]), CAST(:visibilities AS text[])) AS made (id, body, visibility)
    """
)
_WORDS = {"always": 1.0, "often": 0.3, "some": 0.03, "rare": 0.003}


async def test_every_post_is_found_once_and_in_order(world: World) -> None:
    random = Random(11)
    now_ms = time.time_ns() // 1_000_000
    await world.add("ada")
    # Dense lately, thin before, nothing for a while, and some from the beginnings of time.
    ages = [int(random.random() ** 4 * 3 * YEAR_MS) for _ in range(POSTS - 100)]
    ages += [int((12 + 40 * random.random()) * YEAR_MS) for _ in range(100)]
    posts: dict[int, tuple[str, str]] = {}
    for number, age in enumerate(ages):
        chosen = [word for word, share in _WORDS.items() if random.random() < share]
        if 1.0 * YEAR_MS < age < 1.4 * YEAR_MS:
            chosen.append("event")
        if age > 11 * YEAR_MS:
            chosen.append("ancient")
        visibility = "PRIVATE" if random.random() < 0.1 else "PUBLIC"
        posts[(now_ms - age) << 22 | (number & 4_095) << 10] = " ".join(random.sample(chosen, len(chosen))), visibility
    async with world.backends.database.writing() as session:
        bodies, visibilities = zip(*posts.values(), strict=True)
        values = {"ids": list(posts), "bodies": list(bodies), "visibilities": list(visibilities)}
        await session.execute(_INSERT, {"author": world.ids["ada"], **values})

    def expected(*wanted: str, without: str = "") -> list[int]:
        return newest_first(
            post_id
            for post_id, (body, visibility) in posts.items()
            if visibility == "PUBLIC" and set(wanted) <= set(body.split()) and without not in body.split()
        )

    for query, ids in {
        "some": expected("some"),
        "rare": expected("rare"),
        "rare always": expected("rare", "always"),
        "often some": expected("often", "some"),
        "ancient": expected("ancient"),
        "event -often": expected("event", without="often"),
        "rare or ancient": newest_first({*expected("rare"), *expected("ancient")}),
        "ncien": expected("ancient"),
        "nothing": [],
    }.items():
        assert await found(world, query, size=100) == ids, query
    assert await found(world, "event", size=23) == expected("event")
    assert len(expected("event")) > 20 < len(expected("ancient"))
