"""The one pub/sub connection of a process.

Pub/sub loses messages whenever its connection is cut, without a word. So every (re)connection counts as a ring of all bells,
and so does a timer, however much is heard meanwhile: a lost ring costs seconds, never an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from live import channels

TIMER_SECONDS = 5.0
"""Give or take a fifth, so that processes that were started together do not look at the same time."""
_RECONNECT_SECONDS = 0.5
_CONNECT_TIMEOUT_SECONDS = 2.0
_STOP_SECONDS = 0.2

log = structlog.get_logger(__name__)

OnRing = Callable[[str, bytes | None], None]


class BellListener:
    """Hears the bells of `live/channels.py`. Calls `on_ring(channel, message)`, which must return at once.

    What is heard in one go comes in one call a channel, the messages joined. None instead of a message: anything may have
    happened.
    """

    def __init__(self, url: str, on_ring: OnRing) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=TIMER_SECONDS * 2,
            socket_connect_timeout=_CONNECT_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            protocol=2,
        )
        self._on_ring = on_ring
        self._heard: dict[str, bytearray | None] = {}
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.is_connected = False

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="bell-listener")
        self._wind_timer()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            # Again where a deadline that ended at the same moment has taken the first one for its own.
            while not self._task.done():
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=_STOP_SECONDS)
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await self._redis.aclose()

    def _wind_timer(self) -> None:
        seconds = TIMER_SECONDS * (0.8 + 0.4 * random.random())  # noqa: S311 - no secret
        self._timer = asyncio.get_running_loop().call_later(seconds, self._timer_has_run_out)

    def _timer_has_run_out(self) -> None:
        self._wind_timer()
        self._hear_all()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as error:
                if self.is_connected:
                    log.warning("live.listener_disconnected", error=type(error).__name__)
                self.is_connected = False
                self._hear_all()
                await asyncio.sleep(_RECONNECT_SECONDS + random.random() * _RECONNECT_SECONDS)  # noqa: S311

    async def _listen(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.subscribe(*channels.ALL)
            is_asked = False
            while True:
                message = await pubsub.get_message(timeout=TIMER_SECONDS)
                if message is not None:
                    is_asked = False
                    self._take(message)
                elif is_asked:
                    raise TimeoutError("nothing is heard, not even an answer")
                else:
                    is_asked = await _ask(pubsub)

    def _take(self, message: dict[str, object]) -> None:
        self.is_connected = True
        channel, data = message["channel"], message["data"]
        name = channel.decode() if isinstance(channel, bytes) else ""
        if message["type"] == "message" and isinstance(data, bytes):
            self._hear(name, data)
        elif message["type"] == "subscribe":
            self._hear(name, None)  # there may have been rings before it

    def _hear_all(self) -> None:
        for channel in channels.ALL:
            self._hear(channel, None)

    def _hear(self, channel: str, message: bytes | None) -> None:
        if not self._heard:
            # Whatever else has arrived by now is taken before the loop goes on to this.
            asyncio.get_running_loop().call_soon(self._tell)
        if message is None:
            self._heard[channel] = None
            return
        known = self._heard.setdefault(channel, bytearray())
        if known is not None:
            known += message

    def _tell(self) -> None:
        heard, self._heard = self._heard, {}
        for channel, message in heard.items():
            try:
                self._on_ring(channel, None if message is None else bytes(message))
            except Exception:
                log.exception("live.ring_failed", channel=channel)


async def _ask(pubsub: PubSub) -> bool:
    """Makes a connection that is alive say something."""
    await pubsub.ping()
    return True
