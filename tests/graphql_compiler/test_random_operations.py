"""Random operations over random schemas; the long form is `python -m tests.graphql_compiler.long_run`."""

from __future__ import annotations

import pytest

from tests.graphql_compiler.our_runs import run_ours, settle
from tests.graphql_compiler.random_runs import Tally, run_schema
from tests.world import World


# graphql-core leaves coroutines behind where a synchronous failure ends its work; the compiler is checked for that alone.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_same_as_graphql_core() -> None:
    tally = Tally()
    for seed in range(1_000_000, 1_000_004):
        tally.add(await run_schema(seed))
    assert tally.operations == 320
    assert tally.with_errors > 30


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_same_over_our_schema(world: World) -> None:
    tally = await run_ours(world, await settle(world), seed=0, count=30)
    assert tally.operations == 30
