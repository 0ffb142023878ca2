"""From text to a valid document, remembered: parsing and validating costs a third of a plain feed query."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

from schema.build import graphql_core_schema
from schema.errors import PARSE_FAILED, VALIDATION_FAILED, format_error
from schema.limits import SizeChecks
from schema.root_fields import count_root_fields, fragments_of

MAX_TOKENS = 2_000
MAX_ERRORS = 5
CACHED_DOCUMENTS = 500


class RequestError(Exception):
    """The request cannot be executed at all; `errors` are in their public form."""

    def __init__(self, *errors: dict[str, Any]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = list(errors)


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document with its operations, and how often each of them asks for which root field."""

    ast: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    root_fields: dict[str | None, Mapping[str, int]]
    sizes: SizeChecks
    field_names: frozenset[str] = frozenset()
    """Of all fields that it names anywhere."""

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to execute. Raises RequestError where the name does not tell which."""
        if name is None:
            if len(self.operations) == 1:
                return next(iter(self.operations.values()))
            raise RequestError({"message": "name the operation to execute", "extensions": {"code": "BAD_REQUEST"}})
        found = self.operations.get(name)
        if found is None:
            raise RequestError({"message": "there is no operation of that name", "extensions": {"code": "BAD_REQUEST"}})
        return found


class Documents:
    """Parses and validates, and remembers the last CACHED_DOCUMENTS results, failures too."""

    def __init__(self, *, has_introspection: bool) -> None:
        self._rules = [*specified_rules]
        if not has_introspection:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self._known: OrderedDict[str, Document | RequestError] = OrderedDict()

    def get(self, query: str) -> Document:
        """The valid document. Raises RequestError: GRAPHQL_PARSE_FAILED, GRAPHQL_VALIDATION_FAILED."""
        known = self._known.get(query)
        if known is None:
            known = self._prepare(query)
            self._known[query] = known
            if len(self._known) > CACHED_DOCUMENTS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(query)
        if isinstance(known, RequestError):
            raise RequestError(*known.errors)
        return known

    def _prepare(self, query: str) -> Document | RequestError:
        try:
            document = parse(query, max_lexical_tokens=MAX_TOKENS)
        except GraphQLSyntaxError as failure:
            return RequestError(format_error(failure, default_code=PARSE_FAILED))
        except RecursionError:
            return RequestError(format_error(GraphQLError("nested too deeply"), default_code=PARSE_FAILED))
        # Finding out whether fields of the same name can be merged takes quadratic time, so their number is bounded first.
        if _field_count(document) > MAX_TOKENS // 2:
            return RequestError(format_error(GraphQLError("too many fields"), default_code="QUERY_TOO_COMPLEX"))
        failures = validate(graphql_core_schema(), document, rules=self._rules, max_errors=MAX_ERRORS, hide_suggestions=True)
        if failures:
            return RequestError(*(format_error(failure, default_code=VALIDATION_FAILED) for failure in failures[:MAX_ERRORS]))
        operations = {
            definition.name.value if definition.name else None: definition
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
        }
        fragments = fragments_of(document)
        return Document(
            document,
            operations,
            {name: count_root_fields(operation, fragments) for name, operation in operations.items()},
            SizeChecks(document),
            _field_names(document),
        )


def _field_names(document: DocumentNode) -> frozenset[str]:
    return frozenset(field.name.value for field in _fields(document))


def _field_count(document: DocumentNode) -> int:
    return sum(1 for _ in _fields(document))


def _fields(document: DocumentNode) -> Iterator[FieldNode]:
    open_sets: list[Any] = [getattr(definition, "selection_set", None) for definition in document.definitions]
    while open_sets:
        selection_set = open_sets.pop()
        if selection_set is None:
            continue
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                yield selection
            open_sets.append(getattr(selection, "selection_set", None))
