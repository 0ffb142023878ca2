"""Wakes the consumers of a worker when a message comes, so that an idle one neither sleeps on nor asks all the time.

Dramatiq's own consumer sleeps between looks: longer ones delay a message, shorter ones cost a core's share for nothing. Here
whoever enqueues says so over pub/sub, and whoever has finished a message makes room. A ring that is lost costs the time to the
next look, nothing else.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import redis
from dramatiq import Message
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed

_LISTEN_SECONDS = 1.0
_RECONNECT_SECONDS = 0.5


class QueueBell:
    """Of one process: rings over the broker's Redis, and hears from there in a thread of its own."""

    def __init__(self, client: redis.Redis, *, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._waiting: dict[str, set[threading.Event]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = threading.Event()

    def ring(self, queue_name: str) -> None:
        """To all workers. Never raises: the message is in the queue."""
        with contextlib.suppress(redis.RedisError, OSError):
            self._client.publish(self._channel, queue_name)

    def listen(self, queue_name: str) -> threading.Event:
        """An event that is set whenever the queue's bell rings, here or elsewhere."""
        rung = threading.Event()
        with self._lock:
            self._waiting.setdefault(queue_name, set()).add(rung)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="queue-bell", daemon=True)
                self._thread.start()
        return rung

    def leave(self, queue_name: str, rung: threading.Event) -> None:
        """The end of `listen`."""
        with self._lock:
            self._waiting.get(queue_name, set()).discard(rung)

    def close(self) -> None:
        """Ends the thread."""
        self._is_closed.set()
        if self._thread is not None:
            self.ring("")  # a word to itself: it need not wait for the next one
            self._thread.join(_LISTEN_SECONDS)

    def _run(self) -> None:
        while not self._is_closed.is_set():
            try:
                with self._client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
                    pubsub.subscribe(self._channel)
                    while not self._is_closed.is_set():
                        message = pubsub.get_message(timeout=_LISTEN_SECONDS)
                        if message is None:
                            continue
                        if message["type"] == "subscribe":
                            self.wake_all()  # what was said meanwhile was said to nobody
                        elif message["type"] == "message":
                            self._wake(message["data"].decode())
            except (redis.RedisError, OSError):
                self._is_closed.wait(_RECONNECT_SECONDS)

    def wake_all(self) -> None:
        """As if every bell had rung here."""
        with self._lock:
            for waiting in self._waiting.values():
                for rung in waiting:
                    rung.set()

    def _wake(self, queue_name: str) -> None:
        with self._lock:
            for rung in self._waiting.get(queue_name, ()):
                rung.set()


class RungConsumer(_RedisConsumer):
    """Dramatiq's consumer, but where that sleeps this one waits for the bell. `timeout`: milliseconds to the next look."""

    broker: RungBroker

    def __init__(self, broker: RungBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self._rung = broker.bell.listen(queue_name)

    def ack(self, message: Any) -> None:
        super().ack(message)  # type: ignore[no-untyped-call]
        self._make_room()

    def nack(self, message: Any) -> None:
        super().nack(message)  # type: ignore[no-untyped-call]
        self._make_room()

    def _make_room(self) -> None:
        # Not for each message: half of them are fetched at a time.
        if self.outstanding_message_count * 2 <= self.prefetch:
            self._rung.set()

    def __next__(self) -> MessageProxy | None:
        try:
            while True:
                while self.message_cache:
                    data = self.message_cache.pop(0)
                    if data is None:
                        continue  # its body is gone: dramatiq logs and passes over it, too
                    message = Message.decode(data)
                    self.queued_message_ids.add(message.message_id)
                    return MessageProxy(message)
                # Cleared before looking: a ring during the look is for the next one.
                self._rung.clear()
                room = self.prefetch - self.outstanding_message_count
                if room > 0:
                    self.message_cache = self.broker.do_fetch(self.queue_name, room)
                if not self.message_cache:
                    self._rung.wait(self.timeout / 1_000)
                    return None
        except redis.ConnectionError as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self.broker.bell.leave(self.queue_name, self._rung)
        super().close()


class RungBroker(RedisBroker):
    """Dramatiq's broker on Redis with a bell."""

    def __init__(self, *, client: redis.Redis, namespace: str, **options: Any) -> None:
        super().__init__(client=client, namespace=namespace, **options)  # type: ignore[no-untyped-call]
        self.bell = QueueBell(client, channel=f"{namespace}:bell")

    @property
    def consumer_class(self) -> type[RungConsumer]:
        return RungConsumer

    def enqueue(self, message: Any, *, delay: int | None = None) -> Any:
        enqueued = super().enqueue(message, delay=delay)
        self.bell.ring(enqueued.queue_name)
        return enqueued

    def close(self) -> None:
        self.bell.close()
        super().close()
