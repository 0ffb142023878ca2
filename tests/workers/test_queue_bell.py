"""Consumers that are rung: nothing waits for the next look, and a lost bell comes back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

import dramatiq
import pytest
import redis

from app.stack.servers import EmbeddedServers
from workers.queue_bell import RungBroker, RungConsumer

A_LOOK_MS = 60_000
"""Far longer than any of these tests may take: whatever comes was rung for."""
SOON_SECONDS = 15.0


class PatientBroker(RungBroker):
    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 0) -> RungConsumer:
        return RungConsumer(self, queue_name, prefetch, A_LOOK_MS)


class Desk:
    """A broker of its own with one queue, and what its actor was given."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.broker = PatientBroker(client=self.client, namespace=f"{{{secrets.token_hex(4)}}}", middleware=[])
        self.taken: list[int] = []

        def take(number: int) -> None:
            self.taken.append(number)

        self.actor = dramatiq.actor(queue_name="desk", broker=self.broker)(take)
        self.worker = dramatiq.Worker(self.broker, worker_threads=2, worker_timeout=100)

    def wait_for(self, count: int) -> None:
        stop_at = time.monotonic() + SOON_SECONDS
        while len(self.taken) < count:
            assert time.monotonic() < stop_at, f"{len(self.taken)} of {count} came"
            time.sleep(0.005)

    def wait_until_heard(self) -> None:
        """Until the bell's thread has subscribed."""
        stop_at = time.monotonic() + SOON_SECONDS
        while not self.client.pubsub_numsub(f"{self.broker.namespace}:bell")[0][1]:
            assert time.monotonic() < stop_at, "nobody listens"
            time.sleep(0.005)


@pytest.fixture
def desk(servers: EmbeddedServers) -> Iterator[Desk]:
    made = Desk(servers.urls.broker_url or servers.urls.redis_url)
    made.worker.start()
    yield made
    for consumer in made.worker.consumers.values():
        consumer.stop()
    made.broker.bell.wake_all()
    made.worker.stop(timeout=5_000)
    made.broker.close()
    made.client.close()


def test_an_idle_consumer_takes_a_message_at_once(desk: Desk) -> None:
    desk.wait_until_heard()
    for number in range(3):
        desk.actor.send(number)
        desk.wait_for(number + 1)
    assert desk.taken == [0, 1, 2]


def test_whoever_has_finished_makes_room(desk: Desk) -> None:
    desk.wait_until_heard()
    for number in range(200):
        desk.actor.send(number)
    desk.wait_for(200)
    assert sorted(desk.taken) == list(range(200))


def test_a_lost_bell_comes_back_and_finds_what_came_meanwhile(desk: Desk) -> None:
    desk.wait_until_heard()
    desk.client.client_kill_filter(_type="pubsub")
    desk.broker.bell.ring = lambda queue_name: None  # type: ignore[method-assign]
    desk.actor.send(1)
    desk.wait_for(1)
