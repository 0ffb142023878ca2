"""The Chrome DevTools Protocol over one WebSocket: commands, their answers, and events by session.

https://chromedevtools.github.io/devtools-protocol/ (flat sessions: every message carries its `sessionId`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

Params = dict[str, Any]
Listener = Callable[[str, Params], None]

COMMAND_TIMEOUT_SECONDS = 15.0


class BrowserError(AssertionError):
    """The browser refused a command, a script in the page failed, or a condition did not come true in time."""


class Connection:
    """One connection to a browser. Commands may be sent from several tasks at once."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Params]] = {}
        self._listeners: dict[str, Listener] = {}
        self._tasks: set[asyncio.Task[Params]] = set()

    def listen(self, session_id: str, listener: Listener) -> None:
        """Calls `listener(method, params)` for every event of the session."""
        self._listeners[session_id] = listener

    async def command(
        self,
        method: str,
        params: Params | None = None,
        *,
        session_id: str | None = None,
        timeout: float = COMMAND_TIMEOUT_SECONDS,
    ) -> Params:
        """Sends a command, returns its result. BrowserError: it was refused, or not answered in `timeout` seconds."""
        message_id = next(self._ids)
        message: Params = {"id": message_id, "method": method, "params": params or {}}
        if session_id is not None:
            message["sessionId"] = session_id
        answer: asyncio.Future[Params] = asyncio.get_running_loop().create_future()
        self._answers[message_id] = answer
        try:
            async with asyncio.timeout(timeout):
                await self._socket.send(json.dumps(message))
                return await answer
        except TimeoutError:
            raise BrowserError(f"{method}: no answer within {timeout:g} s") from None
        finally:
            self._answers.pop(message_id, None)

    def command_soon(self, method: str, params: Params | None = None, *, session_id: str) -> None:
        """Sends a command from within a listener, whose answer nobody waits for."""
        task = asyncio.ensure_future(self.command(method, params, session_id=session_id))
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Params]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a worker may be gone before it is told anything: no matter

    async def read(self) -> None:
        """Hands out what the browser sends, until the connection ends; whoever then still waits is told."""
        try:
            async for text in self._socket:
                message = json.loads(text)
                if "id" in message:
                    self._settle(message)
                elif (listener := self._listeners.get(message.get("sessionId", ""))) is not None:
                    listener(message["method"], message.get("params", {}))
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(BrowserError("the browser has gone"))

    def _settle(self, message: Params) -> None:
        answer = self._answers.get(message["id"])
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(BrowserError(message["error"]["message"]))
        else:
            answer.set_result(message["result"])


@asynccontextmanager
async def open_connection(address: str) -> AsyncIterator[Connection]:
    """Connects to the browser's `ws://` address."""
    async with connect(address, max_size=None, proxy=None, open_timeout=10, close_timeout=2) as socket:
        connection = Connection(socket)
        reader = asyncio.create_task(connection.read())
        try:
            yield connection
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await reader
