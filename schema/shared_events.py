"""Which operations get the same answer for every receiver of an event, but for cursors (`live_templates.py`)."""

from __future__ import annotations

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from schema.build import graphql_core_schema

_Composite = GraphQLObjectType | GraphQLInterfaceType

# Fields whose value is the same for every receiver of one event, but for the cursors. What is not listed is executed for each.
_SAME_FOR_ALL: dict[str, frozenset[str]] = {
    "Subscription": frozenset({"newPosts", "feedEvents"}),
    "FeedEvent": frozenset({"cursor"}),
    "PostAdded": frozenset({"cursor", "edge"}),
    "PostChanged": frozenset({"cursor", "post"}),
    "PostRemoved": frozenset({"cursor", "postId"}),
    "FeedReset": frozenset({"cursor", "reason"}),
    "Heartbeat": frozenset({"cursor"}),
    "FeedEdge": frozenset({"cursor", "node", "reasons", "score", "rankingFactors"}),
    "FeedReason": frozenset({"kind", "delivery", "users", "userCount", "hashtag"}),
    "Hashtag": frozenset({"id", "name", "postCount"}),
    "RankingFactor": frozenset({"name", "value", "contribution"}),
    "Post": frozenset(
        {
            "id", "author", "text", "entities", "media", "location", "visibility", "createdAt", "editedAt",
            "likeCount", "commentCount", "shareCount", "isShare",
        }
    ),
    "Media": frozenset({"id", "kind", "state", "url", "thumbnailUrl", "width", "height", "altText"}),
    "TextEntity": frozenset({"kind", "start", "end", "text", "url"}),
    "Location": frozenset({"name", "latitude", "longitude"}),
    "User": frozenset(
        {
            "id", "username", "displayName", "bio", "avatarUrl", "isVerified", "isPrivate", "createdAt",
            "followerCount", "followingCount", "postCount",
        }
    ),
}  # fmt: skip


def is_same_for_all(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Whether an operation asks for nothing that depends on the viewer but cursors.

    Directives rule it out: they may hang on variables, and so on the client.
    """
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    subscription = graphql_core_schema().subscription_type
    return subscription is not None and _is_same(operation.selection_set, subscription, fragments, set())


def _is_same(
    selection_set: SelectionSetNode,
    parent: _Composite,
    fragments: dict[str, FragmentDefinitionNode],
    visited: set[tuple[str, str]],
) -> bool:
    for selection in selection_set.selections:
        if selection.directives:
            return False
        if isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if (parent.name, name) not in visited:
                visited.add((parent.name, name))
                fragment = fragments[name]
                if not _is_same(fragment.selection_set, _narrowed(parent, fragment.type_condition), fragments, visited):
                    return False
        elif isinstance(selection, InlineFragmentNode):
            narrowed = _narrowed(parent, selection.type_condition)
            if not _is_same(selection.selection_set, narrowed, fragments, visited):
                return False
        elif isinstance(selection, FieldNode) and not _is_same_field(selection, parent, fragments, visited):
            return False
    return True


def _narrowed(parent: _Composite, condition: NamedTypeNode | None) -> _Composite:
    """The type whose fields a fragment names."""
    named = graphql_core_schema().type_map.get(condition.name.value) if condition is not None else None
    return named if isinstance(named, GraphQLObjectType | GraphQLInterfaceType) else parent


def _is_same_field(
    field: FieldNode,
    parent: _Composite,
    fragments: dict[str, FragmentDefinitionNode],
    visited: set[tuple[str, str]],
) -> bool:
    name = field.name.value
    if name == "__typename":
        return True
    if name not in _SAME_FOR_ALL.get(parent.name, ()):
        return False
    if field.selection_set is None:
        return True
    inner = get_named_type(parent.fields[name].type)
    is_composite = isinstance(inner, GraphQLObjectType | GraphQLInterfaceType)
    return is_composite and _is_same(field.selection_set, inner, fragments, visited)
