"""From the answer of `createPost` to every subscriber: `python -m bench.live_latency [--rate 20] [--followers 292]`.

The real system, one API process for mutations and subscribers; posts at fixed instants for a minute. Every post must be at
every subscriber exactly once. Negative: it was there before the answer. The subscribers are in a process of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time

from bench.live.gathering import gathering
from bench.live.operations import SUBSCRIPTIONS
from bench.live.process_figures import cpu_seconds
from bench.table import percentile, print_table, spread

_TARGET_SECONDS = 0.25
_WARM_SECONDS = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=20.0, help="posts a second")
    parser.add_argument("--followers", type=int, default=292)
    parser.add_argument("--authors", type=int, default=1)
    parser.add_argument("--pulled", action="store_true", help="the authors' posts are pulled")
    parser.add_argument("--subscription", choices=list(SUBSCRIPTIONS), default="newPosts")
    options = parser.parse_args()
    sys.exit(not asyncio.run(_measure(options)))


async def _measure(options: argparse.Namespace) -> bool:
    async with gathering(
        readers=options.followers,
        subscription=options.subscription,
        authors=options.authors,
        is_pulled=options.pulled,
        has_poster=False,
    ) as live:
        await live.connect(options.followers)
        # Not counted: connections are opened and statements prepared.
        warm = await live.post_steadily(rate=options.rate, seconds=_WARM_SECONDS)
        await live.wait_for(warm, readers=options.followers, within_seconds=30)
        began, cpu, own = time.monotonic(), cpu_seconds(live.system.api_pid), time.process_time()
        posted = await live.post_steadily(rate=options.rate, seconds=options.seconds)
        found = await live.wait_for(posted, readers=options.followers, within_seconds=60)
        seconds = time.monotonic() - began
        api_share = (cpu_seconds(live.system.api_pid) - cpu) / seconds
        crowd_share = (await live.crowd.report())["cpu_seconds"] / seconds
        late = await live.lateness(posted)
    print(
        f"{len(posted)} posts at {options.rate:g}/s to {options.followers} subscribers of {options.subscription}, milliseconds"
    )
    print_table(["", "p50", "p99", "max"], [["answer → each subscriber", *spread(late)]])
    print(
        f"complete: {found['complete']} of {options.followers}, missed {found['missed']}, repeated {found['repeated']}; "
        f"API {api_share:.0%} of a core, subscribers {crowd_share:.0%}, poster {(time.process_time() - own) / seconds:.0%}; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    passed = found["complete"] == options.followers and percentile(late, 0.99) <= _TARGET_SECONDS
    print("passed" if passed else "FAILED")
    return passed


if __name__ == "__main__":
    main()
