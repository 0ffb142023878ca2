"""Notifications: their fields, the list, what was read, and live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field

import strawberry

from domain.comments import CommentRecord
from domain.errors import Refusal, RefusalCode, RefusedError, UnavailableError, refused
from domain.ids import local_id
from domain.notifications import NotificationRecord
from domain.paging import Connection, forward_page
from domain.records import PostRecord, UserRecord
from resolvers.arguments import After, First
from resolvers.batched import batched
from resolvers.context import Info, OperationContext, given
from services.notifications.count_unread import count_unread
from services.notifications.list_notifications import list_notifications
from services.notifications.mark_notifications_read import mark_notifications_read as mark_read_use_case


@dataclass(frozen=True, slots=True)
class NotificationsReadPayload:
    """The answer of `markNotificationsRead`."""

    unread_count: int | None = None
    user_errors: list[Refusal] = field(default_factory=list)


# ---------------------------------------------------------------- fields


def _visible(_root: NotificationRecord, found: list[UserRecord | None], _context: OperationContext) -> list[UserRecord]:
    return [user for user in found if user is not None]


@batched(loader=lambda context: context.loaders.users, key="actor_ids", finish=_visible, is_many=True)
async def actors(root: NotificationRecord, info: Info) -> list[UserRecord]:
    return _visible(root, await info.context.loaders.users.load_many(list(root.actor_ids)), info.context)


@batched(
    loader=lambda context: context.loaders.posts,
    key="post_id",
    finish=lambda _root, found, _context: found.post if found is not None else None,
)
async def post(root: NotificationRecord, info: Info) -> PostRecord | None:
    found = await info.context.loaders.posts.load(root.post_id) if root.post_id is not None else None
    return found.post if found is not None else None


@batched(loader=lambda context: context.loaders.comments, key="comment_id")
async def comment(root: NotificationRecord, info: Info) -> CommentRecord | None:
    return await info.context.loaders.comments.load(root.comment_id) if root.comment_id is not None else None


async def unread_count(info: Info) -> int:
    return await count_unread(info.context.backends, viewer_id=info.context.require_viewer_id())


# ---------------------------------------------------------------- queries


async def notifications(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[NotificationRecord]:
    viewer_id = info.context.require_viewer_id()
    page = forward_page(first, given(after))
    return await list_notifications(info.context.backends, viewer_id=viewer_id, page=page)


# ---------------------------------------------------------------- mutations


async def mark_notifications_read(context: OperationContext, notification_id: str) -> NotificationsReadPayload:
    viewer_id = context.require_viewer_id()
    try:
        number = local_id(notification_id, "Notification")
        if number is None:
            raise refused(RefusalCode.NOT_FOUND, "there is no such notification", "notificationId")
        unread = await mark_read_use_case(context.backends, viewer_id=viewer_id, notification_id=number)
    except RefusedError as error:
        return NotificationsReadPayload(user_errors=list(error.refusals))
    context.forget_loaded()
    return NotificationsReadPayload(unread)


# ---------------------------------------------------------------- live


async def watch_notifications(info: Info) -> AsyncIterator[NotificationRecord]:
    context = info.context
    viewer_id = context.require_viewer_id()
    if context.notifications is None:
        raise UnavailableError("there are no live notifications here")
    async with aclosing(context.notifications.watch(viewer_id)) as groups:
        async for group in groups:
            yield group
