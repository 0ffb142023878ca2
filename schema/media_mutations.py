"""Mutations on media: one input, one payload each. Inputs end here; resolvers get plain values."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers import media
from resolvers.context import Info, given
from resolvers.media import HeaderRecord, MediaPayload
from schema.inputs import INPUT
from schema.interfaces import UserError
from schema.media import Media
from schema.payloads import ERRORS
from schema.records import represents


@strawberry.input(description="A picture that shall be uploaded.")
class CreateMediaUploadInput:
    content_type: str = strawberry.field(description="image/jpeg, image/png, image/webp or image/gif.")
    byte_size: int = strawberry.field(description="Exactly how many bytes will be sent, at most 10,000,000.")
    alt_text: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it shows, in words, at most 1,000 characters."
    )


@strawberry.input(description="An upload whose content has been sent.")
class FinishMediaUploadInput:
    media_id: strawberry.ID = strawberry.field(description="One of the viewer's own uploads.")


@represents(HeaderRecord)
@strawberry.type(description="A header to send along with the content.")
class UploadHeader:
    name: str = strawberry.field(description="Its name.")
    value: str = strawberry.field(description="Its value.")


@represents(MediaPayload)
@strawberry.type(description="The answer to createMediaUpload.")
class CreateMediaUploadPayload:
    media: Media | None = strawberry.field(description="The upload, PENDING.")
    upload_url: str | None = strawberry.field(description="Where to send the content, within 15 minutes. No token is needed.")
    upload_method: str | None = strawberry.field(description="The HTTP method to send it with.")
    upload_headers: list[UploadHeader] = strawberry.field(description="Headers to send along.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


@represents(MediaPayload)
@strawberry.type(description="The answer to finishMediaUpload.")
class FinishMediaUploadPayload:
    media: Media | None = strawberry.field(description="The upload: PENDING until a worker has cleaned it.")
    user_errors: list[UserError] = strawberry.field(description=ERRORS)


async def _create_media_upload(info: Info, input: Annotated[CreateMediaUploadInput, INPUT]) -> MediaPayload:  # noqa: A002 - the argument's public name
    return await media.create_media_upload(
        info.context, content_type=input.content_type, byte_size=input.byte_size, alt_text=given(input.alt_text)
    )


async def _finish_media_upload(info: Info, input: Annotated[FinishMediaUploadInput, INPUT]) -> MediaPayload:  # noqa: A002
    return await media.finish_media_upload(info.context, media_id=input.media_id)


@strawberry.type(description="What can be done with media.")
class MediaMutations:
    create_media_upload = strawberry.mutation(
        resolver=_create_media_upload,
        graphql_type=CreateMediaUploadPayload | None,
        description="Gives an address to which a picture can be sent. Call finishMediaUpload afterwards.",
    )
    finish_media_upload = strawberry.mutation(
        resolver=_finish_media_upload,
        graphql_type=FinishMediaUploadPayload | None,
        description="Says that the content was sent. It is judged by its bytes; finishing twice changes nothing.",
    )
