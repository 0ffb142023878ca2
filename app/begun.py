"""Coroutines that are usually done before anybody would have to wait for them."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """An awaitable, run as far as it goes without waiting. Where it is done, `result` is what it has given; else await this.

    It is run in the task that makes this, and must be awaited in the same. Raises what it raises by then.
    """

    __slots__ = ("_waiting", "_work", "is_done", "result")

    result: T

    def __init__(self, work: Awaitable[T]) -> None:
        self._work = work.__await__()
        try:
            self._waiting = self._work.send(None)
            self.is_done = False
        except StopIteration as done:
            self.result = done.value
            self.is_done = True

    def __await__(self) -> Generator[Any, Any, T]:
        thrown: BaseException | None = None
        while not self.is_done:
            try:
                yield self._waiting
            except BaseException as error:
                thrown = error
            else:
                thrown = None
            try:
                self._waiting = self._work.send(None) if thrown is None else self._work.throw(thrown)
            except StopIteration as done:
                self.result = done.value
                self.is_done = True
            finally:
                thrown = None  # or it would hold its traceback, which holds this
        return self.result
