"""What an operation is charged for: its root fields, however they are written."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse

from domain.limits import ADDRESS_FACTOR, MUTATION, MUTATIONS, QUERIES, QUERY, SUBSCRIPTION
from schema.build import graphql_core_schema
from schema.documents import RequestError
from schema.execution import Engine
from schema.limits import MAX_FIELDS, MAX_ROOT_MUTATIONS
from schema.root_fields import count_root_fields, fragments_of


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ viewer { id } }", {"viewer": 1}),
        ("{ a: viewer { id } b: viewer { id } }", {"viewer": 2}),
        ("{ viewer { id } viewer { username } }", {"viewer": 1}),
        ("{ ...F ...F } fragment F on Query { viewer { id } ...G } fragment G on Query { x: viewer { id } }", {"viewer": 2}),
        ("{ ... { feed { nodes { id } } ... on Query { viewer { id } } } }", {"feed": 1, "viewer": 1}),
        ("{ ...F } fragment F on Query { ...F viewer { id } }", {"viewer": 1}),
        ("{ a: viewer @skip(if: true) { id } }", {"viewer": 1}),
    ],
)
def test_root_fields(query: str, expected: dict[str, int]) -> None:
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert count_root_fields(operation, fragments_of(document)) == expected


def test_fragments_do_not_hide_mutations() -> None:
    fields = " ".join(f'm{number}: unmuteUser(input: {{userId: "x"}}) {{ userErrors {{ code }} }}' for number in range(6))
    assert MAX_ROOT_MUTATIONS == 5
    for query in (f"mutation {{ {fields} }}", f"mutation {{ ...F }} fragment F on Mutation {{ {fields} }}"):
        with pytest.raises(RequestError) as refused:
            Engine(has_introspection=True).prepare(query, None, None)
        assert refused.value.errors[0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"


def test_every_mutation_has_a_budget() -> None:
    mutations = graphql_core_schema().mutation_type
    assert mutations is not None
    assert [name for name in mutations.fields if name not in MUTATIONS] == []


def test_every_operation_can_be_paid() -> None:
    assert all(budget.burst >= MAX_ROOT_MUTATIONS for budget in MUTATIONS.values())
    assert min(QUERY.burst, SUBSCRIPTION.burst) >= MAX_FIELDS
    assert all(budget.burst <= MUTATION.burst for budget in MUTATIONS.values())


def test_budgets_have_one_name_each() -> None:
    budgets = [*MUTATIONS.values(), *QUERIES.values(), MUTATION, QUERY, SUBSCRIPTION]
    assert len({budget.name for budget in budgets}) == len(budgets)
    assert all(MUTATIONS[name].name == name for name in MUTATIONS)
    assert QUERY.for_address().burst == ADDRESS_FACTOR * QUERY.burst
    assert QUERY.for_address().interval_us * ADDRESS_FACTOR == QUERY.interval_us
