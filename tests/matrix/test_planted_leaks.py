"""A test of the matrix: gates that are left open in one place are found, and nothing is found where none is."""

from __future__ import annotations

import pytest

from tests.matrix.planted_leaks import LEAKS
from tests.matrix.stage import Stage

pytestmark = pytest.mark.xdist_group("matrix")


@pytest.mark.parametrize("name", sorted(LEAKS))
async def test_a_planted_leak_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    leaky = LEAKS[name]
    async with stage.as_it_was():
        leaky.plant(monkeypatch)
        found = await leaky.find(stage)
    assert [leak for leak in found.leaks if leak.where.startswith(leaky.place)], found.leaks[:5]
