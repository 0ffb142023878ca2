"""All mutations; here those on posts. One input, one payload each. Inputs end here; resolvers get plain values."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain.records import LocationRecord, Visibility
from resolvers import posts
from resolvers.context import Info, given
from resolvers.posts import PostPayload
from schema.engagement_mutations import EngagementMutations
from schema.feed_mutations import FeedMutations
from schema.hashtags import HashtagMutations
from schema.inputs import IDEMPOTENCY_KEY, INPUT
from schema.media_mutations import MediaMutations
from schema.notifications import NotificationMutations
from schema.payloads import (
    CreatePostPayload,
    DeletePostPayload,
    SharePostPayload,
    UnsharePostPayload,
    UpdatePostPayload,
)
from schema.people_mutations import PeopleMutations
from schema.preferences import PreferenceMutations
from schema.report_mutations import ReportMutations


@strawberry.input(description="A place.")
class LocationInput:
    name: str = strawberry.field(description="The place's name, at most 200 characters.")
    latitude: float | None = strawberry.field(default=strawberry.UNSET, description="Degrees north, with longitude.")
    longitude: float | None = strawberry.field(default=strawberry.UNSET, description="Degrees east, with latitude.")


@strawberry.input(description="A new post.")
class CreatePostInput:
    text: str = strawberry.field(description="At most 5,000 characters; blank only with pictures.")
    visibility: Visibility | None = strawberry.field(default=Visibility.PUBLIC, description="Who may see it.")
    media_ids: list[strawberry.ID] | None = strawberry.field(
        default_factory=list, description="At most 4 finished uploads of the viewer's, in the order in which they are shown."
    )
    location: LocationInput | None = strawberry.field(default=strawberry.UNSET, description="Where it was written.")
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=IDEMPOTENCY_KEY)


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
    idempotency_key: str | None = strawberry.field(default=strawberry.UNSET, description=IDEMPOTENCY_KEY)


@strawberry.input(description="A share without words to take back.")
class UnsharePostInput:
    post_id: strawberry.ID = strawberry.field(description="What was shared, or the share itself.")


async def _create_post(info: Info, input: Annotated[CreatePostInput, INPUT]) -> PostPayload:  # noqa: A002 - the argument's public name
    place = input.location or None
    return await posts.create_post(
        info.context,
        body=input.text,
        visibility=input.visibility or Visibility.PUBLIC,
        media_ids=input.media_ids or (),
        location=LocationRecord(place.name, given(place.latitude), given(place.longitude)) if place else None,
        idempotency_key=given(input.idempotency_key),
    )


async def _update_post(info: Info, input: Annotated[UpdatePostInput, INPUT]) -> PostPayload:  # noqa: A002
    return await posts.update_post(
        info.context, post_id=input.post_id, body=given(input.text), visibility=given(input.visibility)
    )


async def _delete_post(info: Info, input: Annotated[DeletePostInput, INPUT]) -> PostPayload:  # noqa: A002
    return await posts.delete_post(info.context, post_id=input.post_id)


async def _share_post(info: Info, input: Annotated[SharePostInput, INPUT]) -> PostPayload:  # noqa: A002
    return await posts.share_post(
        info.context, post_id=input.post_id, body=input.text or "", idempotency_key=given(input.idempotency_key)
    )


async def _unshare_post(info: Info, input: Annotated[UnsharePostInput, INPUT]) -> PostPayload:  # noqa: A002
    return await posts.unshare_post(info.context, post_id=input.post_id)


@strawberry.type(description="Everything that can be done. Each takes one input and gives one payload.")
class Mutation(
    PeopleMutations,
    HashtagMutations,
    PreferenceMutations,
    FeedMutations,
    EngagementMutations,
    NotificationMutations,
    MediaMutations,
    ReportMutations,
):
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
