"""Subscriptions as transports see them: answers are put into a sink, one after the other, as long as it has room."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any, Protocol

import orjson
import structlog

from resolvers.context import OperationContext
from schema.errors import INTERNAL, error
from schema.execution import Engine, Operation
from schema.shared_events import RenderedResponse

log = structlog.get_logger(__name__)


class LiveSink(Protocol):
    """Where the answers to one subscription go. Called in the event loop; every method returns at once."""

    @property
    def has_room(self) -> bool:
        """Whether more may be put now. What is put all the same is taken, but nobody goes on putting."""

    def put(self, payload: bytes, cursor: str | None) -> None:
        """One answer: a GraphQL response as JSON. `cursor`: where a client that has taken it resumes; None: nowhere else."""

    def fail(self, errors: list[dict[str, Any]]) -> None:
        """It has ended by these errors; nothing follows."""

    def complete(self) -> None:
        """It has ended by itself; nothing follows."""


class LiveSubscription(Protocol):
    """One running subscription."""

    def go_on(self) -> None:
        """The sink has room again."""

    def say_goodbye(self) -> None:
        """The process is about to end: puts what lets the client resume without a gap, where there is such a thing."""

    def close(self) -> None:
        """Ends it: nothing is put any more. A second time changes nothing."""


async def watch(engine: Engine, operation: Operation, context: OperationContext, sink: LiveSink) -> LiveSubscription:
    """Begins a subscription. What is wrong with it comes as `sink.fail`."""
    return _GeneratorSubscription(engine, operation, context, sink)


class _GeneratorSubscription:
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
                    if isinstance(response, RenderedResponse):
                        self._sink.put(response.json.encode(), cursor)
                    elif "data" in response:
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
