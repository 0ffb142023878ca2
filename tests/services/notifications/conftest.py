"""People, and what they are told."""

from __future__ import annotations

import pytest

from tests.services.notifications.telling import Telling
from tests.world import World


@pytest.fixture
async def telling(world: World) -> Telling:
    """Ada, and four who know her."""
    await world.add("ada", "bob", "cat", "dan", "eve")
    return Telling(world)
