"""When something is compiled, what is not, and that a failing compiler changes nothing."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, parse
from strawberry.extensions import FieldExtension, SchemaExtension
from strawberry.permission import BasePermission

from graphql_compiler import CompiledOperations
from graphql_compiler import operations as module
from tests.graphql_compiler.compare import find_operation


class Shouting(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs).upper()


class Nobody(BasePermission):
    message = "nobody may"

    def has_permission(self, source: Any, info: Any, **kwargs: Any) -> bool:
        return False


class Hooked(SchemaExtension):
    def resolve(self, _next: Any, root: Any, info: Any, *args: str, **kwargs: Any) -> Any:
        return _next(root, info, *args, **kwargs)


@strawberry.type
class Query:
    plain: str = "plain"

    @strawberry.field(extensions=[Shouting()])  # type: ignore[untyped-decorator]
    def shouted(self) -> str:
        return "quiet"

    @strawberry.field(permission_classes=[Nobody])  # type: ignore[untyped-decorator]
    def guarded(self) -> str:
        return "secret"

    @strawberry.field
    async def generated(self) -> AsyncGenerator[str]:
        yield "a"


SCHEMA = strawberry.Schema(query=Query)


def find(operations: CompiledOperations, text: str, variables: dict[str, Any] | None = None, name: str | None = None) -> Any:
    document = parse(text)
    return operations.find(text, document, find_operation(document, name), variables)


async def test_compiled_at_the_third_use() -> None:
    operations = CompiledOperations(SCHEMA)
    assert find(operations, "{ plain }") is None
    assert find(operations, "{ plain }") is None
    ready = find(operations, "{ plain }")
    assert (await ready.execute(Query())).data_json == b'{"plain":"plain"}'
    assert find(operations, "{ p: plain }") is None


def test_distinct_documents_neither_compile_nor_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    operations = CompiledOperations(SCHEMA, size=20)
    for _ in range(3):
        ready = find(operations, "{ plain }")
    assert ready is not None

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("compiled")

    monkeypatch.setattr(module, "Plan", never)
    document = parse("{ __typename }")
    for number in range(5_000):
        assert operations.find(f"document {number}", document, find_operation(document)) is None
    assert len(operations._uses) <= 20
    assert len(operations._operations) == 1
    assert find(operations, "{ plain }") is not None, "what is in use stays compiled"


def test_the_oldest_operation_goes_first() -> None:
    operations = CompiledOperations(SCHEMA, size=2, compile_at=1)
    for text in ("{ a: plain }", "{ b: plain }", "{ a: plain }", "{ c: plain }"):
        assert find(operations, text) is not None
    assert [key[0] for key in operations._operations] == ["{ a: plain }", "{ c: plain }"]  # type: ignore[index]


def test_large_operations_leave_room_for_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VALUES", 30)
    operations = CompiledOperations(SCHEMA, compile_at=1)
    for number in range(5):
        assert find(operations, "{ " + " ".join(f"a{number}x{each}: plain" for each in range(10)) + " }") is not None
    assert len(operations._operations) == 3
    assert operations._values == 30
    assert find(operations, "{ " + " ".join(f"b{each}: plain" for each in range(40)) + " }") is not None
    assert len(operations._operations) == 1


def test_conditions_make_few_plans() -> None:
    operations = CompiledOperations(SCHEMA, compile_at=1)
    names = [f"c{number}" for number in range(6)]
    fields = " ".join(f"{name}: plain @skip(if: ${name})" for name in names)
    text = f"query ({', '.join(f'${name}: Boolean!' for name in names)}) {{ {fields} }}"
    found = [
        find(operations, text, {name: bool(number >> bit & 1) for bit, name in enumerate(names)}) is not None
        for number in range(64)
    ]
    assert sum(found) == module.MAX_VARIANTS


def test_several_operations_in_a_document() -> None:
    operations = CompiledOperations(SCHEMA, compile_at=1)
    text = "query A { a: plain } query B { b: shouted }"
    assert find(operations, text, name="A") is not None
    assert find(operations, text, name="B") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{ plain shouted }", "shouted: field extensions or permission classes"),
        ("{ guarded }", "guarded: field extensions or permission classes"),
        ("{ generated }", "generated: an async generator"),
        ("query @experimental_disableErrorPropagation { plain }", "@experimental_disableErrorPropagation"),
        ("{ ... @defer { plain } }", "@defer"),
    ],
)
def test_what_is_left_to_graphql_core(text: str, reason: str) -> None:
    operations = CompiledOperations(SCHEMA, compile_at=1)
    assert find(operations, text) is None
    assert operations.reason(text) == reason


def test_resolve_hooks_leave_everything_to_graphql_core() -> None:
    schema = strawberry.Schema(query=Query, extensions=[Hooked])
    operations = CompiledOperations(schema, compile_at=1)
    assert find(operations, "{ plain }") is None
    assert operations.reason("{ plain }") == "the schema extension Hooked has a resolve hook"


def test_resolve_functions_put_in_by_others() -> None:
    schema = strawberry.Schema(query=Query)
    query = schema._schema.query_type
    assert query is not None
    query.fields["plain"].resolve = lambda *_: "other"
    operations = CompiledOperations(schema._schema, compile_at=1)
    assert find(operations, "{ plain }") is None
    assert operations.reason("{ plain }") == "plain: has a resolve function of its own"


def test_a_failing_compiler_is_noted_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any, **__: Any) -> DocumentNode:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(module, "Plan", broken)
    operations = CompiledOperations(SCHEMA, compile_at=1)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            assert find(operations, "{ plain }") is None
    assert [record.message for record in caplog.records] == ["graphql_compiler.failed"]
    assert operations.reason("{ plain }") == "the compiler failed"
