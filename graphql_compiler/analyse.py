"""From a valid operation to the shape of its answer, or to the reason why it is not compiled.

Which fields an object has, and in which order, is graphql-core's own CollectFields; it is asked once for each set of values of
the variables that `@include` and `@skip` hang on.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FragmentDetails, GroupedFieldSet, collect_fields, collect_subfields
from graphql.execution.values import VariableValues
from strawberry.extensions import SchemaExtension
from strawberry.schema import Schema

from graphql_compiler.answers import Answer, Typename, find_answer
from graphql_compiler.failures import NotCompilableError
from graphql_compiler.shape import Field, Position

MAX_POSITIONS = 5_000
_CONDITIONS = ("include", "skip")
_FOREIGN_DIRECTIVES = frozenset({"defer", "stream", "experimental_disableErrorPropagation"})


def check_schema(schema: Schema) -> None:
    """Raises NotCompilableError where nothing of this schema can be compiled."""
    for extension in schema.extensions:
        extension_class = extension if isinstance(extension, type) else type(extension)
        if getattr(extension_class, "resolve", None) is not SchemaExtension.resolve:
            raise NotCompilableError(f"the schema extension {extension_class.__name__} has a resolve hook")


def condition_variables(document: DocumentNode, operation: OperationDefinitionNode) -> tuple[str, ...]:
    """The variables on which `@include` and `@skip` hang. Raises NotCompilableError for directives that change execution."""
    found: dict[str, None] = {}
    open_nodes: list[Any] = [operation, *(each for each in document.definitions if isinstance(each, FragmentDefinitionNode))]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, FragmentDefinitionNode) and node.variable_definitions:
            raise NotCompilableError("fragment variables")
        for directive in node.directives or ():
            name = directive.name.value
            if name in _FOREIGN_DIRECTIVES:
                raise NotCompilableError(f"@{name}")
            if name in _CONDITIONS and isinstance(node, FieldNode | FragmentSpreadNode | InlineFragmentNode):
                for argument in directive.arguments or ():
                    if isinstance(argument.value, VariableNode):
                        found[argument.value.name.value] = None
        selection_set: SelectionSetNode | None = getattr(node, "selection_set", None)
        if selection_set is not None:
            open_nodes.extend(selection_set.selections)
    return tuple(found)


class Analysis:
    """Builds the shape of one operation, with the variables of its conditions known."""

    def __init__(
        self,
        schema: Schema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: Mapping[str, bool],
        *,
        hide_suggestions: bool,
    ) -> None:
        self._strawberry_schema = schema
        self._schema = schema._schema
        self._operation = operation
        self._variables = VariableValues({}, dict(conditions))
        self._hide_suggestions = hide_suggestions
        self.count = 0
        self.fragment_definitions = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._fragments = {name: FragmentDetails(each) for name, each in self.fragment_definitions.items()}

    def root_fields(self) -> list[Field]:
        """The shape. Raises NotCompilableError."""
        root_type = self._schema.get_root_type(self._operation.operation)
        if root_type is None:
            raise NotCompilableError("no root type")
        try:
            collected = collect_fields(
                self._schema, self._fragments, self._variables, root_type, self._operation, self._hide_suggestions
            )
            return self._fields(root_type, collected.grouped_field_set, None)
        except RecursionError:
            raise NotCompilableError("nested too deeply") from None

    def _fields(self, parent_type: GraphQLObjectType, grouped: GroupedFieldSet, parent: Position | None) -> list[Field]:
        fields = []
        for response_name, details in grouped.items():
            node = details[0].node
            name = node.name.value
            definition = self._schema.get_field(parent_type, name)
            if definition is None:
                raise NotCompilableError(f"no field {name}")
            is_subscription_root = parent is None and self._operation.operation is OperationType.SUBSCRIPTION
            answer: Answer = Typename()
            if name != "__typename":
                answer = find_answer(
                    self._strawberry_schema,
                    parent_type,
                    definition,
                    node,
                    is_subscription_root=is_subscription_root,
                    hide_suggestions=self._hide_suggestions,
                )
            field = Field(
                response_name,
                details,
                [each.node for each in details],
                definition,
                parent_type,
                answer,
                definition.extensions.get("strawberry-definition"),
            )
            field.value = self._position(field, definition.type, parent, response_name)
            fields.append(field)
        return fields

    def _position(self, field: Field, type_: GraphQLOutputType, parent: Position | None, key: str | None) -> Position:
        self.count += 1
        if self.count > MAX_POSITIONS:
            raise NotCompilableError("too large")
        is_nullable = not is_non_null_type(type_)
        inner: GraphQLOutputType = type_ if is_nullable else type_.of_type  # type: ignore[union-attr]
        position = Position(self.count, field, inner, is_nullable, parent, key)
        if is_list_type(inner):
            position.item = self._position(field, inner.of_type, position, None)
        elif is_object_type(inner):
            self._add_object(position, inner)
        elif is_abstract_type(inner):
            _check_type_function(inner)
            for each in self._schema.get_possible_types(inner):
                self._add_object(position, each)
        return position

    def _add_object(self, position: Position, type_: GraphQLObjectType) -> None:
        if inspect.iscoroutinefunction(type_.is_type_of):
            raise NotCompilableError(f"{type_.name}: an async is_type_of")
        collected = collect_subfields(
            self._schema,
            self._fragments,
            self._variables,
            self._operation,
            type_,
            position.field.details,
            self._hide_suggestions,
        )
        position.objects[type_.name] = self._fields(type_, collected.grouped_field_set, position)


def _check_type_function(type_: GraphQLInterfaceType | GraphQLUnionType) -> None:
    if inspect.iscoroutinefunction(type_.resolve_type):
        raise NotCompilableError(f"{type_.name}: an async resolve_type")
