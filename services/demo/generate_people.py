"""The people of a generated world, and whom they follow: few are known to many, as in real networks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from services.demo.words import BIOS, FIRST_NAMES, LAST_NAMES, PLACES, TOPICS
from services.importing.rows import AccountRow, FollowRow

DAY_MS = 86_400_000
DEMO_USERNAME = "demo"
GUIDE_USERNAME, GUIDE_NAME, GUIDE_RANK = "ada", "Ada Blake", 1
"""Somebody whom the examples look up: well known, and not yet followed by the demo user."""

_DEMO_FOLLOWS = 60
_VERIFIED_SHARE, _PRIVATE_SHARE = 0.04, 0.05
_OLDEST_ACCOUNT_DAYS, _YOUNGEST_ACCOUNT_DAYS = 1_500, 31
_POPULARITY_EXPONENT = 0.85
"""Zipf: the account of rank r is chosen in proportion to r to the power of minus this."""
_MEAN_FOLLOWS = 30.0
_SAME_TOPIC_TRIES = 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the generated world; `rank` 0 is the most popular."""

    rank: int
    username: str
    display_name: str
    topic: int
    created_ms: int
    is_verified: bool
    is_private: bool


class Popularity:
    """Draws ranks by Zipf's law."""

    def __init__(self, size: int) -> None:
        self._cumulated = list(accumulate((rank + 1) ** -_POPULARITY_EXPONENT for rank in range(size)))

    def draw(self, random: Random) -> int:
        return bisect_left(self._cumulated, random.random() * self._cumulated[-1])


def generate_people(random: Random, users: int, now_ms: int) -> list[Person]:
    """`users` people, the last of them the demo user, who is followed by next to nobody and follows many."""
    people: list[Person] = []
    for rank in range(users):
        first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
        age_days = random.uniform(_YOUNGEST_ACCOUNT_DAYS, _OLDEST_ACCOUNT_DAYS)
        is_demo = rank == users - 1
        is_guide = rank == GUIDE_RANK and not is_demo
        is_private = random.random() < _PRIVATE_SHARE and rank >= users // 10
        people.append(
            Person(
                rank=rank,
                username=DEMO_USERNAME if is_demo else GUIDE_USERNAME if is_guide else _username(first, last, rank),
                display_name="Demo User" if is_demo else GUIDE_NAME if is_guide else f"{first} {last}",
                topic=random.randrange(len(TOPICS)),
                created_ms=now_ms - int(age_days * DAY_MS),
                is_verified=not is_demo and (random.random() < _VERIFIED_SHARE or rank < users // 100),
                is_private=is_private and not is_demo,
            )
        )
    return people


def _username(first: str, last: str, rank: int) -> str:
    # The rank makes it unique; written so that it does not look like a serial number.
    style = rank % 3
    if style == 0:
        return f"{first}_{last}{rank}".lower()
    return f"{first}{last}{rank}" if style == 1 else f"{first[0]}{last}_{rank}".lower()


def account_rows(random: Random, people: list[Person]) -> Iterator[AccountRow]:
    """The accounts as rows; an account's `sub` is its username, so that `tidings token NAME` signs it in."""
    for line, person in enumerate(people, 1):
        topic, other = TOPICS[person.topic][0], random.choice(TOPICS)[0]
        bio = random.choice(BIOS).format(topic=topic, other=other, place=random.choice(PLACES))
        yield AccountRow(
            line=line,
            external_id=person.username,
            username=person.username,
            display_name=person.display_name,
            bio=bio[:1].upper() + bio[1:],
            created_ms=person.created_ms,
            is_verified=person.is_verified,
            is_private=person.is_private,
        )


def follow_rows(random: Random, people: list[Person], now_ms: int) -> Iterator[FollowRow]:
    """Who follows whom. How many one follows is spread widely too; the like-minded are preferred, and often follow back."""
    popularity = Popularity(len(people))
    line = 0
    for person in people:
        for rank in sorted(_followees(random, person, people, popularity)):
            other = people[rank]
            earliest = max(person.created_ms, other.created_ms)
            line += 1
            yield FollowRow(line, person.username, other.username, random.randrange(earliest, now_ms - DAY_MS))


def _followees(random: Random, person: Person, people: list[Person], popularity: Popularity) -> set[int]:
    # The mean of a Pareto distribution with this shape is 1.6 / 0.6.
    drawn = 1 + int(random.paretovariate(1.6) * _MEAN_FOLLOWS * 0.6 / 1.6)
    wanted = min(_DEMO_FOLLOWS if person.username == DEMO_USERNAME else drawn, (len(people) - 1) // 2)
    chosen: set[int] = set()
    for _ in range(wanted * 4):
        if len(chosen) >= wanted:
            break
        rank = popularity.draw(random)
        for _ in range(_SAME_TOPIC_TRIES):
            if people[rank].topic == person.topic:
                break
            rank = popularity.draw(random)
        if rank != person.rank and not (rank == GUIDE_RANK and person.username == DEMO_USERNAME):
            chosen.add(rank)
    # Half of the less known people follow somebody back whom everybody would overlook.
    if person.rank and random.random() < 0.5:
        chosen.add((person.rank * 7 + 3) % person.rank)
    return chosen
