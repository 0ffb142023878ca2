"""Posts: their fields, lookups and mutations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import strawberry

from domain.errors import Refusal, RefusalCode, RefusedError, refused
from domain.feed import FeedEntry
from domain.ids import local_id, to_global_id
from domain.paging import Connection, forward_page
from domain.records import LocationRecord, PostRecord, TextEntityRecord, UserRecord, Visibility
from resolvers.arguments import After, First, NodeId
from resolvers.batched import batched, stable
from resolvers.context import Info, OperationContext, given
from services.feeds.find_feed_entry import find_feed_entry
from services.idempotency.answer_once import ResultGoneError
from services.media.attach_media import check_media_ids
from services.posts.delete_post import delete_post as delete_post_use_case
from services.posts.edit_post import edit_post
from services.posts.list_sharers import list_sharers
from services.posts.publish_post import publish_post
from services.posts.share_post import share_post as share_post_use_case
from services.posts.text_entities import to_records
from services.posts.unshare_post import unshare_post as unshare_post_use_case


@dataclass(frozen=True, slots=True)
class PostPayload:
    """The answer of a mutation on posts; each payload type shows the part of it that it has."""

    post: PostRecord | None = None
    shared_post: PostRecord | None = None
    deleted_post_id: str | None = None
    user_errors: list[Refusal] = field(default_factory=list)


# ---------------------------------------------------------------- fields


@batched(loader=lambda context: context.loaders.users, key="author_id", at_hand="known_author")
async def author(root: PostRecord, info: Info) -> UserRecord | None:
    """A visible post's author is visible: null would be a fault of ours, and is told as one."""
    return root.known_author or await info.context.loaders.users.load(root.author_id)


@stable
def entities(root: PostRecord) -> list[TextEntityRecord]:
    return to_records(root.entity_rows)


@batched(loader=lambda context: context.loaders.users, key="user_id")
async def mentioned_user(root: TextEntityRecord, info: Info) -> UserRecord | None:
    return await info.context.loaders.users.load(root.user_id) if root.user_id is not None else None


def is_own(root: PostRecord, info: Info) -> bool:
    return root.author_id == info.context.viewer_id


def can_edit(root: PostRecord, info: Info) -> bool:
    return is_own(root, info) and not root.is_plain_share


@batched(
    loader=lambda context: context.loaders.shared_roots if context.viewer is not None else None,
    key="root_id",
    finish=lambda _root, has_shared, _context: has_shared or False,
)
async def viewer_has_shared(root: PostRecord, info: Info) -> bool:
    return info.context.viewer_id is not None and await info.context.loaders.shared_roots.load(root.root_id)


@batched(
    loader=lambda context: context.loaders.posts,
    key="shared_post_id",
    finish=lambda _root, found, _context: found.post if found is not None else None,
)
async def shared_post(root: PostRecord, info: Info) -> PostRecord | None:
    return await _visible(info.context, root.shared_post_id)


async def sharers(root: PostRecord, info: Info, first: First = 20, after: After = strawberry.UNSET) -> Connection[UserRecord]:
    context = info.context
    return await list_sharers(
        context.backends, root_id=root.root_id, viewer_id=context.viewer_id, page=forward_page(first, given(after))
    )


async def _visible(context: OperationContext, post_id: int | None) -> PostRecord | None:
    found = await context.loaders.posts.load(post_id) if post_id is not None else None
    return found.post if found is not None else None


# ---------------------------------------------------------------- queries


async def post(info: Info, id: NodeId) -> PostRecord | None:  # noqa: A002 - the argument's public name
    return await _visible(info.context, local_id(id, "Post"))


# ---------------------------------------------------------------- mutations


async def create_post(
    context: OperationContext,
    *,
    body: str,
    visibility: Visibility,
    location: LocationRecord | None,
    idempotency_key: str | None,
    media_ids: Sequence[str] = (),
) -> PostPayload:
    viewer_id = context.require_viewer_id()
    try:
        made = await publish_post(
            context.backends,
            author_id=viewer_id,
            body=body,
            visibility=visibility,
            location=location,
            idempotency_key=idempotency_key,
            media_ids=check_media_ids([local_id(media_id, "Media") for media_id in media_ids]),
        )
    except RefusedError as error:
        return PostPayload(user_errors=list(error.refusals))
    except ResultGoneError:
        return PostPayload()
    context.forget_loaded()
    return PostPayload(post=made)


async def feed_edge(root: PostPayload, info: Info) -> FeedEntry | None:
    """Asked for apart: most clients show what they have sent, and it costs several times the post itself."""
    if root.post is None or info.context.viewer_id is None:
        return None
    entry = await find_feed_entry(info.context.backends, viewer_id=info.context.viewer_id, post_id=root.post.id)
    if entry is not None:
        info.context.loaders.remember_user(entry.facts.author)
    return entry


async def update_post(
    context: OperationContext, *, post_id: str, body: str | None, visibility: Visibility | None
) -> PostPayload:
    viewer_id = context.require_viewer_id()
    try:
        changed = await edit_post(
            context.backends, author_id=viewer_id, post_id=_post(post_id), body=body, visibility=visibility
        )
    except RefusedError as error:
        return PostPayload(user_errors=list(error.refusals))
    context.forget_loaded()
    return PostPayload(post=changed)


async def delete_post(context: OperationContext, *, post_id: str) -> PostPayload:
    viewer_id = context.require_viewer_id()
    try:
        number = _post(post_id)
        await delete_post_use_case(context.backends, author_id=viewer_id, post_id=number)
    except RefusedError as error:
        return PostPayload(user_errors=list(error.refusals))
    context.forget_loaded()
    return PostPayload(deleted_post_id=to_global_id("Post", number))


async def share_post(context: OperationContext, *, post_id: str, body: str, idempotency_key: str | None) -> PostPayload:
    viewer_id = context.require_viewer_id()
    try:
        share = await share_post_use_case(
            context.backends, author_id=viewer_id, post_id=_post(post_id), body=body, idempotency_key=idempotency_key
        )
    except RefusedError as error:
        return PostPayload(user_errors=list(error.refusals))
    except ResultGoneError:
        return PostPayload()
    context.forget_loaded()
    return PostPayload(post=share, shared_post=await _visible(context, share.shared_post_id))


async def unshare_post(context: OperationContext, *, post_id: str) -> PostPayload:
    viewer_id = context.require_viewer_id()
    try:
        share = await unshare_post_use_case(context.backends, author_id=viewer_id, post_id=_post(post_id))
    except RefusedError as error:
        return PostPayload(user_errors=list(error.refusals))
    context.forget_loaded()
    shared = await _visible(context, share.shared_post_id)
    return PostPayload(deleted_post_id=to_global_id("Post", share.id), shared_post=shared)


def _post(global_id: str) -> int:
    number = local_id(global_id, "Post")
    if number is None:
        raise refused(RefusalCode.NOT_FOUND, "there is no such post", "postId")
    return number
