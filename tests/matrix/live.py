"""Every subscription of the schema, watched by everybody while things are taken away.

What was visible neither before a change nor after it stands in nothing that is told about it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from graphql import get_named_type

from app.authentication.errors import AuthenticationError
from schema.execution import LiveAnswer
from tests.matrix.asking import SCHEMA, SELECTIONS, Asker, calls
from tests.matrix.cast import VIEWERS
from tests.matrix.findings import Tally
from tests.matrix.oracle import Oracle
from tests.matrix.stage import Stage
from tests.matrix.truth import Truth

QUIET_SECONDS = 0.8
"""Nothing told for so long: everything has been told. What comes later still is read with the next change."""
LONGEST_SECONDS = 10.0
_HOPS = 2


@dataclass
class _Watcher:
    viewer: str
    viewer_id: int | None
    place: str
    name: str
    told: list[LiveAnswer] = field(default_factory=list)


class Watching:
    """The open subscriptions."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._watchers: list[_Watcher] = []
        self._before: Truth | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self, viewers: Sequence[str]) -> None:
        self._before = truth = await self._stage.truth()
        kind = SCHEMA.subscription_type
        assert kind is not None
        for viewer in viewers:
            asker = await self._stage.asker(viewer)
            try:
                viewer_id = await asker.viewer_id()
            except AuthenticationError:
                continue
            stock = self._stage.stock(truth, viewer, ())
            for name, field_ in kind.fields.items():
                below = get_named_type(field_.type)
                selection = SELECTIONS.below(below, _HOPS - SELECTIONS.is_thing(below))
                for call, _ in calls(f"Subscription.{name}", name, field_, stock):
                    watcher = _Watcher(viewer, viewer_id, f"Subscription.{name}", name)
                    self._watchers.append(watcher)
                    text = f"subscription {{ {call} {selection} }}"
                    self._tasks.append(asyncio.create_task(self._watch(asker, watcher, text)))
        await self._settle()

    async def _watch(self, asker: Asker, watcher: _Watcher, text: str) -> None:
        async for answer in asker.watch(text):
            watcher.told.append(answer)

    async def _settle(self) -> None:
        """Until nothing more is told."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_SECONDS):
                told = -1
                while told != (told := sum(len(watcher.told) for watcher in self._watchers)):
                    await asyncio.sleep(QUIET_SECONDS)

    async def read(self, moment: str) -> Tally:
        """What was told since the last time."""
        await self._stage.world.drain()
        await self._settle()
        before, now = self._before, await self._stage.truth()
        assert before is not None
        total = Tally()
        for watcher in self._watchers:
            told, watcher.told = watcher.told, []
            seen = Oracle(before, watcher.viewer_id)
            also_seen = frozenset(secret for secret in before.secrets() if seen.sees(secret))
            reading = self._stage.reading(now, watcher.viewer, watcher.viewer_id, moment, also_seen=also_seen)
            for answer in told:
                value: Any = (answer.response.get("data") or {}).get(watcher.name)
                reading.read(watcher.place, value, answer.response.get("errors", ()))
            total.add(reading.close())
        self._before = now
        return total

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def watching(stage: Stage, viewers: Sequence[str] = VIEWERS) -> AsyncIterator[Watching]:
    """Everybody watches everything until the block ends."""
    found = Watching(stage)
    try:
        await found.begin(viewers)
        yield found
    finally:
        await found.end()
