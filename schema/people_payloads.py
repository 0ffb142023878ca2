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
@strawberry.type(description="The answer to updateProfile.")
class UpdateProfilePayload:
    viewer: User | None = strawberry.field(description="The account in its new state.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)
