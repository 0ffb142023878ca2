"""The long form of the walks with differences: `python -m tests.stories.difference_long_run --runs 2000`.

`--plant NAME` plants a mistake of `planted_difference_bugs.py` first: then finding it is what is hoped for.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis.internal.conjecture import engine
from pydantic import SecretStr

from app.stack.servers import EmbeddedServers
from migrations.run import upgrade
from settings import Settings
from tests.stories.difference_walk import DifferenceMachine, open_difference_ground, take_difference_walks
from tests.stories.planted_difference_bugs import BY_NAME

BATCH = 20
"""Walks a seed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=1_000, help="the first seed, of a batch of walks")
    parser.add_argument("--steps", type=int, default=40, help="steps of a walk")
    parser.add_argument("--plant", choices=sorted(BY_NAME), default="", help="a mistake to plant first")
    parser.add_argument("--shorten", type=int, default=60, help="seconds to look for a shorter walk to a difference")
    options = parser.parse_args()
    engine.MAX_SHRINKING_SECONDS = options.shorten
    progress, began = DifferenceMachine.progress, time.monotonic()
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), broker=False, durable=False) as servers:
        asyncio.run(upgrade(servers.urls.database_url))
        at = Settings(
            database_url=SecretStr(servers.urls.database_url),
            redis_url=SecretStr(servers.urls.redis_url),
            database_pool_size=6,
            redis_timeout_seconds=5.0,
            database_timeout_seconds=30.0,
        )
        with open_difference_ground(at), pytest.MonkeyPatch.context() as patch:
            if options.plant:
                BY_NAME[options.plant](patch)
            for number in range((options.runs + BATCH - 1) // BATCH):
                try:
                    take_difference_walks(seed_number=options.first + number, walks=BATCH, steps=options.steps)
                except Exception as error:
                    print(f"seed {options.first + number}, walk {progress.walks_to_failure}: {error}", flush=True)
                    print("\n".join(getattr(error, "__notes__", ())), flush=True)
                    sys.exit(1)
                seconds = time.monotonic() - began
                changes, looks = DifferenceMachine.told
                print(
                    f"{progress.walks} walks, {progress.steps} steps, {looks} looks, {changes} changes, {seconds:.0f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
