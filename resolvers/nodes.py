"""Anything by its global id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import strawberry

from domain.comments import CommentRecord
from domain.errors import InvalidArgumentError
from domain.ids import from_global_id, to_global_id
from domain.media import MediaRecord
from domain.notifications import NotificationRecord
from domain.paging import MAX_PAGE_SIZE
from domain.records import HashtagRecord, PostRecord, UserRecord
from resolvers.arguments import NodeId, NodeIds
from resolvers.batched import stable
from resolvers.context import Info, OperationContext

_global_id = cast("Callable[[str, int], strawberry.ID]", to_global_id)
Record = UserRecord | PostRecord | HashtagRecord | CommentRecord | NotificationRecord | MediaRecord


@stable
def user_id(root: UserRecord) -> strawberry.ID:
    return _global_id("User", root.id)


@stable
def post_id(root: PostRecord) -> strawberry.ID:
    return _global_id("Post", root.id)


@stable
def hashtag_id(root: HashtagRecord) -> strawberry.ID:
    return _global_id("Hashtag", root.id)


@stable
def notification_id(root: NotificationRecord) -> strawberry.ID:
    return _global_id("Notification", root.id)


@stable
def comment_id(root: CommentRecord) -> strawberry.ID:
    return _global_id("Comment", root.id)


@stable
def media_id(root: MediaRecord) -> strawberry.ID:
    return _global_id("Media", root.id)


async def load_node(context: OperationContext, global_id: str) -> Record | None:
    """The thing itself; None for hidden, absent, foreign and malformed ids alike."""
    parts = from_global_id(global_id)
    if parts is None:
        return None
    type_name, number = parts
    if type_name == "User":
        return await context.loaders.users.load(number)
    if type_name == "Post":
        found = await context.loaders.posts.load(number)
        return found.post if found is not None else None
    if type_name == "Hashtag":
        return await context.loaders.hashtags.load(number)
    if type_name == "Notification" and context.viewer is not None:
        return await context.loaders.notifications.load(number)
    if type_name == "Comment":
        return await context.loaders.comments.load(number)
    if type_name == "Media":
        return await context.loaders.media.load(number)
    return None


async def node(info: Info, id: NodeId) -> Record | None:  # noqa: A002 - the argument's public name
    return await load_node(info.context, id)


async def nodes(info: Info, ids: NodeIds) -> list[Record | None]:
    if len(ids) > MAX_PAGE_SIZE:
        raise InvalidArgumentError(f"ids: at most {MAX_PAGE_SIZE} at once")
    return list(await asyncio.gather(*(load_node(info.context, global_id) for global_id in ids)))
