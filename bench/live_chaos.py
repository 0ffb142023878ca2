"""Nothing missed, nothing repeated, in order, whatever is cut: `python -m bench.live_chaos [--posts 5000] [--subscribers 20]`.

The real system. Some authors' posts are pushed, one's are pulled, one is seen for a hashtag only, and one shares posts of
strangers: all subscribers have all of it in their feeds. Meanwhile every subscriber's socket is cut every few seconds without a
word (it resumes with the last cursor that it took), every pub/sub connection is killed every 2 s, the API is restarted after a
third of the posts, and after two thirds Redis is killed and comes back (`--redis kept`: with its append-only file; `stale`:
with a dump from before the API's restart; `wiped`: empty, as in development). Some subscribers are the npm package `graphql-ws`
(Node 20; the packages of bench/node are installed at the first run). Ends with status 1 where anybody missed anything, had it
twice, or in another order than its author wrote it.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench.live.chaos import ChaosPlan, run_chaos
from bench.live.operations import SUBSCRIPTIONS
from bench.live.subscribers import NODE_FOLDER, why_no_node
from bench.live.system import RedisReturn
from bench.live.verdict import print_verdicts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=5_000)
    parser.add_argument("--subscribers", type=int, default=20, help="in all")
    parser.add_argument("--node-subscribers", type=int, default=2, help="how many of them are the npm client")
    parser.add_argument("--rate", type=float, default=40.0, help="posts a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--subscription", choices=list(SUBSCRIPTIONS), default="newPosts")
    parser.add_argument("--redis", type=RedisReturn, choices=list(RedisReturn), default=RedisReturn.KEPT)
    parser.add_argument("--cut-seconds", type=float, default=3.0, help="between two cuts of a socket, in the mean")
    parser.add_argument("--log", action="store_true", help="show what the system has logged")
    options = parser.parse_args()
    if options.node_subscribers and why_no_node():
        subprocess.run(["npm", "ci"], cwd=NODE_FOLDER, check=True, stdout=subprocess.DEVNULL)
    plan = ChaosPlan(
        posts=options.posts,
        subscribers=options.subscribers - options.node_subscribers,
        node_subscribers=options.node_subscribers,
        rate=options.rate,
        seed=options.seed,
        subscription=options.subscription,
        redis_return=options.redis,
        cut_seconds=options.cut_seconds,
    )
    with tempfile.TemporaryDirectory(prefix="tidings-chaos-") as folder:
        outcome = asyncio.run(run_chaos(plan, Path(folder), say=partial(print, file=sys.stderr)))
    print_verdicts(outcome.verdicts, outcome.began)
    events = sum(len(one.record.posts) for one in outcome.verdicts.values())
    print(
        f"{outcome.posts:,} posts in {outcome.seconds:.0f} s, {events:,} events; {plan.subscription}, Redis {plan.redis_return}"
    )
    print(f"pub/sub kills: {outcome.pubsub_kills}; ", end="")
    print(f"API away for {outcome.api_seconds:.1f} s, Redis for {outcome.redis_seconds:.1f} s; ", end="")
    print(f"API's RSS at the end: {outcome.api_bytes / 1_024**2:,.0f} MB")
    print(f"answers lost and looked up: {outcome.lost_answers}; tracebacks in the log: {outcome.log_text.count('Traceback (')}")
    if options.log:
        print(outcome.log_text)
    exact = all(one.is_exact for one in outcome.verdicts.values())
    print("passed" if exact else "FAILED")
    sys.exit(not exact)


if __name__ == "__main__":
    main()
