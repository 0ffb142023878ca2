"""Random walks through everything that may happen to feeds, judged after each step by the plain SQL of `tests/oracle.py`.

A walk is data: a list of steps, each an action with numbers that are taken modulo what exists when it runs. So any part of a
failing walk is a walk as well, and `shrink` finds a short one.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.backends import Backends
from tests.stories.feed_actions import ACTIONS, Scene
from tests.stories.feed_checks import Difference, check_all, check_one

PEOPLE = 5
_OPENING = 14
"""Steps of a walk's beginning that only make people follow and post, so that there is something to break."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action and the numbers that it draws from."""

    action: str
    numbers: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.action}{self.numbers}"


def make_walk(seed: int, *, length: int) -> list[Step]:
    """The walk of a seed, always the same."""
    chance = random.Random(seed)
    weights = [weight for weight, _ in ACTIONS.values()]

    def step(names: Sequence[str], odds: Sequence[int]) -> Step:
        numbers = (chance.randrange(10_000), chance.randrange(10_000), chance.randrange(10_000))
        return Step(chance.choices(names, odds)[0], numbers)

    opening = [step(("follow", "post"), (2, 1)) for _ in range(_OPENING)]
    return opening + [step(list(ACTIONS), weights) for _ in range(length - _OPENING)]


async def take_walk(backends: Backends, steps: Sequence[Step]) -> Difference | None:
    """The first difference between a page and the truth, or None. Begins and ends with empty tables."""
    scene = await Scene.open(backends, people=PEOPLE)
    try:
        for number, step in enumerate(steps):
            try:
                await ACTIONS[step.action][1](scene, *step.numbers)
                await check_one(scene, *step.numbers)
            except AssertionError as error:
                return Difference(number, str(step), str(error))
        try:
            await check_all(scene)
        except AssertionError as error:
            return Difference(len(steps), "at the end", str(error))
        return None
    finally:
        scene.close()


async def shrink(steps: Sequence[Step], fails: Callable[[Sequence[Step]], Awaitable[bool]]) -> list[Step]:
    """A shorter walk that fails as well: leaves out halves, quarters, … single steps, as long as that helps."""
    best = list(steps)
    size = max(1, len(best) // 2)
    while size:
        at = 0
        while at < len(best):
            shorter = best[:at] + best[at + size :]
            if shorter and await fails(shorter):
                best = shorter
            else:
                at += size
        size //= 2
    return best
