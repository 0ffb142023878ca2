"""What a timeline of 500 entries takes in several layouts: `python -m bench.timeline_layouts [--timelines 1000] [--rounds 5]`.

Bytes of one (MEMORY USAGE), and the server's CPU time for one delivery by a script over 50 of them, all layouts in turns: the
write and the trim alone, without marker, floor and log; for a list and a string also without order and without noticing what is
there already.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from app.stack.valkey import EmbeddedValkey
from bench.live.process_figures import cpu_microseconds
from bench.table import percentile, print_table
from cache.timelines import TRIM_SLACK, member_of, score_by_time, score_of
from domain.ids import make_id

_NOW = 1_790_000_000_000
_CAP = 500
_MARKER = "r:0123456789ab:01234567:12:c"
_BATCH = 50
_POSTS_A_ROUND = 15
_SORTED_SET = """
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], ARGV[2], ARGV[1])
  if redis.call('ZCARD', KEYS[i]) > 551 then redis.call('ZREMRANGEBYRANK', KEYS[i], 501, -1) end
end
"""
_LIST = """
for i = 1, #KEYS do
  if redis.call('LPUSH', KEYS[i], ARGV[1]) > 551 then redis.call('LTRIM', KEYS[i], 0, 500) end
end
"""
_STRING = """
for i = 1, #KEYS do
  if redis.call('APPEND', KEYS[i], ARGV[1]) > 551 * 8 then
    redis.call('SET', KEYS[i], string.sub(redis.call('GET', KEYS[i]), -500 * 8))
  end
end
"""


def _fill_sorted_set(score: Callable[[int], int]) -> Callable[[redis.Redis, str, Sequence[int]], object]:
    return lambda client, key, posts: client.zadd(key, {_MARKER: float("-inf")} | {member_of(one): score(one) for one in posts})


def _by(score: Callable[[int], int]) -> Callable[[int], list[str | int | bytes]]:
    return lambda post_id: [member_of(post_id), score(post_id)]


@dataclass(frozen=True)
class Layout:
    """`fill` makes one timeline; `arguments` of a delivery's script; `compact`: elements up to which a set is a listpack."""

    name: str
    fill: Callable[[redis.Redis, str, Sequence[int]], object]
    script: str
    arguments: Callable[[int], list[str | int | bytes]]
    compact: int = 600


LAYOUTS = (
    Layout("skiplist, score by time", _fill_sorted_set(score_by_time), _SORTED_SET, _by(score_by_time), compact=128),
    Layout("skiplist, score of length", _fill_sorted_set(score_of), _SORTED_SET, _by(score_of), compact=128),
    Layout("listpack, score by time", _fill_sorted_set(score_by_time), _SORTED_SET, _by(score_by_time)),
    Layout("listpack, score of length", _fill_sorted_set(score_of), _SORTED_SET, _by(score_of)),
    Layout(
        "list",
        lambda client, key, posts: client.rpush(key, _MARKER, *posts[::-1]),
        _LIST,
        lambda post_id: [post_id],
    ),
    Layout(
        "string of 8 bytes each",
        lambda client, key, posts: client.set(key, b"".join(one.to_bytes(8, "big") for one in posts)),
        _STRING,
        lambda post_id: [post_id.to_bytes(8, "big")],
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timelines", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        valkey = EmbeddedValkey(Path(folder), "layouts", persistent=False)
        valkey.start()
        try:
            _measure(valkey, redis.Redis.from_url(valkey.url), options.timelines, options.rounds)
        finally:
            valkey.stop()


def _measure(valkey: EmbeddedValkey, client: redis.Redis, timelines: int, rounds: int) -> None:
    posts = [make_id(milliseconds=_NOW + 60_000 * number, sequence=7, shard=number % 1_024) for number in range(_CAP)]
    sizes: dict[str, list[int]] = {}
    for place, layout in enumerate(LAYOUTS):
        client.config_set("zset-max-listpack-entries", layout.compact)
        layout.fill(client, f"{place}:0", posts)
        for number in range(1, timelines):
            client.copy(f"{place}:0", f"{place}:{number}")
        sizes[layout.name] = [int(client.memory_usage(f"{place}:1", samples=0) or 0)]
    found: defaultdict[str, list[float]] = defaultdict(list)
    written = _CAP
    for _ in range(rounds):
        fresh = range(written, written + _POSTS_A_ROUND)
        written += _POSTS_A_ROUND
        for place, layout in enumerate(LAYOUTS):
            client.config_set("zset-max-listpack-entries", layout.compact)
            script = client.script_load(layout.script)
            before = cpu_microseconds(valkey.pid)
            for number in fresh:
                arguments = layout.arguments(make_id(milliseconds=_NOW + 60_000 * number, sequence=7, shard=0))
                pipeline = client.pipeline(transaction=False)
                for start in range(0, timelines, _BATCH):
                    names = [f"{place}:{one}" for one in range(start, min(timelines, start + _BATCH))]
                    pipeline.evalsha(script, len(names), *names, *arguments)
                pipeline.execute()
            found[layout.name].append((cpu_microseconds(valkey.pid) - before) / (timelines * _POSTS_A_ROUND))
    for place, layout in enumerate(LAYOUTS):
        sizes[layout.name].append(int(client.memory_usage(f"{place}:1", samples=0) or 0))
    print(f"{timelines:,} timelines, trimmed beyond {_CAP + TRIM_SLACK} entries, load of the machine {os.getloadavg()[0]:.1f}")
    print_table(
        ["", "bytes with 500 entries", "bytes later", "µs a delivery", "least"],
        [
            [name, *(f"{size:,}" for size in sizes[name]), f"{percentile(values, 0.5):.2f}", f"{min(values):.2f}"]
            for name, values in found.items()
        ],
    )


if __name__ == "__main__":
    main()
