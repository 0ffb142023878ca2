"""One rendering of an event for all who receive it.

A post by somebody with a thousand connected followers is one event with a thousand receivers, who mostly run the same
operation. Where the operation asks for nothing that depends on the viewer, the answer differs in the two sealed cursors alone:
it is executed once, with marks in the cursors' places, and each receiver's own cursors are put in as text. Everything else is
executed for each.

Whether a viewer may see the event has been judged before, for each viewer; nothing here decides that.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson
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
from services.feeds.wire_events import NewPost

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

# Unguessable, so that no text that somebody wrote can hold them; hexadecimal, so that JSON does not change them.
_EVENT_MARK = secrets.token_hex(16)
_EDGE_MARK = secrets.token_hex(16)

Execute = Callable[[NewPost], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class RenderedResponse:
    """An answer with data and without errors, as JSON text."""

    json: str


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


async def render_once(event: NewPost, operation: OperationDefinitionNode, execute: Execute) -> RenderedResponse | None:
    """The event's answer with this receiver's cursors; executed by the first receiver, awaited by the others.

    None where the execution had errors: then each receiver executes for itself, and gets its own.
    """
    known = event.shared.get(id(operation))
    if known is None:
        # The operation is kept beside the rendering: its address stands for it only as long as it lives.
        known = (operation, asyncio.ensure_future(_render(event, execute)))
        event.shared[id(operation)] = known
    # Shielded: a receiver who leaves must not take the rendering away from the others.
    template = await asyncio.shield(known[1])
    if template is None:
        return None
    return RenderedResponse(template.replace(_EVENT_MARK, event.cursor).replace(_EDGE_MARK, event.edge.cursor))


async def _render(event: NewPost, execute: Execute) -> str | None:
    response = await execute(replace(event, cursor=_EVENT_MARK, edge=replace(event.edge, cursor=_EDGE_MARK)))
    return None if "errors" in response else orjson.dumps(response).decode()
