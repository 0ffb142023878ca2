"""Mutations on people: one input, one payload each. Inputs end here; resolvers get plain values."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import people, relations
from resolvers.context import Info, given
from resolvers.people import PeoplePayload
from schema.inputs import INPUT
from schema.people_payloads import (
    AnswerFollowRequestPayload,
    BlockUserPayload,
    FollowUserPayload,
    MuteUserPayload,
    RemoveFollowerPayload,
    UnblockUserPayload,
    UnfollowUserPayload,
    UnmuteUserPayload,
    UpdateFollowPayload,
    UpdateProfilePayload,
)


@strawberry.input(description="An account to follow.")
class FollowUserInput:
    user_id: strawberry.ID = strawberry.field(description="Whom to follow; a private account is asked.")


@strawberry.input(description="An account to follow no longer.")
class UnfollowUserInput:
    user_id: strawberry.ID = strawberry.field(description="Whom to follow no longer; an open request is taken back.")
    keep_history: bool | None = strawberry.field(
        default=False, description="What is there by now stays in the feed, until the account is followed again."
    )


@strawberry.input(description="How a followed account comes into the feed. What is left out, or null, stays as it is.")
class UpdateFollowInput:
    user_id: strawberry.ID = strawberry.field(description="An account that the viewer follows.")
    close_friend: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether the viewer is notified of every post."
    )
    hide_shares: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether shares without words stay out of the feed."
    )
    daily_limit: int | None = strawberry.field(
        default=strawberry.UNSET, description="At most so many entries of theirs a UTC day, up to 1,000,000; 0 lifts it."
    )


@strawberry.input(description="A follower to remove.")
class RemoveFollowerInput:
    user_id: strawberry.ID = strawberry.field(description="Who shall no longer follow the viewer.")


@strawberry.input(description="The answer to somebody's wish to follow.")
class AnswerFollowRequestInput:
    user_id: strawberry.ID = strawberry.field(description="Who asks.")
    accept: bool = strawberry.field(description="Whether they may.")


@strawberry.input(description="An account to block.")
class BlockUserInput:
    user_id: strawberry.ID = strawberry.field(description="Whom to block. Follows and requests end, both ways.")


@strawberry.input(description="An account to block no longer.")
class UnblockUserInput:
    user_id: strawberry.ID = strawberry.field(description="Whom to block no longer. Nothing that the block ended comes back.")


@strawberry.input(description="An account to mute.")
class MuteUserInput:
    user_id: strawberry.ID = strawberry.field(description="Whom to mute. They are not told.")
    until: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When the mute ends by itself, in the future; null: when it is taken back."
    )


@strawberry.input(description="An account to mute no longer.")
class UnmuteUserInput:
    user_id: strawberry.ID = strawberry.field(description="Whom to mute no longer.")


@strawberry.input(description="A change of the viewer's profile. What is left out, or null, stays as it is.")
class UpdateProfileInput:
    display_name: str | None = strawberry.field(default=strawberry.UNSET, description="One line, at most 100 characters.")
    bio: str | None = strawberry.field(default=strawberry.UNSET, description="At most 500 characters; may be empty.")
    avatar_media_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="One of the viewer's own pictures that is READY."
    )
    is_private: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether followers must be approved. Becoming public accepts all open requests.",
    )


async def _follow_user(info: Info, input: Annotated[FollowUserInput, INPUT]) -> PeoplePayload:  # noqa: A002 - the argument's public name
    return await relations.follow_user(info.context, input.user_id)


async def _unfollow_user(info: Info, input: Annotated[UnfollowUserInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await relations.unfollow_user(info.context, input.user_id, keep_history=bool(input.keep_history))


async def _update_follow(info: Info, input: Annotated[UpdateFollowInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await relations.update_follow(
        info.context,
        input.user_id,
        close_friend=given(input.close_friend),
        hide_shares=given(input.hide_shares),
        daily_limit=given(input.daily_limit),
    )


async def _remove_follower(info: Info, input: Annotated[RemoveFollowerInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await relations.remove_follower(info.context, input.user_id)


async def _answer_follow_request(info: Info, input: Annotated[AnswerFollowRequestInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await relations.answer_follow_request(info.context, input.user_id, input.accept)


async def _block_user(info: Info, input: Annotated[BlockUserInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await relations.block_user(info.context, input.user_id)


async def _unblock_user(info: Info, input: Annotated[UnblockUserInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await relations.unblock_user(info.context, input.user_id)


async def _mute_user(info: Info, input: Annotated[MuteUserInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await relations.mute_user(info.context, input.user_id, until=given(input.until))


async def _unmute_user(info: Info, input: Annotated[UnmuteUserInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await relations.unmute_user(info.context, input.user_id)


async def _update_profile(info: Info, input: Annotated[UpdateProfileInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await people.update_profile(
        info.context,
        display_name=given(input.display_name),
        bio=given(input.bio),
        is_private=given(input.is_private),
        avatar_media_id=given(input.avatar_media_id),
    )


@strawberry.type(description="What can be done with people and the own profile.")
class PeopleMutations:
    follow_user = strawberry.mutation(
        resolver=_follow_user,
        graphql_type=FollowUserPayload | None,
        description="Follows an account, or asks a private one. Following twice changes nothing.",
    )
    unfollow_user = strawberry.mutation(
        resolver=_unfollow_user, graphql_type=UnfollowUserPayload | None, description="Follows an account no longer."
    )
    answer_follow_request = strawberry.mutation(
        resolver=_answer_follow_request,
        graphql_type=AnswerFollowRequestPayload | None,
        description="Accepts or declines somebody's wish to follow the viewer's private account.",
    )
    update_follow = strawberry.mutation(
        resolver=_update_follow,
        graphql_type=UpdateFollowPayload | None,
        description="Changes how a followed account comes into the viewer's feed.",
    )
    remove_follower = strawberry.mutation(
        resolver=_remove_follower,
        graphql_type=RemoveFollowerPayload | None,
        description="Takes somebody from the viewer's followers. They are not told, and may follow again.",
    )
    block_user = strawberry.mutation(
        resolver=_block_user,
        graphql_type=BlockUserPayload | None,
        description="Blocks an account: neither sees anything of the other any more.",
    )
    unblock_user = strawberry.mutation(
        resolver=_unblock_user, graphql_type=UnblockUserPayload | None, description="Takes a block back."
    )
    mute_user = strawberry.mutation(
        resolver=_mute_user,
        graphql_type=MuteUserPayload | None,
        description="Keeps an account out of the viewer's feed and notifications. Muting again sets a new end.",
    )
    unmute_user = strawberry.mutation(
        resolver=_unmute_user, graphql_type=UnmuteUserPayload | None, description="Takes a mute back."
    )
    update_profile = strawberry.mutation(
        resolver=_update_profile, graphql_type=UpdateProfilePayload | None, description="Changes the viewer's profile."
    )
