"""Lists that are answered by columns: the same as item by item, and as graphql-core, whatever stands in them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import strawberry
from aiodataloader import DataLoader

from graphql_compiler import CompiledOperations, columns, writer
from tests.graphql_compiler.compare import check_same


@dataclass
class Batch:
    loader: Callable[[Any], Any]
    key: str
    finish: Callable[[Any, Any, Any], Any] | None = None
    finish_name: str | None = None
    is_many: bool = False
    at_hand: str | None = None


@dataclass(eq=False, slots=True)
class Record:
    """Odd values are not of the class that the schema says."""

    number: Any
    name: Any
    flag: Any
    maybe: Any
    owner_id: Any
    mark_id: Any
    boss: Any = None
    rendered_json: tuple[Any, ...] | None = field(default=None, init=False, repr=False, compare=False)


@dataclass(eq=False)
class Edge:
    cursor: Any
    node: Any

    @property
    def risky(self) -> Any:
        if self.cursor == "raises":
            raise LookupError(self.cursor)
        return self.cursor


@dataclass(frozen=True)
class Mark:
    is_set: Any


class KnowingLoader(DataLoader[int, Any]):
    def __init__(self, values: dict[int, Any], known: dict[int, Any]) -> None:
        super().__init__()
        self.values = values
        self.known = known

    async def batch_load_fn(self, keys: list[int]) -> list[Any]:
        await asyncio.sleep(0)
        return [self.values.get(key) for key in keys]

    def load(self, key: int) -> asyncio.Future[Any]:
        if key in self.known:
            self.prime(key, self.known[key])
        return super().load(key)


class Context:
    def __init__(self, world: World) -> None:
        self.owners = KnowingLoader(world.owners, {key: world.owners[key] for key in world.known_owners})
        self.marks = KnowingLoader(world.marks, {key: world.marks[key] for key in world.known_marks})


Info = strawberry.Info[Context, None]


async def _owner(root: Record, info: Info) -> Any:
    return await info.context.owners.load(root.owner_id) if root.owner_id is not None else None


async def _boss(root: Record, info: Info) -> Any:
    return root.boss if root.boss is not None else await _owner(root, info)


async def _is_marked(root: Record, info: Info) -> Any:
    found = await info.context.marks.load(root.mark_id) if root.mark_id is not None else None
    return found.is_set if found is not None else False


async def _weight(root: Record, info: Info) -> Any:
    found = await info.context.marks.load(root.mark_id) if root.mark_id is not None else None
    return _weigh(root, found, info.context)


def _weigh(root: Record, found: Mark | None, _context: Context) -> int:
    return 12 // root.number if found is not None else 0


def _code(root: Record) -> str:
    return f"code {root.number}"


def _set(root: Any, found: Mark | None, _context: Any) -> Any:
    return found.is_set if found is not None else False


_owner.batch = Batch(lambda context: context.owners, "owner_id")  # type: ignore[attr-defined]
_boss.batch = Batch(lambda context: context.owners, "owner_id", at_hand="boss")  # type: ignore[attr-defined]
_is_marked.batch = Batch(lambda context: context.marks, "mark_id", _set, "is_set")  # type: ignore[attr-defined]
_weight.batch = Batch(lambda context: context.marks, "mark_id", _weigh)  # type: ignore[attr-defined]
_code.is_stable = True  # type: ignore[attr-defined]


@strawberry.type
class Thing:
    number: int
    name: str
    flag: bool
    maybe: str | None
    code: str = strawberry.field(resolver=_code)
    owner = strawberry.field(resolver=_owner, graphql_type="Thing")
    boss = strawberry.field(resolver=_boss, graphql_type="Thing")
    is_marked = strawberry.field(resolver=_is_marked, graphql_type=bool)
    weight = strawberry.field(resolver=_weight, graphql_type=int)


@strawberry.type
class ThingEdge:
    cursor: str
    risky: str
    node: Thing


@strawberry.type
class Page:
    edges: list[ThingEdge] | None
    nodes: list[Thing] | None


@strawberry.type
class Query:
    page: Page | None


schema = strawberry.Schema(query=Query)


@dataclass
class World:
    """Records that outlive a request, as those of a process do; `oddity`: the chance that a value is not as usual."""

    chance: Random
    oddity: float
    records: list[Record] = field(default_factory=list)
    owners: dict[int, Any] = field(default_factory=dict)
    marks: dict[int, Any] = field(default_factory=dict)
    known_owners: list[int] = field(default_factory=list)
    known_marks: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = self.chance
        self.owners = {key: self.record(key) for key in range(1, 6)}
        self.marks = {key: Mark(self.odd(chance.random() < 0.5)) for key in range(1, 6)}
        self.known_owners = [key for key in self.owners if chance.random() > self.oddity]
        self.known_marks = [key for key in self.marks if chance.random() > self.oddity]
        self.records = [self.record(key) for key in range(10, 22)]
        for record in [*self.records, *self.owners.values()]:
            if isinstance(record, Record) and chance.random() > self.oddity:
                boss = self.odd(self.owners[chance.randrange(1, 6)])
                record.boss = None if isinstance(boss, Exception) else boss

    def odd(self, usual: Any) -> Any:
        if self.chance.random() >= self.oddity / 4:
            return usual
        return self.chance.choice([None, 5, 2**40, "text", True, 0.5, [], ValueError("odd"), Mark(True)])

    def record(self, number: int) -> Record:
        chance = self.chance
        return Record(
            self.odd(number),
            self.odd(f"name {number}"),
            self.odd(chance.random() < 0.5),
            chance.choice(["some", None]),
            self.odd(chance.randrange(1, 6)),
            self.odd(chance.randrange(1, 6)),
        )

    def edge(self) -> Any:
        usual = Edge(self.odd(f"cursor {self.chance.random()}"), self.odd(self.chance.choice(self.records)))
        if self.chance.random() < self.oddity / 8:
            usual.cursor = "raises"
        return self.odd(usual)

    def page(self) -> Any:
        size = self.chance.randrange(9)
        edges = [self.edge() for _ in range(size)]
        nodes = [self.odd(self.chance.choice(self.records)) for _ in range(self.chance.randrange(9))]
        return _Root(_Page(self.chance.choice([edges, tuple(edges)]), nodes))


@dataclass
class _Page:
    edges: Any
    nodes: Any


@dataclass
class _Root:
    page: Any


_LEAVES = ["number", "name", "flag", "maybe", "code", "isMarked", "weight", "__typename", "other: name"]


def thing_selection(chance: Random, depth: int = 2) -> str:
    picked = chance.sample(_LEAVES, chance.randrange(1, len(_LEAVES)))
    if depth and chance.random() < 0.6:
        name = chance.choice(["owner", "boss", "boss"])
        picked.insert(chance.randrange(len(picked) + 1), f"{name} {{ {thing_selection(chance, depth - 1)} }}")
    return " ".join(picked)


def query_of(chance: Random) -> str:
    edge = ["cursor", "__typename", f"node {{ {thing_selection(chance)} }}"]
    if chance.random() < 0.2:
        edge.append("risky")
    chance.shuffle(edge)
    picked = [f"edges {{ {' '.join(edge[: chance.randrange(1, len(edge) + 1)])} }}", f"nodes {{ {thing_selection(chance)} }}"]
    return f"{{ page {{ {' '.join(chance.sample(picked, chance.randrange(1, 3)))} }} }}"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often all items were answered so, some of them, or none. Short lists are, too."""
    counts = {"all": 0, "some": 0, "none": 0}
    build = columns._ColumnWriter.build

    def counting(self: Any, entry: str, made: Any) -> Any:
        answer = build(self, entry, made)

        def asked(*arguments: Any) -> Any:
            found = answer(*arguments)
            counts["none" if found is None else "all" if all(found) else "some"] += 1
            return found

        return asked

    monkeypatch.setattr(columns._ColumnWriter, "build", counting)
    monkeypatch.setattr(writer, "MIN_ITEMS", 1)
    return counts


