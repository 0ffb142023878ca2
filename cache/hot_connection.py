"""The one socket over which a process asks a server for what is hot, connected at need and again when it was lost.

A driver with a pool takes a connection, a timer, a stream and several turns of the loop for each command; here a command is
some bytes and a future. Nothing here knows of a client: a map of slots could choose among several of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, cast

from cache.hot_address import HotAddress
from cache.hot_script import Command, PackedScript
from cache.hot_socket import HotSocket, Unanswered
from cache.packing import Part, pack
from cache.server_run import QUESTION, EarlierRunError, ServerRun

_OF_ONE_CALLER = frozenset(
    name
    for names in (
        "AUTH CLIENT HELLO MONITOR PSYNC QUIT READONLY READWRITE RESET SELECT SYNC",
        "MULTI EXEC DISCARD WATCH UNWATCH",
        "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE",
        "BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN WAIT WAITAOF",
    )
    for name in names.split()
)
"""Commands that change what the connection is, or hold up who comes after them."""


class HotConnection:
    """To one server, used from one event loop. `timeout_seconds` bounds connecting and each command.

    `on_failure()` is called where the server could not be reached, did not answer in time, or went away while it was asked.
    Before the first reply `run` knows which run of the server it is from; where another connection of the client finds another
    run, this connection is ended before anybody sees the new one's name.
    """

    def __init__(self, address: HotAddress, run: ServerRun, *, timeout_seconds: float, on_failure: Callable[[], None]) -> None:
        self._address = address
        self._run = run
        run.on_change = self._has_changed
        self._timeout_seconds = timeout_seconds
        self._on_failure = on_failure
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket: HotSocket | None = None
        self._newest: HotSocket | None = None
        self._run_id = ""
        self._opening: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[HotSocket | Unanswered] | None = None
        self._is_closed = False

    def ask(self, packed: bytes, replies: int = 0) -> Awaitable[Any]:
        """As `HotSocket.ask`, over a connection that is made where there is none.

        Raises RuntimeError in another event loop than the first one's (another thread's, or a forked process's).
        """
        socket = self._socket
        if socket is not None and socket.loop is asyncio.get_running_loop():
            return socket.ask(packed, replies)
        return self._connect_and_ask(packed, replies)

    async def close(self) -> None:
        """Ends everything that is under way, for good."""
        self._is_closed = True
        opened = self._opened
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait((self._opening,), timeout=self._timeout_seconds)
        if opened is not None and not opened.done():
            # Cancelled before it had begun, so that it could not say so itself.
            opened.set_result(Unanswered("the connection was closed"))
        if self._newest is not None:
            self._newest.end("the connection was closed")
            await asyncio.wait((self._newest.lost,), timeout=self._timeout_seconds)

    async def _connect_and_ask(self, packed: bytes, replies: int) -> Any:
        found = await self._connect()
        return found if isinstance(found, Unanswered) else await found.ask(packed, replies)

    async def _connect(self) -> HotSocket | Unanswered:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise RuntimeError("a Redis client belongs to the event loop that used it first: open another one")
        if self._is_closed:
            return Unanswered("the connection was closed")
        if self._opened is None:
            self._opened = loop.create_future()
            self._opening = loop.create_task(self._open(self._opened), name="hot-connection")
        # Whoever gives up does not take the others' connection along.
        return await asyncio.shield(self._opened)

    async def _open(self, opened: asyncio.Future[HotSocket | Unanswered]) -> None:
        socket = self._newest = HotSocket(timeout_seconds=self._timeout_seconds, on_end=self._has_ended)
        failure: Unanswered | None = Unanswered("the connection was closed")
        try:
            failure = await self._greet(socket)
        finally:
            self._opening = self._opened = None
            if failure is not None:
                socket.end(str(failure))
                opened.set_result(failure)
            elif socket.is_ended:
                opened.set_result(Unanswered("the server closed the connection"))
            else:
                self._socket = socket
                opened.set_result(socket)
        if failure is not None:
            self._on_failure()

    async def _greet(self, socket: HotSocket) -> Unanswered | None:
        """Why it has not worked, if so."""
        commands = [*self._address.greeting, QUESTION]
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._address.connect(socket)
                question = self._run.ask()
                replies = await socket.ask(b"".join(map(pack, commands)), len(commands))
        except TimeoutError:
            return Unanswered(f"not connected within {self._timeout_seconds} s")
        except (OSError, UnicodeError) as error:
            return Unanswered(str(error))
        if isinstance(replies, Unanswered):
            return replies
        for reply in replies:
            if isinstance(reply, Exception):
                return Unanswered(str(reply))
        try:
            self._run_id = self._run.learn(question, replies[-1])
        except (ValueError, EarlierRunError) as error:
            return Unanswered(str(error))
        return None

    def _has_changed(self, run_id: str) -> None:
        if self._socket is not None and self._run_id != run_id:
            self._socket.end("the server has been restarted")

    def _has_ended(self, socket: HotSocket, has_failed: bool) -> None:
        if self._socket is socket:
            self._socket = None
            if has_failed:
                self._on_failure()


def pack_shared(command: Command) -> bytes:
    """As it goes over the wire. Raises as `pack` does; ValueError for what must not go over a connection that others use."""
    if command.__class__ is PackedScript:
        return command.packed
    command = cast("Sequence[Part]", command)
    if not command or not _is_shareable(command[0]):
        raise ValueError(f"not over a connection that others use: {command[0] if command else 'nothing'!r}")
    return pack(command)


@lru_cache(maxsize=256)
def _is_shareable(name: Part) -> bool:
    text = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    return bool(text) and text.upper() not in _OF_ONE_CALLER
