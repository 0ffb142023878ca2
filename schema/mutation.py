"""Mutations: one input, one payload each. Inputs end here; resolvers get plain values."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain.records import LocationRecord, Visibility
from resolvers import people, posts
from resolvers.context import Info, given
from resolvers.people import PeoplePayload
from resolvers.posts import PostPayload
from schema.payloads import (
    AnswerFollowRequestPayload,
    CreatePostPayload,
    DeletePostPayload,
    FollowUserPayload,
    SharePostPayload,
    UnfollowUserPayload,
    UnsharePostPayload,
    UpdatePostPayload,
    UpdateProfilePayload,
)

_INPUT = strawberry.argument(description="What to do.")


@strawberry.input(description="A place.")
class LocationInput:
    name: str = strawberry.field(description="The place's name, at most 200 characters.")
    latitude: float | None = strawberry.field(default=strawberry.UNSET, description="Degrees north, with longitude.")
    longitude: float | None = strawberry.field(default=strawberry.UNSET, description="Degrees east, with latitude.")


@strawberry.input(description="A new post.")
class CreatePostInput:
    text: str = strawberry.field(description="At most 5,000 characters, not blank.")
    visibility: Visibility | None = strawberry.field(default=Visibility.PUBLIC, description="Who may see it.")
    location: LocationInput | None = strawberry.field(default=strawberry.UNSET, description="Where it was written.")


@strawberry.input(description="A change of a post. What is left out, or null, stays as it is.")
class UpdatePostInput:
    post_id: strawberry.ID = strawberry.field(description="One of the viewer's own posts.")
    text: str | None = strawberry.field(default=strawberry.UNSET, description="The new text.")
    visibility: Visibility | None = strawberry.field(default=strawberry.UNSET, description="Who may see it from now on.")


@strawberry.input(description="A post to delete.")
class DeletePostInput:
    post_id: strawberry.ID = strawberry.field(description="One of the viewer's own posts.")


@strawberry.input(description="With text it is a quote: a post of its own. Without, it passes the original on, once per user.")
class SharePostInput:
    post_id: strawberry.ID = strawberry.field(description="A public post. Of a share without words, what it shares.")
    text: str | None = strawberry.field(default="", description="Words about it, at most 5,000 characters; blank is none.")


@strawberry.input(description="A share without words to take back.")
class UnsharePostInput:
    post_id: strawberry.ID = strawberry.field(description="What was shared, or the share itself.")


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


async def _create_post(info: Info, input: Annotated[CreatePostInput, _INPUT]) -> PostPayload:  # noqa: A002 - the argument's public name
    place = input.location or None
    return await posts.create_post(
        info.context,
        body=input.text,
        visibility=input.visibility or Visibility.PUBLIC,
        location=LocationRecord(place.name, given(place.latitude), given(place.longitude)) if place else None,
    )


async def _update_post(info: Info, input: Annotated[UpdatePostInput, _INPUT]) -> PostPayload:  # noqa: A002
    return await posts.update_post(
        info.context, post_id=input.post_id, body=given(input.text), visibility=given(input.visibility)
    )


async def _delete_post(info: Info, input: Annotated[DeletePostInput, _INPUT]) -> PostPayload:  # noqa: A002
    return await posts.delete_post(info.context, post_id=input.post_id)


async def _share_post(info: Info, input: Annotated[SharePostInput, _INPUT]) -> PostPayload:  # noqa: A002
    return await posts.share_post(info.context, post_id=input.post_id, body=input.text or "")


async def _unshare_post(info: Info, input: Annotated[UnsharePostInput, _INPUT]) -> PostPayload:  # noqa: A002
    return await posts.unshare_post(info.context, post_id=input.post_id)


async def _follow_user(info: Info, input: Annotated[FollowUserInput, _INPUT]) -> PeoplePayload:  # noqa: A002
    return await people.follow_user(info.context, input.user_id)


async def _unfollow_user(info: Info, input: Annotated[UnfollowUserInput, _INPUT]) -> PeoplePayload:  # noqa: A002
    return await people.unfollow_user(info.context, input.user_id)


async def _answer_follow_request(info: Info, input: Annotated[AnswerFollowRequestInput, _INPUT]) -> PeoplePayload:  # noqa: A002
    return await people.answer_follow_request(info.context, input.user_id, input.accept)


async def _update_profile(info: Info, input: Annotated[UpdateProfileInput, _INPUT]) -> PeoplePayload:  # noqa: A002
    return await people.update_profile(
        info.context,
        display_name=given(input.display_name),
        bio=given(input.bio),
        is_private=given(input.is_private),
    )


@strawberry.type(description="Everything that can be done. Each takes one input and gives one payload.")
class Mutation:
    create_post = strawberry.mutation(
        resolver=_create_post,
        graphql_type=CreatePostPayload | None,
        description="Publishes a post. It is in the author's own feed at once, in the followers' feeds right after.",
    )
    update_post = strawberry.mutation(
        resolver=_update_post, graphql_type=UpdatePostPayload | None, description="Changes a post's text or visibility."
    )
    delete_post = strawberry.mutation(
        resolver=_delete_post, graphql_type=DeletePostPayload | None, description="Deletes a post; gone for everybody at once."
    )
    share_post = strawberry.mutation(
        resolver=_share_post,
        graphql_type=SharePostPayload | None,
        description="Passes a public post on, or quotes it. Without words once: sharing again gives the share that is there.",
    )
    unshare_post = strawberry.mutation(
        resolver=_unshare_post, graphql_type=UnsharePostPayload | None, description="Takes a share without words back."
    )
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
