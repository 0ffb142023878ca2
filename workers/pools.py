"""The two pools of threads that serve the queues in one worker process."""

from __future__ import annotations

import dramatiq

from workers.queues import CHORE_THREADS, CHORES, CHORES_POLL_MS, FAN_OUT, FAN_OUT_POLL_MS


def make_pools(broker: dramatiq.Broker, *, fan_out_threads: int) -> list[dramatiq.Worker]:
    """Not started yet."""
    return [
        dramatiq.Worker(broker, queues=set(FAN_OUT), worker_threads=fan_out_threads, worker_timeout=FAN_OUT_POLL_MS),
        dramatiq.Worker(broker, queues=set(CHORES), worker_threads=CHORE_THREADS, worker_timeout=CHORES_POLL_MS),
    ]
