"""From a message's sending to the beginning of its job on an idle worker, and what idling costs: `python -m bench.dispatch`.

One worker process with the pools, polls and threads that `tidings worker` has, without work but for one message every 20 to
80 ms. `--looks` says the same without the bell, by looking alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app.stack.servers import EmbeddedServers
from bench.table import print_table, spread
from migrations.run import upgrade

_MESSAGES = 150
_IDLE_SECONDS = 5.0
_PAUSES = (0.02, 0.08)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--looks", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedServers(Path(folder), durable=False) as servers:
        asyncio.run(upgrade(servers.urls.database_url))
        os.environ |= servers.urls.as_environment()
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        worker = spawn.Process(target=_work, args=(theirs,))
        worker.start()
        try:
            ours.recv()
            cpu = _idle(ours)
            latencies = _send(ours, rings=not options.looks)
        finally:
            worker.terminate()
            worker.join(5)
    print(f"{'by looks alone' if options.looks else 'rung'}, load of the machine {os.getloadavg()[0]:.1f}")
    print_table(["", "p50 ms", "p99 ms", "max ms"], [["from sending to the job", *spread(latencies)]])
    print(f"an idle worker takes {cpu:.1%} of a core")


def _idle(worker: Connection) -> float:
    """The share of a core."""
    time.sleep(1.0)
    worker.send("cpu")
    before = worker.recv()
    time.sleep(_IDLE_SECONDS)
    worker.send("cpu")
    return float(worker.recv() - before) / _IDLE_SECONDS


def _send(worker: Connection, *, rings: bool) -> list[float]:
    from workers.broker import broker

    actor = _declare()
    if not rings:
        broker.bell.ring = lambda _: None  # type: ignore[attr-defined]
    chance = random.Random(1)
    for _ in range(_MESSAGES):
        actor.send(time.monotonic())  # the same clock in all processes of a machine
        time.sleep(chance.uniform(*_PAUSES))
    worker.send("latencies")
    found: list[float] = json.loads(worker.recv())
    assert len(found) == _MESSAGES, f"{len(found)} of {_MESSAGES} messages came"
    return found


_latencies: list[float] = []


def _declare() -> Any:
    import dramatiq

    from workers import actors  # noqa: F401 - declares the queues
    from workers.broker import broker
    from workers.queues import FAST

    @dramatiq.actor(actor_name="bench.note_start", queue_name=FAST, broker=broker)
    def note_start(sent_at: float) -> None:
        _latencies.append(time.monotonic() - sent_at)

    return note_start


def _work(pipe: Connection) -> None:
    from settings import Settings
    from workers.broker import broker
    from workers.pools import make_pools

    _declare()
    pools = make_pools(broker, fan_out_threads=Settings().worker_threads)
    for pool in pools:
        pool.start()
    pipe.send("ready")
    while True:
        pipe.send(time.process_time() if pipe.recv() == "cpu" else json.dumps(_latencies))


if __name__ == "__main__":
    main()
