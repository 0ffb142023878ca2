"""Which operations get the same answer for every receiver of an event, but for cursors (`live_templates.py`)."""

from __future__ import annotations

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from schema.build import graphql_core_schema

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
            "id", "author", "text", "entities", "location", "visibility", "createdAt", "editedAt",
            "likeCount", "commentCount", "shareCount", "isShare",
        }
    ),
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
    parent: GraphQLObjectType,
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
                if not _is_same(fragments[name].selection_set, parent, fragments, visited):
                    return False
        elif isinstance(selection, InlineFragmentNode):
            if not _is_same(selection.selection_set, parent, fragments, visited):
                return False
        elif isinstance(selection, FieldNode) and not _is_same_field(selection, parent, fragments, visited):
            return False
    return True


def _is_same_field(
    field: FieldNode,
    parent: GraphQLObjectType,
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
    return isinstance(inner, GraphQLObjectType) and _is_same(field.selection_set, inner, fragments, visited)
