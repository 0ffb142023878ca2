"""Many subscribers on one API process of the real system, end to end: `python -m bench.live_sockets WHAT`.

idle: memory of each of 10,000. rate: events/s to 2,000, posts as fast as they are answered. one-event: lateness of single posts
at 1,000. resume: 2,000 cut and back at once. closes: what is left of 10,000 reset connections. stalled: one that never reads.

Posts are made through a second API process, so that the measured one only delivers. The subscribers are in a process of their
own, which reads as little of each message as will do, and counts every post at every subscriber. Limits are off. Ends with
status 1 where a figure misses its target (2 cores, nothing else on them), or a subscriber a post.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from bench.live.measure_events import measure_one_event, measure_rate, measure_resume, measure_stalled
from bench.live.measure_memory import measure_closes, measure_idle
from bench.live.operations import SUBSCRIPTIONS

_MEASURES = {
    "idle": (measure_idle, 10_000, 0),
    "rate": (measure_rate, 2_000, 200),
    "one-event": (measure_one_event, 1_000, 50),
    "resume": (measure_resume, 2_000, 0),
    "closes": (measure_closes, 10_000, 0),
    "stalled": (measure_stalled, 50, 0),
}
"""What is asked for: function, subscribers, posts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=list(_MEASURES))
    parser.add_argument("--readers", type=int, help="subscribers")
    parser.add_argument("--posts", type=int, help="for rate and one-event")
    parser.add_argument("--pulled", action="store_true", help="the authors' posts are pulled, not pushed")
    parser.add_argument("--subscription", choices=list(SUBSCRIPTIONS), default="newPosts")
    options = parser.parse_args()
    measure, readers, posts = _MEASURES[options.what]
    options.readers = options.readers or readers
    options.posts = options.posts or posts
    passed = asyncio.run(measure(options))
    print(f"{'passed' if passed else 'FAILED'}; load {os.getloadavg()[0]:.1f}")
    sys.exit(not passed)


if __name__ == "__main__":
    main()
