"""How long after the answer of `createPost` a post is in every warm timeline and at every subscriber.

`python -m bench.post_to_feed [--seconds 60] [--rate 5]`. The author is the most followed account of congress2016 (292
followers); all followers' timelines are warm and all of them are connected.

timelines: from the answer, as the client has it, to the outbox row's `closed_at`, which the worker writes after the last
timeline (one clock: everything is on one machine). At the end every timeline is read, and must hold every post.
subscribers: from the answer to the arrival of the event at each of the sockets, all of them counted one by one.
Negative: it was there before the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass

import asyncpg
import httpx

from bench.system import CONGRESS, RunningSystem, running_system, token_of
from bench.table import print_table, spread
from bootstrap import open_backends
from domain.ids import local_id
from services.importing.import_files import import_files

_POST = "mutation Post($text: String!) { createPost(input: {text: $text}) { post { id } userErrors { message } } }"
_SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A post and when its mutation was answered. `sent_at` and `answered_at`: monotonic; `answered_wall`: Unix time."""

    global_id: str
    sent_at: float
    answered_at: float
    answered_wall: float

    @property
    def post_id(self) -> int:
        number = local_id(self.global_id, "Post")
        assert number is not None
        return number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=5.0, help="posts a second")
    options = parser.parse_args()
    with running_system() as system:
        asyncio.run(measure(system, seconds=options.seconds, rate=options.rate))


async def measure(system: RunningSystem, *, seconds: float, rate: float) -> None:
    await import_files(system.urls.database_url, CONGRESS, celebrity_threshold=10_000, strict=True)
    connection = await asyncpg.connect(system.urls.database_url)
    author = await connection.fetchrow("SELECT id, external_id FROM users ORDER BY follower_count DESC, id LIMIT 1")
    followers = await connection.fetch(
        "SELECT u.id, u.external_id FROM follows f JOIN users u ON u.id = f.follower_id WHERE f.followee_id = $1", author["id"]
    )
    async with httpx.AsyncClient(base_url=system.address, timeout=30) as client:
        for follower in followers:
            headers = {"Authorization": f"Bearer {token_of(follower['external_id'])}"}
            (
                await client.post("/graphql", json={"query": "{ feed(first: 1) { nodes { id } } }"}, headers=headers)
            ).raise_for_status()
        subscribers = _start_subscribers(system, [follower["external_id"] for follower in followers])
        await asyncio.sleep(_SETTLE_SECONDS)
        # Not counted: connections are opened and statements prepared.
        await _post_steadily(client, author["external_id"], seconds=2.0, rate=rate)
        answered = await _post_steadily(client, author["external_id"], seconds=seconds, rate=rate)
    arrivals = _end_subscribers(subscribers)

    closed = dict(
        await connection.fetch(
            "SELECT post_id, extract(epoch FROM closed_at)::float8 FROM outbox WHERE post_id = ANY($1)",
            [post.post_id for post in answered],
        )
    )
    await connection.close()
    in_timelines = [closed[post.post_id] - post.answered_wall for post in answered]
    at_each = [at - post.answered_at for post in answered for at in arrivals[post.global_id]]
    at_last = [max(arrivals[post.global_id]) - post.answered_at for post in answered]
    assert all(len(arrivals[post.global_id]) == len(followers) for post in answered), "each subscriber has each post once"
    wanted = {post.post_id for post in answered}
    async with open_backends(system.settings, is_background=True) as backends:
        for follower in followers:
            assert wanted <= set((await backends.timelines.inspect(follower["id"])).ids), "a timeline lacks a post"
    print(f"{len(answered)} posts at {rate:g}/s to {len(followers)} followers, milliseconds")
    print_table(
        ["", "p50", "p99", "max"],
        [
            ["createPost, answer", *spread([post.answered_at - post.sent_at for post in answered])],
            ["answer → every timeline", *spread(in_timelines)],
            ["answer → each subscriber", *spread(at_each)],
            ["answer → last subscriber", *spread(at_last)],
        ],
    )


async def _post_steadily(client: httpx.AsyncClient, external_id: str, *, seconds: float, rate: float) -> list[Answered]:
    """Posts at fixed instants, whether or not the last one is answered."""
    headers = {"Authorization": f"Bearer {token_of(external_id)}"}

    async def post(number: int) -> Answered:
        await asyncio.sleep(began + number / rate - time.monotonic())
        body = {"query": _POST, "variables": {"text": f"Number {number}, with @somebody and #something in it."}}
        sent_at = time.monotonic()
        response = await client.post("/graphql", json=body, headers=headers)
        answered_at, wall = time.monotonic(), time.time()
        assert response.status_code == 200, response.text
        return Answered(response.json()["data"]["createPost"]["post"]["id"], sent_at, answered_at, wall)

    began = time.monotonic()
    return list(await asyncio.gather(*(post(number) for number in range(int(seconds * rate)))))


def _start_subscribers(system: RunningSystem, external_ids: list[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.subscribers", system.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(" ".join(token_of(external_id) for external_id in external_ids) + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "connected\n"
    return process


def _end_subscribers(process: subprocess.Popen[str]) -> dict[str, list[float]]:
    output, _ = process.communicate(timeout=90)
    found: dict[str, list[float]] = json.loads(output)
    return found


if __name__ == "__main__":
    main()
