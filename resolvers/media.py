"""Media: their fields and mutations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.errors import Refusal, RefusalCode, RefusedError, refused
from domain.ids import local_id
from domain.media import MediaRecord
from domain.records import PostRecord, UserRecord
from resolvers.batched import batched, stable
from resolvers.context import Info, OperationContext
from services.media.create_upload import create_upload
from services.media.finish_upload import finish_upload
from services.media.media_address import Address, find_address, find_avatar_address, find_thumbnail_address


@dataclass(frozen=True, slots=True)
class HeaderRecord:
    """One header of the request that sends the content."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class MediaPayload:
    """The answer of a mutation on media; each payload type shows the part of it that it has."""

    media: MediaRecord | None = None
    upload_url: str | None = None
    upload_method: str | None = None
    upload_headers: list[HeaderRecord] = field(default_factory=list)
    user_errors: list[Refusal] = field(default_factory=list)


# ---------------------------------------------------------------- fields


@stable
def url(root: MediaRecord, info: Info) -> Address:
    return find_address(info.context.backends, root)


@stable
def thumbnail_url(root: MediaRecord, info: Info) -> Address:
    return find_thumbnail_address(info.context.backends, root)


@stable
def avatar_url(root: UserRecord, info: Info) -> Address:
    return find_avatar_address(info.context.backends, root)


@batched(loader=lambda context: context.loaders.post_media, key="id")
async def post_media(root: PostRecord, info: Info) -> Sequence[MediaRecord]:
    return await info.context.loaders.post_media.load(root.id)


# ---------------------------------------------------------------- mutations


async def create_media_upload(
    context: OperationContext, *, content_type: str, byte_size: int, alt_text: str | None
) -> MediaPayload:
    owner_id = context.require_viewer_id()
    try:
        made = await create_upload(
            context.backends, owner_id=owner_id, content_type=content_type, byte_size=byte_size, alt_text=alt_text
        )
    except RefusedError as error:
        return MediaPayload(user_errors=list(error.refusals))
    headers = [HeaderRecord(name, value) for name, value in made.offer.headers.items()]
    return MediaPayload(made.media, made.offer.url, made.offer.method, headers)


async def finish_media_upload(context: OperationContext, *, media_id: str) -> MediaPayload:
    owner_id = context.require_viewer_id()
    try:
        number = local_id(media_id, "Media")
        if number is None:
            raise refused(RefusalCode.NOT_FOUND, "there is no such upload", "mediaId")
        return MediaPayload(await finish_upload(context.backends, owner_id=owner_id, media_id=number))
    except RefusedError as error:
        return MediaPayload(user_errors=list(error.refusals))
