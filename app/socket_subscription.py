"""A subscription over a socket: the sink into which its answers are put."""

from __future__ import annotations

import asyncio
from typing import Any

from app import metrics
from app.answers import encode_json
from app.authentication.errors import AuthenticationError
from app.socket_operation import Host, errors_of, refuse_or_finish
from schema.execution import Operation
from schema.live import LiveSubscription


class SocketSubscription:
    """A `schema.live.LiveSink`. It has a task until it has begun, and none afterwards."""

    __slots__ = (
        "_begin",
        "_has_ended",
        "_has_turn",
        "_head",
        "_host",
        "_id",
        "_is_counted",
        "_operation",
        "_output",
        "_running",
    )

    def __init__(self, host: Host, operation_id: str, operation: Operation) -> None:
        """It begins when `come_in` is called."""
        self._host = host
        self._id = operation_id
        self._output = host.output
        self._operation: Operation | None = operation
        self._head = b'{"type":"next","id":' + encode_json(operation_id) + b',"payload":'
        self._begin: asyncio.Task[None] | None = None
        self._running: LiveSubscription | None = None
        self._has_ended = False
        self._has_turn = False
        self._is_counted = False

    def come_in(self) -> None:
        """Its turn to ask the database has come."""
        self._has_turn = True
        self._begin = asyncio.get_running_loop().create_task(self._start(), name="subscribe")
        # Not at the task's own end: one that is cancelled before its first step has none.
        self._begin.add_done_callback(lambda _: self._give_back_turn())

    def _give_back_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._host.state.sockets.admission.leave()

    async def _start(self) -> None:
        operation, state = self._operation, self._host.state
        assert operation is not None
        try:
            begin = state.begin_subscription(operation, self._host.claims, address=self._host.address)
            context = await state.deadline.run(begin)
            self._give_back_turn()
            self._is_counted = True
            metrics.LIVE_SUBSCRIBERS.inc()
            self._running = await state.watch(operation, context, self)
        except AuthenticationError as problem:
            refuse_or_finish(self._host, self._id, problem)
        except Exception as problem:
            self.fail(errors_of(problem))
        finally:
            self._operation = self._begin = None
            if self._has_ended:
                self._stop()

    # ------------------------------------------------------------------ the sink

    @property
    def has_room(self) -> bool:
        return self._output.has_room

    def put(self, payload: bytes, cursor: str | None) -> None:
        if not self._has_ended:
            self._output.put_enclosed(self._head, payload, b"}")

    def fail(self, errors: list[dict[str, Any]]) -> None:
        if not self._has_ended:
            self.close()
            self._host.finish(self._id, errors)

    def complete(self) -> None:
        if not self._has_ended:
            self.close()
            self._host.finish(self._id, [])

    # ------------------------------------------------------------------ the connection's side

    def go_on(self) -> None:
        """There is room again."""
        if self._running is not None:
            self._running.go_on()

    def say_goodbye(self) -> None:
        """The process is about to end."""
        if self._running is not None:
            self._running.say_goodbye()

    def close(self) -> None:
        """Nothing is sent any more. A second time changes nothing."""
        if self._has_ended:
            return
        self._has_ended = True
        self._host.state.sockets.admission.withdraw(self)
        if self._begin is not None and self._begin is not asyncio.current_task():
            self._begin.cancel()
        self._stop()

    def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.close()
        if self._is_counted:
            self._is_counted = False
            metrics.LIVE_SUBSCRIBERS.dec()
