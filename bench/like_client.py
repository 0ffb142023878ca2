"""The clients of `bench.like_storm`, in a process of their own; HTTP/1.1 by hand: a library would cost as much as the server.

Reads its wish as JSON from stdin; prints the seconds that it took and each answer's latency.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

_QUERY = "mutation L($i: {kind}!) {{ {name}(input: $i) {{ post {{ id likeCount viewerHasLiked }} userErrors {{ code }} }} }}"
_LIKE = _QUERY.format(kind="LikePostInput", name="likePost")
_UNLIKE = _QUERY.format(kind="UnlikePostInput", name="unlikePost")


def main() -> None:
    wish = json.load(sys.stdin)
    print(json.dumps(uvloop.run(_run(wish))))


async def _run(wish: dict[str, Any]) -> dict[str, Any]:
    latencies: list[float] = []
    refused = [0]
    began = time.monotonic()
    await asyncio.gather(*(_one(wish, number, began, latencies, refused) for number in range(wish["connections"])))
    return {"seconds": time.monotonic() - began, "latencies": latencies, "refused": refused[0]}


async def _one(wish: dict[str, Any], number: int, began: float, latencies: list[float], refused: list[int]) -> None:
    """One connection. For a time: each of its people likes each post, and later no longer. By turns: one person, one post."""
    reader, writer = await asyncio.open_connection("127.0.0.1", wish["port"])
    tokens = wish["tokens"][number :: wish["connections"]]
    turn = 0
    while turn < wish["turns"] or (not wish["turns"] and time.monotonic() - began < wish["seconds"]):
        pair, is_like = (turn // 2, turn % 2 == 0) if wish["turns"] else (turn, True)
        post = wish["posts"][pair % len(wish["posts"])]
        round_number, place = divmod(pair, len(tokens) * len(wish["posts"]))
        token = tokens[place // len(wish["posts"])]
        is_like = is_like if wish["turns"] else round_number % 2 == 0
        sent_at = time.monotonic()
        answer = None
        while answer is None:
            # What was refused on a busy machine is asked for again: nobody knows whether it has happened, and twice is once.
            writer.write(_request(token, post, is_like=is_like))
            answer = await _read(reader)
            refused[0] += answer is None
        latencies.append(time.monotonic() - sent_at)
        payload = answer["data"]["likePost" if is_like else "unlikePost"]
        assert payload["userErrors"] == [], answer
        assert payload["post"]["viewerHasLiked"] is is_like, answer
        assert payload["post"]["likeCount"] >= is_like, answer
        turn += 1
    writer.close()


def _request(token: str, post: str, *, is_like: bool) -> bytes:
    body = json.dumps({"query": _LIKE if is_like else _UNLIKE, "variables": {"i": {"postId": post}}}).encode()
    head = (
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _read(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """None where it says UNAVAILABLE."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    found: dict[str, Any] = json.loads(await reader.readexactly(length))
    if "errors" in found:
        assert {error["extensions"]["code"] for error in found["errors"]} == {"UNAVAILABLE"}, found
        return None
    return found


if __name__ == "__main__":
    main()
