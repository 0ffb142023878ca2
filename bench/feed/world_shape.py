"""Who follows whom, and who writes how much: power laws, as among people. Pure, and the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from random import Random

_FOLLOWER_EXPONENT = 0.85
"""Of followers over an author's rank. With 20,000 accounts and a million follows 21 authors have more than 3,000."""
_POST_EXPONENT = 0.35
_ACTIVITY_SIGMA = 0.5
"""Of how many accounts people follow (log-normal)."""


@dataclass(frozen=True, slots=True)
class WorldSize:
    """`follows`, `posts`: as nearly as whole numbers allow. `pulled`: so many of the most followed authors are pulled."""

    users: int
    posts: int
    follows: int
    pulled: int
    likes: int
    comments: int


SMALL = WorldSize(users=400, posts=4_000, follows=12_000, pulled=5, likes=8_000, comments=2_000)
DEFAULT = WorldSize(users=20_000, posts=200_000, follows=1_000_000, pulled=21, likes=400_000, comments=100_000)
LARGE = WorldSize(users=100_000, posts=1_000_000, follows=6_000_000, pulled=40, likes=2_000_000, comments=500_000)


@dataclass(frozen=True, slots=True)
class WorldShape:
    """Accounts are 1 to `users`. `ranked`: by followers, most first; `followers`, `post_counts`: of each account."""

    ranked: list[int]
    followers: dict[int, list[int]]
    post_counts: dict[int, int]


def draw_shape(size: WorldSize, random: Random) -> WorldShape:
    """Draws everything but the texts."""
    ranked = list(range(1, size.users + 1))
    random.shuffle(ranked)
    people = list(range(1, size.users + 1))
    activity = list(accumulate(random.lognormvariate(0.0, _ACTIVITY_SIGMA) for _ in people))
    counts = follower_counts(size)
    followers = {
        author: _draw_distinct(random, people, activity, count, author) for author, count in zip(ranked, counts, strict=True)
    }
    weights = [(rank + 1) ** -_POST_EXPONENT for rank in range(size.users)]
    total = sum(weights)
    post_counts = {author: round(size.posts * weight / total) for author, weight in zip(ranked, weights, strict=True)}
    return WorldShape(ranked, followers, post_counts)


def follower_counts(size: WorldSize) -> list[int]:
    """By rank: a power law of the wanted sum, nobody followed by more than half of all."""
    shape = [(rank + 1) ** -_FOLLOWER_EXPONENT for rank in range(size.users)]
    most = size.users // 2
    low, high = 0.0, float(size.follows)
    for _ in range(60):
        scale = (low + high) / 2
        if sum(min(most, scale * weight) for weight in shape) < size.follows:
            low = scale
        else:
            high = scale
    return [round(min(most, high * weight)) for weight in shape]


def _draw_distinct(random: Random, people: list[int], activity: list[float], count: int, other_than: int) -> list[int]:
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        for person in random.choices(people, cum_weights=activity, k=count - len(drawn) + 2):
            if person != other_than and len(drawn) < count:
                drawn[person] = None
    return list(drawn)
