"""Use case: somebody says that the content has been sent."""

from __future__ import annotations

import asyncio

from db import media
from domain.errors import RefusalCode, RefusedError, refused
from domain.media import EXTENSIONS, MediaRecord, MediaState, StoredMedia, why_too_large
from domain.picture_structure import NotAPictureError, PictureStructure, read_structure
from services.backends import Backends
from services.media.media_rules import KEPT_REJECTED, KEPT_UNSHOWN
from services.media.media_store import MediaStore, UploadTooLargeError, make_public_key

_FIELD = "mediaId"


async def finish_upload(backends: Backends, *, owner_id: int, media_id: int) -> MediaRecord:
    """The upload, from now on in a worker's hands, or as it was where it was finished before.

    Judges by the bytes: kind, whole or not, size, pixels. What does not pass is deleted, and the upload REJECTED. Raises
    RefusedError: NOT_FOUND, also for others'; INVALID where nothing has been sent yet; CONTENT_REJECTED; and UnavailableError.
    """
    store = backends.media.store
    async with backends.database.reading() as session:
        found = await media.find_media(session, media_id)
    if found is None or found.record.owner_id != owner_id or store is None:
        raise refused(RefusalCode.NOT_FOUND, "there is no such upload", _FIELD)
    if found.record.state is MediaState.REJECTED:
        raise refused(RefusalCode.CONTENT_REJECTED, "the upload was rejected", _FIELD)
    if found.is_finished:
        return found.record
    try:
        structure = await _examine(store, found)
    except NotAPictureError as problem:
        await _refuse(backends, store, found)
        raise refused(RefusalCode.CONTENT_REJECTED, str(problem), _FIELD) from None
    async with backends.database.writing() as session:
        finished = await media.finish_media(
            session,
            media_id,
            width=structure.width,
            height=structure.height,
            public_key=make_public_key(EXTENSIONS[structure.content_type]),
            thumbnail_key=make_public_key("webp"),
            keep_seconds=KEPT_UNSHOWN.total_seconds(),
        )
    if finished is None:
        # Somebody was faster: what they found stands.
        return await finish_upload(backends, owner_id=owner_id, media_id=media_id)
    backends.relay_bell.ring()
    return finished.record


async def _examine(store: MediaStore, upload: StoredMedia) -> PictureStructure:
    try:
        content = await store.read_upload(upload.upload_key, most=upload.byte_size)
    except UploadTooLargeError:
        raise NotAPictureError("more was sent than announced") from None
    if content is None:
        raise _not_sent()
    return await asyncio.to_thread(examine_content, content, upload)


def examine_content(content: bytes, upload: StoredMedia) -> PictureStructure:
    """Raises NotAPictureError where the bytes are not what was announced, or must not be unpacked."""
    if len(content) != upload.byte_size:
        raise NotAPictureError("less was sent than announced")
    structure = read_structure(content)
    if structure.content_type != upload.content_type:
        raise NotAPictureError(f"this is {structure.content_type}, not {upload.content_type}")
    problem = why_too_large(width=structure.width, height=structure.height, frames=structure.frames, byte_size=len(content))
    if problem is not None:
        raise NotAPictureError(problem)
    return structure


async def _refuse(backends: Backends, store: MediaStore, upload: StoredMedia) -> None:
    async with backends.database.writing() as session:
        is_ours = await media.refuse_unfinished(session, upload.record.id, keep_seconds=KEPT_REJECTED.total_seconds())
    if is_ours:
        await store.delete([upload.upload_key])


def _not_sent() -> RefusedError:
    return refused(RefusalCode.INVALID, "upload the content first, then finish", _FIELD)
