"""The background processes: `python -m workers.main worker|relay`. `tidings worker` and `tidings relay` start this."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

import structlog
import uvloop

from logs import configure_logs
from settings import Settings
from workers.metrics import prepare_metrics

STOP_SECONDS = 1.5
"""A worker finishes the slices at hand within this; what it cannot finish is sent again when the lease ends."""
_PR_SET_PDEATHSIG = 1
_RESTART_SECONDS = 1.0

log = structlog.get_logger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tidings worker|relay")
    parser.add_argument("role", choices=["worker", "relay"])
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--parent", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    settings = Settings()
    if options.threads:
        settings = settings.model_copy(update={"worker_threads": options.threads})
    prepare_metrics(settings)
    configure_logs(settings)
    if options.parent:
        _die_with(options.parent)
    if options.role == "relay":
        sys.exit(_run_relay(settings))
    if options.processes > 1:
        sys.exit(_supervise(options.processes, settings.worker_threads))
    sys.exit(_run_worker(settings))


def _run_worker(settings: Settings) -> int:
    from workers import actors  # noqa: F401 - declares them
    from workers.broker import broker
    from workers.pools import make_pools

    if not settings.broker_url.get_secret_value():
        sys.stderr.write("tidings worker: TIDINGS_BROKER_URL is not set\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _serve_metrics(settings)
    # In our own process: dramatiq's command takes seconds to stop, and leaves its children behind when it is killed.
    pools = make_pools(broker, fan_out_threads=settings.worker_threads)
    for pool in pools:
        pool.start()
    log.info("worker.started", threads=settings.worker_threads)
    while not stop.wait(0.5):
        # A consumer that ended leaves its queue unread for as long as the process lives: better to start anew.
        if not all(consumer.is_alive() for pool in pools for consumer in pool.consumers.values()):
            log.error("worker.consumer_ended")
            os._exit(1)
    stoppers = [threading.Thread(target=pool.stop, kwargs={"timeout": int(STOP_SECONDS * 1_000)}) for pool in pools]
    for stopper in stoppers:
        stopper.start()
    for stopper in stoppers:
        stopper.join()
    broker.close()
    log.info("worker.stopped")
    return 0


def _run_relay(settings: Settings) -> int:
    if not settings.broker_url.get_secret_value():
        sys.stderr.write("tidings relay: TIDINGS_BROKER_URL is not set\n")
        return 2
    _serve_metrics(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_relay(settings))
    log.info("relay.stopped")
    return 0


async def _relay(settings: Settings) -> None:
    from bootstrap import open_backends
    from workers.chore_table import regular_chores, rung_chores
    from workers.chores import ChoreBoard
    from workers.relay import Relay
    from workers.runtime import keep_beating
    from workers.timeline_audit import AuditMetrics, TimelineAuditor

    loop = asyncio.get_running_loop()
    async with open_backends(settings, is_background=True) as backends:
        chores = ChoreBoard(backends, rung_chores(), regular_chores())
        work: list[asyncio.Task[None]] = [
            loop.create_task(Relay(backends, settings, on_ring=chores.ring).run()),
            loop.create_task(chores.run()),
            loop.create_task(keep_beating(backends.database, "relay")),
            loop.create_task(TimelineAuditor(backends, settings, AuditMetrics()).run()),
        ]
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        log.info("relay.started")
        stopping: asyncio.Task[bool] = loop.create_task(stop.wait())
        done, _ = await asyncio.wait([stopping, *work], return_when=asyncio.FIRST_COMPLETED)
        for task in work:
            task.cancel()
        for task in work:
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await task
        for task in work:
            if task in done:
                task.result()  # a relay does not end by itself: its error ends the process


def _supervise(processes: int, threads: int) -> int:
    """Keeps `processes` workers running, each a process of its own, and ends them with itself."""
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    arguments = [sys.executable, "-m", "workers.main", "worker", "--threads", str(threads), "--parent", str(os.getpid())]
    children = [subprocess.Popen(arguments) for _ in range(processes)]  # noqa: S603 - our own program
    while not stop.wait(_RESTART_SECONDS):
        for place, child in enumerate(children):
            if child.poll() is not None:
                log.error("worker.ended", status=child.returncode)
                children[place] = subprocess.Popen(arguments)  # noqa: S603
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(STOP_SECONDS + 0.5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return 0


def _die_with(parent: int) -> None:
    """Ends this process when its parent does (prctl(2), Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _serve_metrics(settings: Settings) -> None:
    if settings.metrics_port:
        from prometheus_client import start_http_server

        start_http_server(settings.metrics_port, addr="127.0.0.1")


if __name__ == "__main__":
    main()
