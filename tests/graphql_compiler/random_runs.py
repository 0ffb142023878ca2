"""Random operations over random schemas, on both executors."""

from __future__ import annotations

import random
from dataclasses import dataclass

from graphql_compiler import CompiledOperations
from tests.graphql_compiler.compare import check_same
from tests.graphql_compiler.kept import kept_parts
from tests.graphql_compiler.random_operation import make_operation
from tests.graphql_compiler.random_schema import make_schema
from tests.graphql_compiler.random_values import Habits, Values

OPERATIONS = 80
"""Of one schema: one document is executed in WORLDS worlds."""
WORLDS = 8
ROUNDS = 3
"""By the compiler on the same records: noted, rendered, spliced."""


@dataclass(slots=True)
class Tally:
    operations: int = 0
    with_errors: int = 0
    nulled: int = 0
    batches: int = 0
    fewer_batches: int = 0
    kept: int = 0
    """Objects of records that were rendered once and spliced."""

    def add(self, other: Tally) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


async def run_schema(seed: int, count: int = OPERATIONS) -> Tally:
    """Compares operations over the schema of this seed. Raises AssertionError with what it was."""
    made = make_schema(seed)
    tally = Tally()
    operations = CompiledOperations(made.schema, compile_at=1)
    for number in range(count):
        drawn = random.Random(f"{seed} {number}")
        if number % WORLDS == 0:
            kind = "mutation" if drawn.randrange(5) == 0 else "query"
            operation = make_operation(made.schema._schema, f"{seed} {number}", kind=kind)
        habits = (
            Habits(0, 0, 0, awaitable_items=made.is_async)
            if drawn.randrange(3) == 0
            else Habits(
                null=drawn.choice([0, 20, 80]),
                raising=drawn.choice([0, 10, 50]),
                nonsense=drawn.choice([0, 10, 40]),
                awaitable_items=made.is_async,
            )
        )
        roots: list[Values] = []

        has_known = bool(drawn.randrange(2))

        def make_root(
            habits: Habits = habits, roots: list[Values] = roots, number: int = number, has_known: bool = has_known
        ) -> Values:
            roots.append(Values(made.schema._schema, number, made.records, habits, has_known=has_known))
            if len(roots) <= ROUNDS:
                roots[-1].made = roots[0].made
            return roots[-1]

        def last_root(roots: list[Values] = roots) -> Values:
            return roots[-1]

        try:
            answer = await check_same(
                made.schema,
                operation.document,
                make_root=make_root,
                make_context=last_root,
                variables=operation.variables,
                is_strict=not made.is_async,
                cancels_nothing=True,
                operations=operations,
                rounds=ROUNDS,
            )
            ours, theirs = roots[0].batches, roots[ROUNDS].batches
            if not answer.errors:
                assert {key for batch in ours for key in batch} <= {key for batch in theirs for key in batch}
                assert len(ours) <= len(theirs), (ours, theirs)
        except Exception as failure:
            failure.add_note(f"run_schema({seed}), operation {number}\n{operation.text}\n{operation.variables}\n{habits}")
            raise
        kept = sum(len(kept_parts(record)) for record in roots[0].made.values())
        tally.add(Tally(1, bool(answer.errors), answer.data is None, len(ours), len(theirs) - len(ours), kept))
    return tally
