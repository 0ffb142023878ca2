"""Many `newPosts` subscribers in a process of their own: `python -m bench.subscribers ADDRESS`, tokens in a line of stdin.

Says `connected` when all of them have been acknowledged. When stdin ends and nothing comes any more, it prints one JSON object:
ids of posts to the instants (of the machine's monotonic clock, in seconds) at which each subscriber had the post.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import defaultdict

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

_SUBSCRIPTION = (
    "subscription { newPosts { cursor edge { cursor node { id text createdAt author { id username displayName } } } } }"
)
_CONNECTS_AT_A_TIME = 4
_RETRY_SECONDS = 0.5
_QUIET_SECONDS = 3.0


async def main(address: str) -> None:
    loop = asyncio.get_running_loop()
    tokens = (await loop.run_in_executor(None, sys.stdin.readline)).split()
    arrivals: list[tuple[float, bytes]] = []
    turn = asyncio.Semaphore(_CONNECTS_AT_A_TIME)

    async def open_one(token: str) -> ClientConnection:
        async with turn:
            socket = await connect(
                f"{address.replace('http', 'ws', 1)}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
                compression=None,
                max_queue=None,
            )
            await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            await _subscribe(socket)
        return socket

    async def listen(socket: ClientConnection) -> None:
        while True:
            message = await socket.recv(decode=False)
            at = time.monotonic()
            if b'"next"' in message[:40]:
                arrivals.append((at, message))
            else:
                # Asked again as any client does: so many at once may be too many for a moment.
                assert "UNAVAILABLE" in message.decode(), message
                await asyncio.sleep(_RETRY_SECONDS)
                await _subscribe(socket)

    sockets = await asyncio.gather(*(open_one(token) for token in tokens))
    listeners = [loop.create_task(listen(socket)) for socket in sockets]
    gc.freeze()
    print("connected", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    # What is late shall be measured, not lost.
    count = -1
    while count != len(arrivals):
        count = len(arrivals)
        await asyncio.sleep(_QUIET_SECONDS)
    for listener in listeners:
        listener.cancel()
    print(json.dumps(_by_post(arrivals)), flush=True)
    await asyncio.gather(*(socket.close() for socket in sockets))


async def _subscribe(socket: ClientConnection) -> None:
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": _SUBSCRIPTION}}))


def _by_post(arrivals: list[tuple[float, bytes]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for at, message in arrivals:
        found[json.loads(message)["payload"]["data"]["newPosts"]["edge"]["node"]["id"]].append(at)
    return found


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
