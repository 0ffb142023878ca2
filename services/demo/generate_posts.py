"""The posts of a generated world: who writes more, at which hour, about what."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from services.demo.generate_people import DAY_MS, Person, Popularity
from services.demo.words import EMOJI, LINKS, PLACES, SECOND_SENTENCES, SENTENCES, TOPICS
from services.importing.rows import PostRow, order_key

_SPAN_DAYS = 7
# Relative number of posts in each hour of the day (UTC): quiet nights, a peak at noon and one in the evening.
_HOUR_WEIGHTS = (3, 2, 1, 1, 1, 2, 4, 7, 9, 8, 7, 8, 10, 9, 8, 7, 8, 9, 11, 13, 14, 12, 9, 5)
_FRIENDS_SHARE, _PRIVATE_SHARE = 0.06, 0.02
_CHATTY_SHARE = 0.5
"""Part of the posts that the popular write; the others come from anybody."""


def post_rows(random: Random, people: list[Person], posts: int, now_ms: int, world: str) -> Iterator[PostRow]:
    """`posts` posts of the last days, the newest seconds old. `world` is the prefix of their source ids."""
    popularity = Popularity(len(people))
    hours = list(_HOUR_WEIGHTS)
    for number, at_ms in enumerate(_instants(random, posts, now_ms, hours), 1):
        rank = popularity.draw(random) if random.random() < _CHATTY_SHARE else random.randrange(len(people))
        author = people[rank]
        draw = random.random()
        visibility = "PRIVATE" if draw < _PRIVATE_SHARE else "FRIENDS" if draw < _PRIVATE_SHARE + _FRIENDS_SHARE else "PUBLIC"
        source_id = f"{world}-{number}"
        yield PostRow(
            file="",
            line=number,
            source_id=source_id,
            order_key=order_key(source_id),
            author=author.username,
            created_us=at_ms * 1_000,
            text=_text(random, author, people, popularity, number),
            media=[],
            score=float(int(random.paretovariate(1.1) * len(people) / (50 * (rank + 5)))),
            visibility=visibility,
            location_name=random.choice(PLACES) if random.random() < 0.05 else None,
        )


def _instants(random: Random, posts: int, now_ms: int, hours: list[int]) -> Iterator[int]:
    """Ascending instants of the span, as many in each hour as its weight asks for."""
    begin = now_ms - _SPAN_DAYS * DAY_MS
    hour_ms = DAY_MS // 24
    slots = list(range(begin, now_ms, hour_ms))
    weights = [hours[slot // hour_ms % 24] for slot in slots]
    drawn = sorted(random.choices(range(len(slots)), weights, k=posts))
    instants = (slots[slot] + random.randrange(min(hour_ms, now_ms - slots[slot])) for slot in drawn)
    yield from sorted(instants)


def _text(random: Random, author: Person, people: list[Person], popularity: Popularity, number: int) -> str:
    # People mostly stay with their subject.
    topic, things, tags = TOPICS[author.topic] if random.random() < 0.7 else random.choice(TOPICS)
    parts = [random.choice(SENTENCES).format(thing=random.choice(things))]
    if random.random() < 0.5:
        parts.append(random.choice(SECOND_SENTENCES))
    if random.random() < 0.18:
        parts.append(f"@{people[popularity.draw(random)].username}")
    if random.random() < 0.4:
        parts.append(random.choice(EMOJI))
    if random.random() < 0.45:
        parts.append(f"#{random.choice(tags)}")
    if random.random() < 0.12:
        parts.append(random.choice(LINKS).format(topic=topic, number=number))
    return " ".join(parts)
