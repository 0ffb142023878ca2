"""Notifications as clients see them, and what can be done with them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from domain.notifications import NotificationKind, NotificationRecord
from domain.paging import Connection, Edge
from resolvers import nodes, notifications
from resolvers.context import Info
from resolvers.notifications import NotificationsReadPayload
from schema.comments import Comment
from schema.inputs import INPUT
from schema.interfaces import Node, PageInfo, UserError
from schema.payloads import ERRORS
from schema.posts import Post
from schema.records import represents
from schema.users import User


@represents(NotificationRecord)
@strawberry.type(
    description="Something that others did and that concerns the viewer. Who did the same to the same post within 12 hours is "
    "in one group."
)
class Notification(Node):
    id = strawberry.field(resolver=nodes.notification_id, graphql_type=strawberry.ID, description="Opaque; the same for ever.")
    kind: NotificationKind = strawberry.field(description="What they did.")
    created_at: datetime = strawberry.field(description="When the group began.")
    is_read: bool = strawberry.field(description="Whether the viewer has read it; somebody new in it makes it unread again.")
    actors = strawberry.field(
        resolver=notifications.actors, graphql_type=list[User], description="Who did it, the newest first, at most 8."
    )
    actor_count: int = strawberry.field(description="How many did it.")
    post = strawberry.field(
        resolver=notifications.post,
        graphql_type=Post | None,
        description="What it is about; of a mention in a comment, the post under which it stands. Null where it is about none.",
    )
    comment = strawberry.field(
        resolver=notifications.comment,
        graphql_type=Comment | None,
        description="What the newest of them wrote under the post; null where it was no comment.",
    )


@represents(Edge)
@strawberry.type(description="A notification within a list.")
class NotificationEdge:
    cursor: str = strawberry.field(description="Goes on from here.")
    node: Notification = strawberry.field(description="The notification.")


@represents(Connection)
@strawberry.type(description="A page of notifications.")
class NotificationConnection:
    edges: list[NotificationEdge] = strawberry.field(description="The entries with their cursors.")
    nodes: list[Notification] = strawberry.field(description="The entries alone.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    unread_count = strawberry.field(
        resolver=notifications.unread_count, graphql_type=int, description="Of all that the viewer has; stops at 1,000."
    )


@strawberry.input(description="How far the viewer has read.")
class MarkNotificationsReadInput:
    notification_id: strawberry.ID = strawberry.field(description="The newest one that was read.")


@represents(NotificationsReadPayload)
@strawberry.type(description="The answer to markNotificationsRead.")
class MarkNotificationsReadPayload:
    unread_count: int | None = strawberry.field(description="How many are left; stops at 1,000.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _mark_notifications_read(
    info: Info,
    input: Annotated[MarkNotificationsReadInput, INPUT],  # noqa: A002 - the argument's public name
) -> NotificationsReadPayload:
    return await notifications.mark_notifications_read(info.context, input.notification_id)


@strawberry.type(description="What can be done with notifications.")
class NotificationMutations:
    mark_notifications_read = strawberry.mutation(
        resolver=_mark_notifications_read,
        graphql_type=MarkNotificationsReadPayload | None,
        description="Notes that a notification and all below it were read. Never moves backwards.",
    )
