"""How large an operation may be: one pass over the document, each fragment looked at once.

The usual limiters expand fragments wherever they are spread, which doubles their work with every level: 700 bytes keep a server
busy for seconds. Here a fragment's measure is remembered, so the work is linear in the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from domain.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from schema.errors import TOO_COMPLEX
from schema.root_fields import count_root_fields, fragments_of

MAX_DEPTH = 10
"""Levels of fields, as deep as posts → author → their posts may sensibly go."""
MAX_FIELDS = 500
"""Fields, with fragments counted wherever they are spread."""
MAX_SAME_FIELD = 15
"""How often one selection may ask for the same field under different aliases."""
MAX_ROOT_MUTATIONS = 5
MAX_NODES = 10_000
"""Entries that all lists together could return."""

_LIST_ARGUMENTS = ("first", "last")
# The lists within an edge or node list are those of one entry, so only fields with page arguments multiply.
PAGED = frozenset(
    {
        "feed", "missedFeedEvents", "posts", "followers", "following", "followRequests", "blockedUsers", "mutedUsers",
        "followedHashtags", "sharers", "comments", "likers", "bookmarks", "notifications",
        "searchUsers", "searchPosts", "trendingHashtags", "suggestedUsers",
    }
)  # fmt: skip
_LARGE_LISTS = {"missedFeedEvents": (100, 1_000), "trendingHashtags": (10, 100), "suggestedUsers": (10, 100)}
"""Page sizes that differ from the others': left out, and at most."""


@dataclass(frozen=True, slots=True)
class _Measure:
    depth: int
    fields: int
    nodes: int


_KNOWN_SIZES = 64
"""Combinations of page sizes that are remembered of a document."""
_LEFT_OUT = "left out"


class _TooComplexError(Exception):
    pass


def check_size(document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> GraphQLError | None:
    """None, or the error QUERY_TOO_COMPLEX. The document must be valid (no fragment cycles)."""
    fragments = fragments_of(document)
    try:
        measure = _Counter(fragments, variables).of_selection(operation.selection_set)
        if operation.operation.value == "mutation" and count_root_fields(operation, fragments).total() > MAX_ROOT_MUTATIONS:
            raise _TooComplexError(f"more than {MAX_ROOT_MUTATIONS} mutations in one operation")
        if measure.depth > MAX_DEPTH:
            raise _TooComplexError(f"nested more than {MAX_DEPTH} levels deep")
        if measure.fields > MAX_FIELDS:
            raise _TooComplexError(f"more than {MAX_FIELDS} fields")
        if measure.nodes > MAX_NODES:
            raise _TooComplexError(f"could return {measure.nodes} entries, more than {MAX_NODES}")
    except _TooComplexError as problem:
        return GraphQLError(f"the operation is too large: {problem}", extensions={"code": TOO_COMPLEX})
    return None


class SizeChecks:
    """`check_size` for the operations of one document. A size hangs on nothing but the variables that page sizes name."""

    def __init__(self, document: DocumentNode) -> None:
        self._document = document
        self._sizes = _size_variables(document)
        self._known: dict[tuple[object, ...], GraphQLError | None] = {}

    def check(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> GraphQLError | None:
        """As `check_size` says."""
        key = (id(operation), *(_as_size(variables, name) for name in self._sizes))
        if key in self._known:
            return self._known[key]
        problem = check_size(self._document, operation, variables)
        if len(self._known) < _KNOWN_SIZES:
            self._known[key] = problem
        return problem


def _size_variables(document: DocumentNode) -> list[str]:
    names: dict[str, None] = {}
    selections: list[Any] = [getattr(definition, "selection_set", None) for definition in document.definitions]
    while selections:
        selection_set = selections.pop()
        for selection in selection_set.selections if selection_set is not None else ():
            selections.append(getattr(selection, "selection_set", None))
            for argument in getattr(selection, "arguments", None) or ():
                if argument.name.value in _LIST_ARGUMENTS and isinstance(argument.value, VariableNode):
                    names[argument.value.name.value] = None
    return list(names)


def _as_size(variables: Mapping[str, Any], name: str) -> object:
    if name not in variables:
        return _LEFT_OUT
    value = variables[name]
    return value if isinstance(value, int) else None


class _Counter:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> None:
        self._fragments = fragments
        self._variables = variables
        self._known: dict[str, _Measure] = {}

    def of_selection(self, selection_set: SelectionSetNode) -> _Measure:
        depth = fields = nodes = 0
        names: dict[str, int] = {}
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                name = selection.name.value
                names[name] = names.get(name, 0) + 1
                if names[name] > MAX_SAME_FIELD:
                    raise _TooComplexError(f"the field {name} more than {MAX_SAME_FIELD} times in one selection")
                measure = self._of_field(selection)
            elif isinstance(selection, FragmentSpreadNode):
                measure = self._of_fragment(selection.name.value)
            else:
                measure = self.of_selection(selection.selection_set)  # type: ignore[attr-defined]
            depth = max(depth, measure.depth)
            fields += measure.fields
            nodes += measure.nodes
        return _Measure(depth, fields, nodes)

    def _of_field(self, field: FieldNode) -> _Measure:
        name = field.name.value
        if field.selection_set is None:
            return _Measure(1, 1, 0)
        if name in {"__schema", "__type"}:
            return _Measure(1, 1, 0)  # introspection has a rule of its own
        inner = self.of_selection(field.selection_set)
        if name in PAGED:
            size = self._page_size(field)
            return _Measure(inner.depth + 1, inner.fields + 1, size + size * inner.nodes)
        return _Measure(inner.depth + 1, inner.fields + 1, inner.nodes)

    def _of_fragment(self, name: str) -> _Measure:
        if name not in self._known:
            self._known[name] = self.of_selection(self._fragments[name].selection_set)
        return self._known[name]

    def _page_size(self, field: FieldNode) -> int:
        default, largest = _LARGE_LISTS.get(field.name.value, (DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE))
        for argument in field.arguments or ():
            if argument.name.value in _LIST_ARGUMENTS:
                value: Any = None
                if isinstance(argument.value, IntValueNode):
                    value = int(argument.value.value)
                elif isinstance(argument.value, VariableNode):
                    value = self._variables.get(argument.value.name.value, largest)
                if isinstance(value, int):
                    # Sizes out of range are refused later, with a better message.
                    return min(max(value, 1), largest)
        return default
