"""Waits for what a run has put aside, and completes it as it comes, which may put more aside.

Resolvers' coroutines begin at once. Keys for a loader are collected over lists, fields and aliases; its batch begins as soon as
nothing else is running that could add keys, or after a few turns of the event loop: aiodataloader waits as long for latecomers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, NamedTuple, cast

from graphql.pyutils import is_awaitable

from graphql_compiler.answers import Batched, Call
from graphql_compiler.calling import called, same
from graphql_compiler.failures import Failed, Place, PropagatedError, keys_of
from graphql_compiler.loading import Load, found
from graphql_compiler.passing import passes_on
from graphql_compiler.run import Pending, Run, forget
from graphql_compiler.shape import Position

PATIENCE = 4
"""Turns of the event loop that keys wait for more while resolvers are running, since the last of them has come to an end."""


class _Job(NamedTuple):
    """One awaitable. `made`: the object that its value belongs to; None: it is found by its path."""

    awaitable: Awaitable[Any]
    position: Position
    place: Place
    made: dict[str, Any] | None


async def drain(run: Run) -> None:
    """Until nothing is awaited any more. Nothing is left running, whatever happens."""
    scheduler = _Scheduler(run)
    try:
        await scheduler.work()
    finally:
        if scheduler.is_busy:
            await scheduler.abandon()


def only_coroutine(run: Run) -> Pending | None:
    """What is awaited, taken from the run, where that is one resolver's coroutine: nearly always the only one, at the root."""
    if len(run.pending) != 1 or run.late or not isinstance(run.pending[0][0].field.answer, Call):
        return None
    taken = run.take()[0]
    return taken[0] if taken else None


@passes_on
async def wait_alone(run: Run, only: Pending) -> None:
    """Awaits it and completes its value, which may put more aside."""
    position, made, _, place = only
    run.has_begun = True
    try:
        value = called(run, cast("Call", position.field.answer), position, only)
        if is_awaitable(value):
            value = await value
    except Exception as error:
        value = Failed(error)
    failure = _complete(run, position, place, made, value)
    if failure is not None:
        run.fail(position, place, failure.error)


def _complete(run: Run, position: Position, place: Place, made: dict[str, Any] | None, value: Any) -> PropagatedError | None:
    """Puts a value in its place; the error where it nulls what is around it."""
    if run.nulled and run.is_nulled(keys_of(place)):
        return None
    try:
        completed = run.plan.value(position, True)(run, value, place)
    except PropagatedError as failure:
        return failure
    path = keys_of(place) if made is None else []
    container: Any = made if made is not None else run.find(path[:-1])
    if container is not None:
        container[position.key if made is not None else path[-1]] = completed
    return None


