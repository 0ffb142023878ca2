"""A subscription that is executed event by event in a task of its own: the way for all that no hub pushes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import orjson
import structlog

from resolvers.context import OperationContext
from schema.errors import INTERNAL, error
from schema.execution import Engine, Operation
from schema.live_sink import LiveSink

log = structlog.get_logger(__name__)


class GeneratedSubscription:
    """Any subscription, by a task of its own that executes each event."""

    def __init__(self, engine: Engine, operation: Operation, context: OperationContext, sink: LiveSink) -> None:
        self._sink = sink
        self._has_room = asyncio.Event()
        self._is_closed = False
        self._task = asyncio.get_running_loop().create_task(self._run(engine, operation, context), name="subscription")

    def go_on(self) -> None:
        self._has_room.set()

    def say_goodbye(self) -> None:
        """There is nothing that would let it resume."""

    def close(self) -> None:
        self._is_closed = True
        self._task.cancel()

    async def _run(self, engine: Engine, operation: Operation, context: OperationContext) -> None:
        try:
            async with aclosing(engine.subscribe(operation, context)) as answers:
                async for response, cursor in answers:
                    if "data" in response:
                        self._sink.put(orjson.dumps(response), cursor)
                    else:
                        self._sink.fail(list(response["errors"]))
                        return
                    while not self._sink.has_room:
                        self._has_room.clear()
                        await self._has_room.wait()
            self._sink.complete()
        except asyncio.CancelledError:
            if not self._is_closed:
                raise
        except Exception:
            log.exception("subscription.failed")
            self._sink.fail([error("something went wrong on our side", INTERNAL)])
