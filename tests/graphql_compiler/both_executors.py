"""Answers every query of a test run by both executors: `pytest -p tests.graphql_compiler.both_executors tests/stories`.

The compiler answers first, at the first use of an operation, and what resolvers have given it is taken down. Then graphql-core
answers from the same: same records, same exceptions, same loaders. Both must be the same bytes, with the same errors. At the
end it is told how many queries were compared; differences fail the run, and the test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from graphql import OperationType
from strawberry import Schema
from strawberry.types.base import StrawberryObjectDefinition

import schema.execution
from graphql_compiler import CompiledOperations, Ready, write_json
from graphql_compiler.plan import Plan
from resolvers.context import OperationContext
from schema.build import build_schema
from schema.execution import Engine, Operation, Response

_NEVER = object()


class _Tape:
    """What resolvers gave: by resolver, parent and arguments. `kept` keeps everything alive that an address stands for."""

    def __init__(self) -> None:
        self.given: dict[Any, tuple[Any, Exception | None]] = {}
        self.kept: list[Any] = []
        self.is_replayed = False

    def key(self, function: Callable[..., Any], values: dict[str, Any]) -> Any:
        self.kept.append(values)
        return function, tuple(
            (name, id(value) if name == "root" else repr(value)) for name, value in sorted(values.items()) if name != "info"
        )


_tape: ContextVar[_Tape | None] = ContextVar("tape", default=None)
differences: list[str] = []
compared: list[str] = []


def _taped(function: Callable[..., Any]) -> Callable[..., Any]:
    bind = inspect.signature(function).bind

    def find(arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[_Tape | None, Any]:
        tape = _tape.get()
        return tape, tape.key(function, bind(*arguments, **named).arguments) if tape is not None else None

    def play(tape: _Tape | None, key: Any) -> Any:
        if tape is None or not tape.is_replayed or key not in tape.given:
            return _NEVER
        value, failure = tape.given[key]
        if failure is not None:
            raise failure
        return value

    async def answer_later(*arguments: Any, **named: Any) -> Any:
        tape, key = find(arguments, named)
        value, failure = play(tape, key), None
        if value is not _NEVER:
            return value
        try:
            value = await function(*arguments, **named)
        except Exception as error:
            value, failure = None, error
        if tape is not None:
            tape.given[key] = value, failure
        if failure is not None:
            raise failure
        return value

    def answer(*arguments: Any, **named: Any) -> Any:
        tape, key = find(arguments, named)
        value = play(tape, key)
        if value is _NEVER:
            value = function(*arguments, **named)
            if tape is not None and not inspect.isawaitable(value):
                tape.given[key] = value, None
        return value

    made = answer_later if inspect.iscoroutinefunction(function) else answer
    made.__dict__.update(function.__dict__)
    return made


def _tape_resolvers(built: Schema) -> None:
    for graphql_type in built.schema_converter.type_map.values():
        definition = graphql_type.definition
        if isinstance(definition, StrawberryObjectDefinition) and definition.name not in {"Mutation", "Subscription"}:
            for field in definition.fields:
                if field.base_resolver is not None:
                    field.base_resolver.wrapped_func = _taped(field.base_resolver.wrapped_func)  # type: ignore[arg-type]


@contextmanager
def _taping(tape: _Tape) -> Iterator[None]:
    token = _tape.set(tape)
    try:
        yield
    finally:
        _tape.reset(token)


_answer = Engine.answer
_find_compiled = Engine._find_compiled
_make_plan = Plan.__init__


async def _compare(self: Engine, operation: Operation, context: OperationContext) -> Response:
    if operation.type is not OperationType.QUERY:
        return await _answer(self, operation, context)
    tape = _Tape()
    with _taping(tape):
        first = await _answer(self, operation, context)
        tape.is_replayed = True
        second = await _answer(self, operation, context)
    text = operation.document.ast.loc.source.body if operation.document.ast.loc else ""
    compared.append(text)
    ours, theirs = (write_json({"data": each.get("data", "none")}) for each in (first, second))
    failures = [sorted(map(repr, each.get("errors", ()))) for each in (first, second)]
    if ours != theirs or failures[0] != failures[1]:
        differences.append(f"{text}\n{operation.variables}\n ours   {ours!r} {failures[0]}\n theirs {theirs!r} {failures[1]}")
        raise AssertionError(differences[-1])
    return first


def _compiled_first(self: Engine, operation: Operation) -> Ready | None:
    tape = _tape.get()
    return None if tape is not None and tape.is_replayed else _find_compiled(self, operation)


def _make_keeping_plan(self: Plan, *arguments: Any, **named: Any) -> None:
    _make_plan(self, *arguments, **named)
    # What is loaded is kept for the second executor.
    self.is_batched = False


def pytest_configure() -> None:
    """Sets it up, before anything is executed."""
    CompiledOperations.__init__.__kwdefaults__["compile_at"] = 1  # type: ignore[index]
    Plan.__init__ = _make_keeping_plan  # type: ignore[method-assign]
    Engine.answer = _compare  # type: ignore[method-assign]
    Engine._find_compiled = _compiled_first  # type: ignore[method-assign]
    _tape_resolvers(build_schema())
    assert schema.execution.Engine is Engine


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Differences fail the run, whatever tests have made of them."""
    if differences:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tells how many there were."""
    terminalreporter.write_line(f"{len(compared)} queries by both executors, {len(differences)} differences")
    for each in differences[:20]:
        terminalreporter.write_line(each[:2_000])
