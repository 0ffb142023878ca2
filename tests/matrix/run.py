"""The matrix, taken: the short form of the suite, and the parts of the whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle

from settings import Settings
from tests.matrix.asking import Depths
from tests.matrix.cast import VIEWERS
from tests.matrix.findings import Tally
from tests.matrix.live import watching
from tests.matrix.moments import IN_ONE_LIFE, MOMENTS, Moment
from tests.matrix.mutations import Mutator, mutations
from tests.matrix.stage import Stage

SHALLOW = Depths()
FARTHER = Depths(looked_up=1, listed=1)
DEEP = Depths(looked_up=1, listed=2)
_DEEP_FIELDS = ("post", "user", "viewer", "feed", "notifications", "missedFeedEvents")
"""Those by which one comes to all types; two things further from each of a hundred others would take minutes."""
Part = Callable[[Stage], Awaitable[Tally]]

_SHORT_VIEWERS = ("ada", "friend", "blocked", "blocking", "muting", "anonymous")
_LIVE_VIEWERS = ("follower", "stranger", "muting")
_SHORT_MOMENTS = (
    "ada narrows a post to friends",
    "pat accepts a request",
    "the follower blocks ada",
    "ada is suspended",
)


async def look_around(stage: Stage) -> Tally:
    """Some of each kind read everything, as it is in the beginning; the others have their turn in one life and in the whole."""
    async with stage.as_it_was():
        return await stage.look("the beginning", SHALLOW, _SHORT_VIEWERS)


async def one_life(stage: Stage) -> Tally:
    """One change after the other; before and after each those whom it concerns read everything, and some of them watch."""
    total = Tally()
    async with stage.as_it_was(), watching(stage, _LIVE_VIEWERS) as live:
        for moment in IN_ONE_LIFE:
            if moment.name in _SHORT_MOMENTS:
                await stage.look(f"before {moment.name}", SHALLOW, moment.viewers[:1])
            await moment.change(stage)
            if moment.name in _SHORT_MOMENTS:
                total.add(await stage.look(moment.name, SHALLOW, moment.viewers[:1]))
                total.add(await live.read(moment.name))
    return total


async def some_mutations(stage: Stage) -> Tally:
    """Each mutation by one viewer, another one each time."""
    total = Tally()
    async with stage.as_it_was():
        viewers = cycle(name for name in VIEWERS if name != "anonymous")
        for number, name in enumerate(mutations()):
            mutator = Mutator(stage, name, hidden=2, visible=1, turn=number)
            total.add(await mutator.read(name, [next(viewers)]))
    return total


SHORT: dict[str, Part] = {"beginning": look_around, "one life": one_life, "mutations": some_mutations}


def _whole_moment(moment: Moment) -> Part:
    async def take(stage: Stage) -> Tally:
        total = Tally()
        async with stage.as_it_was():
            # Whatever is kept of what was visible is kept now, and its cursors go on from before.
            await stage.look(f"before {moment.name}", SHALLOW, moment.viewers)
            await moment.change(stage)
            total.add(await stage.look(moment.name, FARTHER))
            total.add(await stage.look(moment.name, DEEP, moment.viewers[:1], _DEEP_FIELDS))
            await stage.world.drain()
            total.add(await stage.look(f"{moment.name}, and workers have been at it", SHALLOW, moment.viewers))
        return total

    return take


def _whole_mutation(name: str, number: int) -> Part:
    async def take(stage: Stage) -> Tally:
        async with stage.as_it_was():
            total = await Mutator(stage, name, hidden=100, visible=2, turn=number).read(name)
            some = [VIEWERS[(number + step) % len(VIEWERS)] for step in (0, 4, 8)]
            total.add(await stage.look(f"after {name}", SHALLOW, some))
        return total

    return take


async def _whole_life(stage: Stage) -> Tally:
    total = Tally()
    async with stage.as_it_was(), watching(stage) as live:
        for moment in IN_ONE_LIFE:
            await moment.change(stage)
            total.add(await live.read(moment.name))
    return total


def whole() -> Iterator[tuple[str, Part]]:
    """Every part by its name; each begins with the world as it was."""
    yield "live", _whole_life
    for moment in MOMENTS:
        yield moment.name, _whole_moment(moment)
    for number, name in enumerate(mutations()):
        yield name, _whole_mutation(name, number)


async def take_short(settings: Settings) -> dict[str, Tally]:
    """What the suite takes every time."""
    async with Stage.open(settings) as stage:
        return {name: await part(stage) for name, part in SHORT.items()}
