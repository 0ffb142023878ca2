"""What a viewer does about another account: follows, requests, blocks, mutes."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime

from domain.errors import RefusedError
from domain.ids import local_id
from resolvers.context import OperationContext
from resolvers.people import PeoplePayload
from services.graph import answer_follow_request as answering
from services.graph import block_user as blocking
from services.graph import follow_user as following
from services.graph import mute_user as muting
from services.graph import remove_follower as removing
from services.graph import unblock_user as unblocking
from services.graph import unfollow_user as unfollowing
from services.graph import unmute_user as unmuting
from services.graph import update_follow as updating

_NOBODY = 0
"""No account has this number: an id that is none goes the same way as one that is unknown."""


async def follow_user(context: OperationContext, user_id: str) -> PeoplePayload:
    viewer_id, other_id = _both_ids(context, user_id)
    work = following.follow_user(context.backends, follower_id=viewer_id, followee_id=other_id)
    return await _answer(context, other_id, work)


async def unfollow_user(context: OperationContext, user_id: str, *, keep_history: bool) -> PeoplePayload:
    viewer_id, other_id = _both_ids(context, user_id)
    work = unfollowing.unfollow_user(context.backends, follower_id=viewer_id, followee_id=other_id, keep_history=keep_history)
    return await _answer(context, other_id, work)


async def update_follow(
    context: OperationContext, user_id: str, *, close_friend: bool | None, hide_shares: bool | None, daily_limit: int | None
) -> PeoplePayload:
    viewer_id, other_id = _both_ids(context, user_id)
    work = updating.update_follow(
        context.backends,
        follower_id=viewer_id,
        followee_id=other_id,
        close_friend=close_friend,
        hide_shares=hide_shares,
        daily_limit=daily_limit,
    )
    return await _answer(context, other_id, work)


async def remove_follower(context: OperationContext, user_id: str) -> PeoplePayload:
    viewer_id, other_id = _both_ids(context, user_id)
    work = removing.remove_follower(context.backends, viewer_id=viewer_id, follower_id=other_id)
    return await _answer(context, other_id, work)


async def answer_follow_request(context: OperationContext, user_id: str, accept: bool) -> PeoplePayload:
    viewer_id, other_id = _both_ids(context, user_id)
    work = answering.answer_follow_request(context.backends, viewer_id=viewer_id, requester_id=other_id, accept=accept)
    return await _answer(context, other_id, work)


async def block_user(context: OperationContext, user_id: str) -> PeoplePayload:
    viewer_id, other_id = _both_ids(context, user_id)
    return await _answer(context, other_id, blocking.block_user(context.backends, viewer_id=viewer_id, user_id=other_id))


async def unblock_user(context: OperationContext, user_id: str) -> PeoplePayload:
    viewer_id, other_id = _both_ids(context, user_id)
    return await _answer(context, other_id, unblocking.unblock_user(context.backends, viewer_id=viewer_id, user_id=other_id))


async def mute_user(context: OperationContext, user_id: str, *, until: datetime | None) -> PeoplePayload:
    viewer_id, other_id = _both_ids(context, user_id)
    work = muting.mute_user(context.backends, viewer_id=viewer_id, user_id=other_id, until=until)
    return await _answer(context, other_id, work)


async def unmute_user(context: OperationContext, user_id: str) -> PeoplePayload:
    viewer_id, other_id = _both_ids(context, user_id)
    return await _answer(context, other_id, unmuting.unmute_user(context.backends, viewer_id=viewer_id, user_id=other_id))


def _both_ids(context: OperationContext, user_id: str) -> tuple[int, int]:
    return context.require_viewer_id(), local_id(user_id, "User") or _NOBODY


async def _answer(context: OperationContext, other_id: int, work: Awaitable[None]) -> PeoplePayload:
    """Does it; then the two accounts as they are after the write."""
    try:
        await work
    except RefusedError as error:
        return PeoplePayload(user_errors=list(error.refusals))
    context.forget_loaded()
    users = await context.loaders.users.load_many([other_id, context.require_viewer_id()])
    return PeoplePayload(user=users[0], viewer=users[1])
