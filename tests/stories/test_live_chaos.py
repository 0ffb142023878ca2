"""The whole system with everything cut at once, in short: `python -m bench.live_chaos` is the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.live.chaos import ChaosPlan, run_chaos
from bench.live.posting import Made
from bench.live.subscribers import Record, why_no_node
from bench.live.system import RedisReturn
from bench.live.verdict import judge


@pytest.mark.timeout(300)
async def test_cut_sockets_bells_api_and_redis_lose_and_repeat_nothing(tmp_path: Path, database_url: str) -> None:
    """A restart of the API and a Redis that comes back with an older state, in the middle of 200 posts."""
    no_node = why_no_node()
    plan = ChaosPlan(
        posts=200,
        subscribers=4,
        node_subscribers=0 if no_node else 1,
        rate=40.0,
        seed=1,
        subscription="newPosts",
        redis_return=RedisReturn.STALE,
        cut_seconds=1.5,
    )
    outcome = await run_chaos(plan, tmp_path, database_url=database_url)
    assert outcome.posts == plan.posts
    assert outcome.pubsub_kills
    assert "Traceback (" not in outcome.log_text
    for one in outcome.verdicts.values():
        assert one.record.cuts
        assert one.is_exact, one
    if no_node:
        pytest.skip(f"passed, but without the npm client: {no_node}")


@pytest.mark.parametrize(
    ("taken", "field"),
    [
        (["a0", "a1"], "missed"),
        (["a0", "b0", "a1", "b0"], "repeated"),
        (["a1", "b0", "a0"], "disordered"),
        (["a0", "a1", "b0", "c0"], "foreign"),
    ],
)
def test_the_verdict_finds_each_fault(taken: list[str], field: str) -> None:
    made = {post: Made(post, post[0], int(post[1]), 0.0) for post in ("a0", "b0", "a1")}
    verdict = judge(Record("python", taken, [0.0] * len(taken)), made)
    assert not verdict.is_exact
    found = {name: len(getattr(verdict, name)) for name in ("missed", "repeated", "foreign", "disordered")}
    assert found == {name: int(name == field) for name in found}
