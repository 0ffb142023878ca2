"""Accounts, their lists, and how the viewer stands to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import strawberry

from domain.errors import Refusal, RefusedError
from domain.paging import Connection, Edge, forward_page
from domain.records import NO_RELATION, FollowState, PostRecord, Relation, UserRecord, VisiblePost
from resolvers.arguments import After, First, Username
from resolvers.batched import batched
from resolvers.context import Info, OperationContext, given
from services.accounts.find_people import find_user
from services.accounts.update_profile import update_profile as update_profile_use_case
from services.graph.list_people import (
    list_blocked_users,
    list_follow_requests,
    list_followers,
    list_following,
    list_muted_users,
)
from services.media.choose_avatar import own_media_id
from services.posts.list_user_posts import list_user_posts

R = TypeVar("R", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class PeoplePayload:
    """The answer of a mutation on accounts; each payload type shows the part of it that it has."""

    user: UserRecord | None = None
    viewer: UserRecord | None = None
    user_errors: list[Refusal] = field(default_factory=list)


# ---------------------------------------------------------------- fields


def is_viewer(root: UserRecord, info: Info) -> bool:
    return root.id == info.context.viewer_id


def _relation_key(root: UserRecord, context: OperationContext) -> int | None:
    """None where it is known that there is none."""
    return root.id if context.viewer is not None and root.id != context.viewer_id else None


def _by_relation(tell: Callable[[Relation], Any]) -> Callable[[R], R]:
    """Marks a field that is told by how the viewer stands to the account."""
    return batched(
        loader=lambda context: context.loaders.relations,
        key=_relation_key,
        finish=lambda _root, relation, _context: tell(relation or NO_RELATION),
    )


async def _relation(root: UserRecord, info: Info) -> Relation:
    if info.context.viewer is None or is_viewer(root, info):
        return NO_RELATION
    return await info.context.loaders.relations.load(root.id)


def _follow_state(relation: Relation) -> FollowState:
    if relation.follows:
        return FollowState.FOLLOWING
    return FollowState.REQUESTED if relation.has_requested else FollowState.NOT_FOLLOWING


@_by_relation(_follow_state)
async def viewer_follow_state(root: UserRecord, info: Info) -> FollowState:
    return _follow_state(await _relation(root, info))


@_by_relation(lambda relation: relation.is_followed_by)
async def follows_viewer(root: UserRecord, info: Info) -> bool:
    return (await _relation(root, info)).is_followed_by


@_by_relation(lambda relation: relation if relation.follows else None)
async def viewer_follow(root: UserRecord, info: Info) -> Relation | None:
    relation = await _relation(root, info)
    return relation if relation.follows else None


@_by_relation(lambda relation: relation.is_muting)
async def viewer_is_muting(root: UserRecord, info: Info) -> bool:
    return (await _relation(root, info)).is_muting


@_by_relation(lambda relation: relation.muted_until)
async def viewer_muted_until(root: UserRecord, info: Info) -> datetime | None:
    return (await _relation(root, info)).muted_until


@_by_relation(lambda relation: relation.is_blocking)
async def viewer_is_blocking(root: UserRecord, info: Info) -> bool:
    return (await _relation(root, info)).is_blocking


async def posts(root: UserRecord, info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[PostRecord]:
    context = info.context
    page = await list_user_posts(
        context.backends, author_id=root.id, viewer_id=context.viewer_id, page=forward_page(first, given(after))
    )
    return to_post_connection(context, page)


async def followers(root: UserRecord, info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[UserRecord]:
    context = info.context
    return await list_followers(
        context.backends, user_id=root.id, viewer_id=context.viewer_id, page=forward_page(first, given(after))
    )


async def following(root: UserRecord, info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[UserRecord]:
    context = info.context
    return await list_following(
        context.backends, user_id=root.id, viewer_id=context.viewer_id, page=forward_page(first, given(after))
    )


def to_post_connection(context: OperationContext, page: Connection[VisiblePost]) -> Connection[PostRecord]:
    """The page as clients see it; what came with the posts is remembered."""
    context.loaders.remember_authors(edge.node for edge in page.edges)
    return Connection([Edge(edge.cursor, edge.node.post) for edge in page.edges], page.page_info)


# ---------------------------------------------------------------- queries


async def viewer(info: Info) -> UserRecord | None:
    viewer_id = info.context.viewer_id
    return await info.context.loaders.users.load(viewer_id) if viewer_id is not None else None


async def user(info: Info, username: Username) -> UserRecord | None:
    found = await find_user(info.context.backends, username, viewer_id=info.context.viewer_id)
    if found is not None:
        info.context.loaders.remember_user(found)
    return found


async def follow_requests(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[UserRecord]:
    viewer_id = info.context.require_viewer_id()
    page = forward_page(first, given(after))
    return await list_follow_requests(info.context.backends, viewer_id=viewer_id, page=page)


async def blocked_users(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[UserRecord]:
    viewer_id = info.context.require_viewer_id()
    return await list_blocked_users(info.context.backends, viewer_id=viewer_id, page=forward_page(first, given(after)))


async def muted_users(info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[UserRecord]:
    viewer_id = info.context.require_viewer_id()
    return await list_muted_users(info.context.backends, viewer_id=viewer_id, page=forward_page(first, given(after)))


# ---------------------------------------------------------------- mutations


async def update_profile(
    context: OperationContext,
    *,
    display_name: str | None,
    bio: str | None,
    is_private: bool | None,
    avatar_media_id: str | None = None,
) -> PeoplePayload:
    viewer_id = context.require_viewer_id()
    try:
        changed = await update_profile_use_case(
            context.backends,
            user_id=viewer_id,
            display_name=display_name,
            bio=bio,
            is_private=is_private,
            avatar_media_id=own_media_id(avatar_media_id) if avatar_media_id is not None else None,
        )
    except RefusedError as error:
        return PeoplePayload(user_errors=list(error.refusals))
    context.forget_loaded()
    context.loaders.remember_user(changed)
    return PeoplePayload(viewer=changed)