class _Scheduler:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._jobs: list[_Job] = []
        self._loads: dict[int, Load] = {}
        self._tasks: dict[asyncio.Future[Any], _Job | Load] = {}
        self._unwanted: set[asyncio.Future[Any]] = set()
        self._done: list[asyncio.Future[Any]] = []
        self._waiter: asyncio.Future[None] | None = None
        self._patience = PATIENCE
        self._loaded: dict[int, tuple[Any, dict[Any, Any]]] = {}

    async def work(self) -> None:
        run = self._run
        while True:
            while run.pending or run.late:
                self._sort()
            if len(self._tasks) == len(self._unwanted):
                if not self._jobs and not self._loads:
                    return
                # The usual cases: nothing but loads, or one coroutine.
                if not self._jobs:
                    await self._load()
                    continue
                if not self._loads and len(self._jobs) == 1:
                    await self._wait_alone(self._jobs.pop())
                    continue
            self._begin()
            await self._wait()

    @property
    def is_busy(self) -> bool:
        return bool(self._tasks or self._jobs)

    async def abandon(self) -> None:
        """Ends everything that was begun."""
        forget(job.awaitable for job in self._jobs)
        for task in self._tasks:
            task.cancel()
        # Of those that are done, too: or asyncio would say that nobody has asked for their exceptions.
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---------------------------------------------------------------- what is wanted

    def _sort(self) -> None:
        """Takes what was put aside: coroutines, keys, and what is known already."""
        run = self._run
        pending, late = run.take()
        self._jobs.extend(_Job(awaitable, position, place, None) for position, place, awaitable in late)
        fields: dict[Position, list[Pending]] = {}
        for each in pending:
            known = fields.get(each[0])
            if known is None:
                fields[each[0]] = [each]
            else:
                known.append(each)
        for position, wanting in fields.items():
            answer = position.field.answer
            if isinstance(answer, Batched):
                self._want(answer, position, wanting)
            else:
                assert isinstance(answer, Call), "nothing else is deferred"
                self._call(answer, position, wanting)

    def _call(self, answer: Call, position: Position, wanting: list[Pending]) -> None:
        self._run.has_begun = True
        for each in wanting:
            try:
                value = called(self._run, answer, position, each)
            except Exception as error:
                value = Failed(error)
            if is_awaitable(value):
                self._jobs.append(_Job(value, position, each[3], each[1]))
            else:
                self._complete(position, each[3], each[1], value)

    def _want(self, answer: Batched, position: Position, wanting: list[Pending]) -> None:
        batch, context = answer.batch, self._run.context
        try:
            loader = batch.loader(context)
        except Exception as error:
            self._complete_all(position, wanting, [Failed(error)] * len(wanting))
            return
        if loader is None:
            self._complete_all(position, wanting, found(batch, None, wanting, context))
            return
        load = self._loads.get(id(loader))
        if load is None:
            # The loader is kept alive with what it has loaded, since its address stands for it.
            _, values = self._loaded.setdefault(id(loader), (loader, {}))
            load = Load(loader, values)
        load.want(answer, position, wanting, context)
        if load.has_work:
            self._loads[id(loader)] = load
        else:
            self._complete_load(load)

    # ---------------------------------------------------------------- waiting

    async def _load(self) -> None:
        """Nothing is running: the last load needs no task of its own."""
        loads, self._loads = list(self._loads.values()), {}
        keeps = not self._run.plan.is_batched
        work = []
        for load in loads:
            load.keeps = keeps
            work += [(load, each) for each in load.work()]
        last, own = work.pop()
        for load, each in work:
            self._add_task(each, load)
        last.running += 1
        await own
        last.running -= 1
        if not last.running:
            self._complete_load(last)
        while len(self._tasks) > len(self._unwanted):
            await self._wait_for_any()
            self._take_done()

    @passes_on
    async def _wait_alone(self, job: _Job) -> None:
        try:
            value = await job.awaitable
        except Exception as error:
            value = Failed(error)
        self._complete(job.position, job.place, job.made, value)

    def _begin(self) -> None:
        """Begins what can begin."""
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            self._add_task(job.awaitable, job)
        for load in self._loads.values():
            if load.can_join:
                load.join()
        if self._loads and (len(self._tasks) == len(self._unwanted) or self._patience == 0):
            self._patience = PATIENCE
            loads, self._loads = list(self._loads.values()), {}
            for load in loads:
                load.look_again()
                for each in load.work():
                    self._add_task(each, load)
                if not load.running:
                    self._complete_load(load)

    def _add_task(self, awaitable: Awaitable[Any], what: _Job | Load) -> None:
        task = asyncio.ensure_future(awaitable)
        if task in self._tasks:
            # The same future for two values: each needs a task of its own.
            task = asyncio.ensure_future(same(task))
        self._tasks[task] = what
        if isinstance(what, Load):
            what.running += 1
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Future[Any]) -> None:
        self._done.append(task)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        if self._loads:
            self._patience -= 1
            await asyncio.sleep(0)
        else:
            await self._wait_for_any()
        self._take_done()

    async def _wait_for_any(self) -> None:
        if not self._done:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def _take_done(self) -> None:
        done, self._done = self._done, []
        if done:
            self._patience = PATIENCE
        for task in done:
            what = self._tasks.pop(task)
            if task in self._unwanted:
                self._unwanted.discard(task)
                if not task.cancelled():
                    task.exception()  # or asyncio would say that nobody has asked for it
                continue
            if task.cancelled():
                raise asyncio.CancelledError
            error = task.exception()
            if error is not None and not isinstance(error, Exception):
                raise error
            if isinstance(what, Load):
                what.running -= 1
                if not what.running:
                    self._complete_load(what)
            else:
                value = Failed(error) if error is not None else task.result()
                self._complete(what.position, what.place, what.made, value)

    # ---------------------------------------------------------------- completing

    def _complete_load(self, load: Load) -> None:
        for batch, position, wanting, tickets in load.groups:
            values = found(batch, load.loaded(tickets), wanting, self._run.context)
            self._complete_all(position, wanting, values)

    def _complete_all(self, position: Position, wanting: list[Pending], values: list[Any]) -> None:
        run, key = self._run, position.key
        complete = run.plan.value(position, True)
        for (_, made, _, place), value in zip(wanting, values, strict=True):
            if run.nulled and run.is_nulled(keys_of(place)):
                continue
            try:
                made[key] = complete(run, value, place)  # type: ignore[index]
            except PropagatedError as failure:
                self._fail(position, place, failure)

    def _complete(self, position: Position, place: Place, made: dict[str, Any] | None, value: Any) -> None:
        failure = _complete(self._run, position, place, made, value)
        if failure is not None:
            self._fail(position, place, failure)

    def _fail(self, position: Position, place: Place, failure: PropagatedError) -> None:
        """Nulls what the error nulls. What is running for values below is not waited for, and is cancelled at the end.

        Not at once: cancelling whoever waits for a loader's future cancels the future, for others too.
        """
        run = self._run
        run.fail(position, place, failure.error)
        for task, what in self._tasks.items():
            if isinstance(what, _Job) and run.is_nulled(keys_of(what.place)):
                self._unwanted.add(task)
