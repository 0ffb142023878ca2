"""The clients of `bench.create_post`, in a process of their own; HTTP/1.1 by hand: a library would cost as much as the server.

Reads its wish as JSON from stdin; prints the seconds that it took, its own CPU time and each answer's latency.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from itertools import count
from typing import Any

import uvloop

_WORDS = ["morning", "river", "coffee", "trains", "children", "walked", "along", "bread", "and", "the", "of", "what"]
PLAIN = "plain"
HASHTAG = "hashtag"
MENTION = "mention"


def make_text(chance: random.Random, kind: str) -> str:
    """About a hundred characters, no two the same."""
    words = [*chance.choices(_WORDS, k=17), f"n{chance.getrandbits(40)}"]
    if kind == HASHTAG:
        words.append(f"#topic{chance.randrange(1_000)}")
    elif kind == MENTION:
        words.append(f"@p{chance.randrange(1, 1_000)}")
    return " ".join(words)


def main() -> None:
    print(json.dumps(uvloop.run(_run(json.load(sys.stdin)))))


async def _run(wish: dict[str, Any]) -> dict[str, Any]:
    latencies: list[float] = []
    used, began = time.process_time(), time.monotonic()
    await asyncio.gather(*(_one(wish, number, began, latencies) for number in range(wish["connections"])))
    return {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - used, "latencies": latencies}


async def _one(wish: dict[str, Any], number: int, began: float, latencies: list[float]) -> None:
    """One connection, one post after the other, each by another author."""
    chance = random.Random(number)
    reader, writer = await asyncio.open_connection("127.0.0.1", wish["port"])
    tokens = wish["tokens"][number :: wish["connections"]]
    for turn in count():
        if time.monotonic() - began > wish["seconds"]:
            break
        variables = {"i": {"text": make_text(chance, wish["kind"])}}
        body = json.dumps({"query": wish["query"], "variables": variables}).encode()
        sent_at = time.monotonic()
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
            b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b" % (tokens[turn % len(tokens)].encode(), len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        answer = await reader.readexactly(length)
        latencies.append(time.monotonic() - sent_at)
        assert b'"userErrors":[]' in answer and b'"errors":' not in answer, answer  # noqa: PT018 - one look, many times a second
    writer.close()


if __name__ == "__main__":
    main()
