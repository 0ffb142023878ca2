"""`bench.sockets` with the whole system behind the sockets: `python -m bench.system_sockets [--sockets 2000]`.

One author whom all subscribers follow; `tidings dev` with TIDINGS_LIMITS=off. Posts are written at a steady rate, and counted
at each socket.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.socket_server import OPEN_FILES
from bench.sockets import Process
from bench.system import RunningSystem, running_system, token_of
from bench.table import percentile, print_table
from services.importing.import_files import import_files

_AUTHOR = 1_000_000
_POST = "mutation Post($text: String!) { createPost(input: {text: $text}) { post { id } userErrors { message } } }"
_SETTLE_SECONDS = 5.0
_GONE_SECONDS = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=2_000)
    parser.add_argument("--rate", type=float, default=25.0, help="posts a second")
    parser.add_argument("--seconds", type=float, default=10.0, help="of posting")
    options = parser.parse_args()
    # Inherited by the API process, which is the one that holds the sockets.
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    os.environ["TIDINGS_LIMITS"] = "off"
    with running_system() as system:
        asyncio.run(_import(system, options.sockets))
        rows = _measure(system, sockets=options.sockets, rate=options.rate, seconds=options.seconds)
    print_table(["", "figure", "unit"], rows)


async def _import(system: RunningSystem, followers: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids = [*range(1, followers + 101), _AUTHOR]
        lines = [f"{number},user{number},,,2020-01-01T00:00:00Z" for number in ids]
        (folder / "users.csv").write_text("\n".join(["id,screen_name,name,bio,created_at", *lines, ""]))
        lines = [f"{number},{_AUTHOR}" for number in ids if number != _AUTHOR]
        (folder / "follows.csv").write_text("\n".join(["follower_id,followee_id", *lines, ""]))
        await import_files(system.urls.database_url, folder, celebrity_threshold=10_000, strict=True)


def _measure(system: RunningSystem, *, sockets: int, rate: float, seconds: float) -> list[list[str]]:
    port = urlsplit(system.address).port
    api = _find_api(str(port))
    clients = Process("bench.socket_clients", str(port))
    clients.do("open", 100)
    before = _rss(api)
    opening = clients.do("open", sockets)
    time.sleep(_SETTLE_SECONDS)
    rows = [
        [f"{sockets:,} sockets sign in and subscribe", f"{sockets / opening:,.0f}", "a second"],
        ["memory of an idle subscriber", f"{(_rss(api) - before) / sockets / 1_000:,.1f}", "kB"],
    ]
    clients.do("begin")
    sent = asyncio.run(_post_steadily(system, rate=rate, seconds=seconds))
    wanted = len(sent) * (sockets + 100)
    deadline = time.monotonic() + 60
    while clients.do("count") < wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    end = clients.do("end")
    share = sockets + 100
    waits = [at - sent[min(number // share, len(sent) - 1)] for number, at in enumerate(end["arrivals"])]
    clients.begin("vanish")
    gone = time.monotonic()
    while _subscribers(system) and time.monotonic() - gone < _GONE_SECONDS:
        time.sleep(0.2)
    return [
        *rows,
        [f"{rate:g} posts/s to each of them", f"{end['messages'] / (end['last_at'] - sent[0]):,.0f}", "messages/s"],
        ["  missing", f"{wanted - end['messages']:,}", "messages"],
        ["  p99 of the way from createPost to client", f"{percentile(waits, 0.99) * 1_000:,.0f}", "ms"],
        ["all clients killed: no subscriber after", f"{time.monotonic() - gone:,.1f}", "s"],
        ["  memory beyond the start", f"{(_rss(api) - before) / 1e6:,.1f}", "MB"],
    ]


async def _post_steadily(system: RunningSystem, *, rate: float, seconds: float) -> list[float]:
    """When each post was sent (monotonic seconds)."""
    headers = {"Authorization": f"Bearer {token_of(str(_AUTHOR))}"}

    async def post(number: int) -> float:
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        at = time.monotonic()
        body = {"query": _POST, "variables": {"text": f"Number {number}."}}
        answer = (await client.post("/graphql", json=body, headers=headers)).json()
        assert answer["data"]["createPost"]["userErrors"] == [], answer
        return at

    async with httpx.AsyncClient(base_url=system.address, timeout=30) as client:
        began = time.monotonic()
        return list(await asyncio.gather(*(post(number) for number in range(int(rate * seconds)))))


def _subscribers(system: RunningSystem) -> float:
    text = httpx.get(f"{system.address}/metrics").text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("tidings_live_subscribers"))


def _find_api(port: str) -> int:
    """The process that serves on this port."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (words := _command(folder)) and "serve" in words and port in words:
            return int(folder.name)
    raise RuntimeError("no process serves on this port")


def _command(folder: Path) -> list[str]:
    try:
        return (folder / "cmdline").read_text().split("\0")
    except OSError:
        return []


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
