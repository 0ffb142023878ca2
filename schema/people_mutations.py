"""Mutations on people: one input, one payload each. Inputs end here; resolvers get plain values."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers import people
from resolvers.context import Info, given
from resolvers.people import PeoplePayload
from schema.inputs import INPUT
from schema.people_payloads import (
    AnswerFollowRequestPayload,
    FollowUserPayload,
    UnfollowUserPayload,
    UpdateProfilePayload,
)


@strawberry.input(description="An account to follow.")
class FollowUserInput:
    user_id: strawberry.ID = strawberry.field(description="Whom to follow; a private account is asked.")


@strawberry.input(description="An account to follow no longer.")
class UnfollowUserInput:
    user_id: strawberry.ID = strawberry.field(description="Whom to follow no longer; an open request is taken back.")


@strawberry.input(description="The answer to somebody's wish to follow.")
class AnswerFollowRequestInput:
    user_id: strawberry.ID = strawberry.field(description="Who asks.")
    accept: bool = strawberry.field(description="Whether they may.")


@strawberry.input(description="A change of the viewer's profile. What is left out, or null, stays as it is.")
class UpdateProfileInput:
    display_name: str | None = strawberry.field(default=strawberry.UNSET, description="One line, at most 100 characters.")
    bio: str | None = strawberry.field(default=strawberry.UNSET, description="At most 500 characters; may be empty.")
    is_private: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether followers must be approved. Becoming public accepts all open requests.",
    )


async def _follow_user(info: Info, input: Annotated[FollowUserInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await people.follow_user(info.context, input.user_id)


async def _unfollow_user(info: Info, input: Annotated[UnfollowUserInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await people.unfollow_user(info.context, input.user_id)


async def _answer_follow_request(info: Info, input: Annotated[AnswerFollowRequestInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await people.answer_follow_request(info.context, input.user_id, input.accept)


async def _update_profile(info: Info, input: Annotated[UpdateProfileInput, INPUT]) -> PeoplePayload:  # noqa: A002
    return await people.update_profile(
        info.context,
        display_name=given(input.display_name),
        bio=given(input.bio),
        is_private=given(input.is_private),
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
    update_profile = strawberry.mutation(
        resolver=_update_profile, graphql_type=UpdateProfilePayload | None, description="Changes the viewer's profile."
    )
