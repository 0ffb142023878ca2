"""The traps that feed servers fall into (numbers as in the project's list of traps); traps 14 and 15 are in test_live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.stories import cache_scenarios as cache_scenes
from tests.stories import trap_scenarios as scenes
from tests.world import World


@pytest.fixture(autouse=True)
def _small_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache.timelines.TRIM_SLACK", 2)


@pytest.mark.parametrize("scene", [*scenes.SCENES, *cache_scenes.SCENES], ids=lambda scene: scene.__name__)
async def test_we_do_not_fall_into_it(world: World, scene: Callable[[World], Awaitable[None]]) -> None:
    await scene(world)


async def test_an_own_post_is_there_at_once_and_stays(world: World) -> None:
    """Trap 20."""
    await scenes.ada_and_bob(world)
    posts = [await world.post("bob")]
    assert await world.walk("bob") == posts
    for _ in range(2):
        await world.drain()
        assert await scenes.same_by_every_way(world, "bob") == posts
