"""What mutations on people answer."""

from __future__ import annotations

import strawberry

from resolvers.people import PeoplePayload
from schema.interfaces import UserError
from schema.payloads import ERRORS
from schema.records import represents
from schema.users import User


@represents(PeoplePayload)
@strawberry.type(description="The answer to followUser.")
class FollowUserPayload:
    user: User | None = strawberry.field(description="Who was followed, or asked.")
    viewer: User | None = strawberry.field(description="The follower.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PeoplePayload)
@strawberry.type(description="The answer to unfollowUser.")
class UnfollowUserPayload:
    user: User | None = strawberry.field(description="Who is no longer followed.")
    viewer: User | None = strawberry.field(description="The former follower.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PeoplePayload)
@strawberry.type(description="The answer to answerFollowRequest.")
class AnswerFollowRequestPayload:
    user: User | None = strawberry.field(description="Who had asked.")
    viewer: User | None = strawberry.field(description="Who was asked.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PeoplePayload)
@strawberry.type(description="The answer to updateFollow.")
class UpdateFollowPayload:
    user: User | None = strawberry.field(description="Whose follow was changed.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PeoplePayload)
@strawberry.type(description="The answer to removeFollower.")
class RemoveFollowerPayload:
    user: User | None = strawberry.field(description="The former follower.")
    viewer: User | None = strawberry.field(description="Who was followed.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PeoplePayload)
@strawberry.type(description="The answer to blockUser.")
class BlockUserPayload:
    user: User | None = strawberry.field(description="Who is blocked.")
    viewer: User | None = strawberry.field(description="Who blocks.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PeoplePayload)
@strawberry.type(description="The answer to unblockUser.")
class UnblockUserPayload:
    user: User | None = strawberry.field(description="Who is no longer blocked.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PeoplePayload)
@strawberry.type(description="The answer to muteUser.")
class MuteUserPayload:
    user: User | None = strawberry.field(description="Who is muted.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PeoplePayload)
@strawberry.type(description="The answer to unmuteUser.")
class UnmuteUserPayload:
    user: User | None = strawberry.field(description="Who is no longer muted.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(PeoplePayload)
@strawberry.type(description="The answer to updateProfile.")
class UpdateProfilePayload:
    viewer: User | None = strawberry.field(description="The account in its new state.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)
