"""Waits for what a run has put aside, level by level, and completes it.

All that one level wants is begun at once: each loader's batch, each resolver's coroutine. Completing it may put more aside:
the next level.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from graphql.pyutils import is_awaitable

from graphql_compiler.answers import Batched, Call
from graphql_compiler.failures import Failed, Place, PropagatedError, keys_of, locate
from graphql_compiler.info import make_info
from graphql_compiler.loading import Loading, found
from graphql_compiler.run import Pending, Run
from graphql_compiler.shape import Position

_DROPPED = Failed(Exception("its place was nulled meanwhile"))


async def drain(run: Run) -> None:
    """Until nothing is awaited any more."""
    while run.pending or run.late:
        level = _Level(run)
        try:
            await level.wait()
        except BaseException:
            level.close()
            raise
        level.complete()


class _Job:
    """One awaitable, and where its value goes."""

    __slots__ = ("awaitable", "index", "place", "position", "values")

    def __init__(
        self, awaitable: Awaitable[Any], values: list[Any], index: int, position: Position, place: Place
    ) -> None:
        self.awaitable = awaitable
        self.values = values
        self.index = index
        self.position = position
        self.place = place


class _Level:
    def __init__(self, run: Run) -> None:
        self._run = run
        pending, self._late = run.take()
        self._fields: dict[Position, list[Pending]] = {}
        for each in pending:
            known = self._fields.get(each[0])
            if known is None:
                self._fields[each[0]] = [each]
            else:
                known.append(each)
        self._values: dict[Position, list[Any]] = {}
        self._jobs: list[_Job] = []
        self._loading = Loading()
        for position, wanting in self._fields.items():
            answer = position.field.answer
            if isinstance(answer, Batched):
                self._values[position] = self._loading.want(answer.batch, wanting, run.context)
            else:
                assert isinstance(answer, Call), "nothing else is deferred"
                self._values[position] = self._call(answer, position, wanting)
        self._late_values: list[Any] = [None] * len(self._late)
        for index, (position, place, awaitable) in enumerate(self._late):
            self._jobs.append(_Job(awaitable, self._late_values, index, position, place))

    def _call(self, answer: Call, position: Position, wanting: list[Pending]) -> list[Any]:
        values: list[Any] = []
        for _, _, parent, place in wanting:
            try:
                value = _called(self._run, answer, position, parent, place)
            except Exception as error:
                value = Failed(error)
            if is_awaitable(value):
                self._jobs.append(_Job(value, values, len(values), position, place))
                value = None
            values.append(value)
        return values

    async def wait(self) -> None:
        """Until all values are there, or stand in a place that was nulled meanwhile."""
        work = self._loading.work()
        if len(work) + len(self._jobs) > 1:
            await self._wait_together(work)
        elif work:
            await work[0]
        elif self._jobs:
            [job] = self._jobs
            try:
                job.values[job.index] = await job.awaitable
            except Exception as error:
                job.values[job.index] = Failed(error)

    async def _wait_together(self, work: list[Awaitable[None]]) -> None:
        tasks: dict[asyncio.Future[Any], _Job | None] = {asyncio.ensure_future(each): None for each in work}
        tasks.update((asyncio.ensure_future(job.awaitable), job) for job in self._jobs)
        waiting, unwanted = set(tasks), set[asyncio.Future[Any]]()
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
                has_nulled = False
                for task in [each for each in tasks if each in done]:
                    has_nulled |= self._take(task, tasks[task], is_unwanted=task in unwanted)
                if has_nulled:
                    for task in waiting - unwanted:
                        job = tasks[task]
                        if job is not None and self._run.is_nulled(keys_of(job.place)):
                            unwanted.add(task)
                            task.cancel()
        finally:
            left = [task for task in tasks if not task.done()]
            for task in left:
                task.cancel()
            if left:
                await asyncio.gather(*left, return_exceptions=True)

    def _take(self, task: asyncio.Future[Any], job: _Job | None, *, is_unwanted: bool) -> bool:
        """Takes a value; whether its failure has nulled more than its own place. Raises what is no Exception."""
        if task.cancelled():
            if is_unwanted and job is not None:
                job.values[job.index] = _DROPPED
                return False
            raise asyncio.CancelledError
        error = task.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        if job is None:
            return False
        if error is None:
            job.values[job.index] = task.result()
            return False
        if job.position.is_nullable:
            job.values[job.index] = Failed(error)
            return False
        # At once: what it nulls need not be waited for.
        job.values[job.index] = _DROPPED
        self._run.fail(job.position, job.place, locate(error, job.position.field.nodes, job.place))
        return True

    def complete(self) -> None:
        """Puts the values into the answer."""
        run = self._run
        for position, wanting in self._fields.items():
            values = self._values[position]
            answer = position.field.answer
            if isinstance(answer, Batched):
                values = found(answer.batch, values, wanting, run.context)
            complete, key = run.plan.value(position, True), position.key
            assert key is not None, "only fields are deferred"
            for (_, made, _, place), value in zip(wanting, values, strict=True):
                if value is _DROPPED or (run.nulled and run.is_nulled(keys_of(place))):
                    continue
                try:
                    made[key] = complete(run, value, place)
                except PropagatedError as failure:
                    run.fail(position, place, failure.error)
        for (position, place, _), value in zip(self._late, self._late_values, strict=True):
            self._complete_late(position, place, value)

    def _complete_late(self, position: Position, place: Place, value: Any) -> None:
        run = self._run
        path = keys_of(place)
        if value is _DROPPED or run.is_nulled(path):
            return
        try:
            completed = run.plan.value(position, True)(run, value, place)
        except PropagatedError as failure:
            run.fail(position, place, failure.error)
            return
        container = run.find(path[:-1])
        if container is not None and not run.is_nulled(path):
            container[path[-1]] = completed

    def close(self) -> None:
        """It is not waited for any more."""
        from graphql_compiler.run import forget

        forget(job.awaitable for job in self._jobs)


def _called(run: Run, answer: Call, position: Position, parent: Any, place: Place) -> Any:
    arguments: dict[str, Any] = {}
    if answer.arguments is not None:
        arguments.update(answer.arguments.of(run, position, place))
    for name in answer.root_names:
        arguments[name] = parent
    if answer.info_name is not None:
        arguments[answer.info_name] = make_info(run, position, place)
    return answer.function(parent, **arguments) if answer.takes_self else answer.function(**arguments)