# graphql-core leaves coroutines behind where a neighbour fails.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("oddity", [0.0, 0.02, 0.3])
async def test_lists_are_the_same_by_columns(counted: dict[str, int], oddity: float) -> None:
    chance = Random(int(oddity * 100))
    for _ in range(60):
        world, query = World(chance, oddity), query_of(chance)
        operations = CompiledOperations(schema, compile_at=1)
        for _ in range(5):
            # The same objects for both, and again: what was rendered of records is spliced from the third time on.
            root = world.page()
            await check_same(
                schema,
                query,
                make_root=lambda root=root: root,  # type: ignore[misc]
                make_context=lambda world=world: Context(world),  # type: ignore[misc]
                operations=operations,
                rounds=2,
                cancels_nothing=True,
            )
    assert counted["all"] > 50
    if oddity:
        assert counted["some"] or counted["none"]


async def test_awaitables_are_read_once(counted: dict[str, int]) -> None:
    """A property that gives coroutines has its columns switched off at the first one."""
    begun = []

    class Late:
        node = None

        @property
        def cursor(self) -> Any:
            async def value() -> str:
                begun.append(1)
                return "late"

            return value()

    operations = CompiledOperations(schema, compile_at=1)
    for _ in range(3):
        answer = await check_same(
            schema,
            "{ page { edges { cursor } } }",
            make_root=lambda: _Root(_Page([Late() for _ in range(6)], [])),
            operations=operations,
        )
        assert answer.data == {"page": {"edges": [{"cursor": "late"}] * 6}}
    assert sum(counted.values()) <= 2
