"""Random Strawberry schemas, written as Python and executed, so that types may name each other as they please."""

from __future__ import annotations

import itertools
import random
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import strawberry

from tests.graphql_compiler.random_values import KeepingRecord, Record

_numbers = itertools.count()

_HEAD = """
from __future__ import annotations
import enum
from datetime import datetime
from typing import Annotated, Any, Union
import strawberry

@strawberry.enum
class Colour(enum.Enum):
    RED = "red"
    GREEN = 7
    BLUE = "blue"

@strawberry.input
class Point:
    x: int = 3
    y: float | None = None
    colours: list[Colour] | None = strawberry.UNSET
    name: str = "there"
"""

_LEAVES = ["str", "int", "float", "bool", "strawberry.ID", "datetime", "Colour"]
_ARGUMENTS = [
    "a: int = 3", "b: str | None = None", "c: Colour = Colour.GREEN", "d: list[int] | None = strawberry.UNSET",
    "e: Point | None = strawberry.UNSET", "f: bool = False", "g: strawberry.ID | None = strawberry.UNSET",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RandomSchema:
    """`records`: what its resolvers return, by type. `is_async`: whether anything has to be waited for."""

    schema: strawberry.Schema
    records: dict[str, type[Record]]
    is_async: bool
    source: str


class _Writer:
    def __init__(self, seed: int) -> None:
        self.drawn = random.Random(f"schema {seed}")
        self.is_async = self.drawn.randrange(3) > 0
        self.objects = [f"T{number}" for number in range(self.drawn.randrange(2, 5))]
        self.union = self.drawn.sample(self.objects, self.drawn.randrange(2, len(self.objects) + 1))
        self.implementing = self.drawn.sample(self.objects, self.drawn.randrange(1, len(self.objects) + 1))
        self.lines: list[str] = []

    def type_(self, depth: int = 0) -> str:
        choice = self.drawn.randrange(10)
        if choice < 2 and depth < 2:
            inner = f"list[{self.type_(depth + 1)}]"
        elif choice < 4:
            inner = self.drawn.choice(self.objects)
        elif choice == 4:
            members = ", ".join(self.union)
            inner = self.drawn.choice(["Face", f'Annotated[Union[{members}], strawberry.union("Any_")]'])
        else:
            inner = self.drawn.choice(_LEAVES)
        return inner if self.drawn.randrange(2) else f"Union[{inner}, None]" if "Union[" in inner else f"{inner} | None"

    def fields(self, owner: str, count: int, prefix: str) -> None:
        for number in range(count):
            name, type_ = f"{prefix}{number}", self.type_()
            way = self.drawn.choice(["attribute", "attribute", "sync", "async", "batched", "late"])
            if way == "attribute" or (way != "sync" and not self.is_async):
                if owner in {"Query", "Changes"}:
                    way = "sync"
                else:
                    self.lines.append(f"    {name}: {type_}")
                    continue
            arguments = self.drawn.sample(_ARGUMENTS, self.drawn.choice([0, 0, 1, 2]))
            if way == "batched":
                arguments = []
            takes = self.drawn.choice([["root"], ["root", "info: strawberry.Info"]])
            if way == "batched":
                takes = ["root", "info: strawberry.Info"]
            is_async = way in {"async", "batched"}
            head = f"{'async ' if is_async else ''}def resolve_{name}({', '.join(takes + arguments)}) -> {type_}:"
            given = "".join(f", {argument.partition(':')[0]}" for argument in arguments)
            token = f"token_of({'info.context, ' if len(takes) > 1 else ''}root{given})"
            body = {
                "sync": f"return of(root).of_field({owner!r}, {name!r}, {token})",
                "async": f"return await of(root).late({owner!r}, {name!r}, {token})",
                "late": f"return of(root).late({owner!r}, {name!r}, {token})",
                "batched": f"return await info.context.loader.load(key_of({owner!r}, {name!r}, root))",
            }[way]
            self.lines += [f"    @strawberry.field(name={name!r})", f"    {head}"]
            is_at_hand = way == "batched" and owner not in {"Query", "Changes"} and self.drawn.randrange(2) == 0
            if is_at_hand:
                self.lines.append(f"        if root.{name}_at_hand is not None: return root.{name}_at_hand")
            self.lines.append(f"        {body}")
            if way == "batched":
                self.lines.append(f"    batch(resolve_{name}, {owner!r}, {name!r}, {is_at_hand})")
            if way == "sync" and owner not in {"Query", "Changes"} and self.drawn.randrange(3):
                self.lines.append(f"    stable(resolve_{name})")

    def source(self) -> str:
        lines = self.lines
        lines += [
            "@strawberry.interface",
            "class Face:",
            "    common: str",
            "    @strawberry.field",
            "    def shared(root) -> int:",
        ]
        lines += ["        return len(root.token)"]
        for name in self.objects:
            lines += ["@strawberry.type", f"class {name}{'(Face)' if name in self.implementing else ''}:", "    own: str"]
            self.fields(name, self.drawn.randrange(1, 6), "f")
        lines += ["@strawberry.type", "class Query:"]
        self.fields("Query", self.drawn.randrange(2, 5), "q")
        lines += ["@strawberry.type", "class Changes:"]
        self.fields("Changes", 3, "q")
        return "\n".join([_HEAD, *lines])


def make_schema(seed: int) -> RandomSchema:
    """Builds the schema of this seed."""
    writer = _Writer(seed)
    text = writer.source()
    module = ModuleType(f"random_schema_{next(_numbers)}")
    sys.modules[module.__name__] = module
    names: dict[str, Any] = vars(module)
    names.update(of=_values_of, token_of=_token_of, key_of=_key_of, batch=_batch, stable=_stable)
    exec(text, names)
    drawn = random.Random(f"records {seed}")
    records: dict[str, type[Record]] = {}
    for name in writer.objects:
        records[name] = _record_class(name, names[name], drawn)
    try:
        schema = strawberry.Schema(
            query=names["Query"], mutation=names["Changes"], types=[names[name] for name in writer.objects]
        )
    finally:
        del sys.modules[module.__name__]
    return RandomSchema(schema, records, writer.is_async, text)


def _values_of(root: Any) -> Any:
    return root.values if isinstance(root, Record) else root


def _token_of(*parts: Any) -> str:
    return " ".join(part.token if isinstance(part, Record) else repr(part) for part in parts if not hasattr(part, "batches"))


def _key_of(owner: str, name: str, root: Any) -> str:
    token = root.token if isinstance(root, Record) else ""
    # Some share a key.
    return f"{owner} {name} {len(token) if len(token) % 3 == 0 else token}"


def _batch(field: Any, owner: str, name: str, is_at_hand: bool) -> None:
    class Batch:
        finish = None
        at_hand = f"{name}_at_hand" if is_at_hand else None

        def loader(self, context: Any) -> Any:
            return context.loader

        def key(self, root: Any, context: Any) -> Any:
            return _key_of(owner, name, root)

    field.base_resolver.wrapped_func.batch = Batch()


def _stable(field: Any) -> None:
    field.base_resolver.wrapped_func.is_stable = True


def _record_class(name: str, graphql_type: Any, drawn: random.Random) -> type[Record]:
    definition = graphql_type.__strawberry_definition__
    members: dict[str, Any] = {"type_name": name}
    for field in definition.fields:
        if field.base_resolver is None:
            members[field.python_name] = _reader(name, field.python_name)
            continue
        at_hand = getattr(getattr(field.base_resolver.wrapped_func, "batch", None), "at_hand", None)
        if at_hand is not None:
            members[at_hand] = _at_hand_reader(name, at_hand.removesuffix("_at_hand"))
    if drawn.randrange(2):
        members["__slots__"] = ()
    made = type(name, (KeepingRecord if drawn.randrange(4) else Record,), members)

    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, made)

    if drawn.randrange(2):
        is_type_of.by_class = True  # type: ignore[attr-defined]
    definition.is_type_of = is_type_of
    return made


def _reader(type_name: str, field_name: str) -> property:
    def read(self: Record) -> Any:
        return self.values.of_field(type_name, field_name, self.token, is_plain=True)

    return property(read)


def _at_hand_reader(type_name: str, field_name: str) -> property:
    """What the loader would give, for some records; never an exception."""

    def read(self: Record) -> Any:
        if random.Random(f"{self.values.seed} {self.token} {field_name} at hand").randrange(2):
            return None
        try:
            value = self.values.load_one(_key_of(type_name, field_name, self))
        except Exception:
            return None
        return None if isinstance(value, Exception) else value

    return property(read)
