"""Which root fields an operation asks for, and how often: what it is charged for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The fragments of a document by name."""
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }


def count_root_fields(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Counter[str]:
    """How often each root field is asked for, under one name or many, directly or by fragments.

    Two selections of one response name are one field, as when they are executed. What `@skip` and `@include` leave out counts.
    """
    by_response_name: dict[str, str] = {}
    seen: set[str] = set()
    open_sets: list[SelectionSetNode] = [operation.selection_set]
    while open_sets:
        for selection in open_sets.pop().selections:
            if isinstance(selection, FieldNode):
                name = selection.name.value
                by_response_name[selection.alias.value if selection.alias else name] = name
            elif isinstance(selection, FragmentSpreadNode):
                fragment = fragments.get(selection.name.value)
                if fragment is not None and selection.name.value not in seen:
                    seen.add(selection.name.value)
                    open_sets.append(fragment.selection_set)
            else:
                open_sets.append(selection.selection_set)  # type: ignore[attr-defined]
    return Counter(by_response_name.values())
