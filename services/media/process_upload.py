"""Use case of workers: an upload that was finished becomes a picture that can be shown, or is rejected."""

from __future__ import annotations

import asyncio
from enum import Enum

from db import media
from domain.errors import UnavailableError
from domain.media import StoredMedia
from domain.picture_structure import NotAPictureError
from services.backends import Backends
from services.media.clean_picture import (
    WALL_SECONDS,
    CannotBeDecodedError,
    CleanPicture,
    DecoderFailedError,
    clean_picture,
)
from services.media.finish_upload import examine_content
from services.media.media_rules import KEPT_REJECTED
from services.media.media_store import MediaStore, UploadTooLargeError

_LEASE_SECONDS = WALL_SECONDS + 60.0
_AGAIN_SECONDS = 5.0
_MOST_ATTEMPTS = 5
"""What ends its worker again and again is rejected."""


class ProcessingOutcome(Enum):
    """What became of one upload."""

    NOTHING = "nothing"
    READY = "ready"
    REJECTED = "rejected"
    POSTPONED = "postponed"
    LOST = "lost"
    """Somebody else has it by now, or it is gone."""


async def waiting_seconds(backends: Backends) -> float | None:
    """How long the oldest upload has waited; None where there is none, or no store."""
    if backends.media.store is None:
        return None
    async with backends.database.reading() as session:
        return await media.unprocessed_seconds(session)


async def process_next_upload(backends: Backends) -> ProcessingOutcome:
    """Takes the oldest one. May be done twice: the keys are known before, so the same names are written again.

    Raises UnavailableError of the database.
    """
    store, room = backends.media.store, backends.media.decoders
    if store is None or room.locked():
        # Decoders take much memory; those who have the room go on with what is left.
        return ProcessingOutcome.NOTHING
    async with room:
        async with backends.database.writing() as session:
            upload = await media.lease_unprocessed(session, lease_seconds=_LEASE_SECONDS)
        if upload is None:
            return ProcessingOutcome.NOTHING
        if upload.attempts > _MOST_ATTEMPTS:
            return await _reject(backends, store, upload)
        try:
            return await _process(backends, store, upload)
        except (NotAPictureError, CannotBeDecodedError, UploadTooLargeError):
            return await _reject(backends, store, upload)
        except (DecoderFailedError, UnavailableError):
            await _postpone(backends, upload)
            return ProcessingOutcome.POSTPONED


async def _process(backends: Backends, store: MediaStore, upload: StoredMedia) -> ProcessingOutcome:
    content = await store.read_upload(upload.upload_key, most=upload.byte_size)
    if content is None:
        raise NotAPictureError("it is gone")
    # Again: into a bucket it could be sent anew after it was finished.
    await asyncio.to_thread(examine_content, content, upload)
    clean = await clean_picture(content, upload.content_type)
    await _put(store, upload, clean)
    async with backends.database.writing() as session:
        is_ours = await media.mark_ready(
            session,
            upload.record.id,
            attempt=upload.attempts,
            width=clean.width,
            height=clean.height,
            byte_size=len(clean.picture),
        )
    if not is_ours:
        return await _clear_lost(backends, store, upload)
    await store.delete([upload.upload_key])
    return ProcessingOutcome.READY


async def _put(store: MediaStore, upload: StoredMedia, clean: CleanPicture) -> None:
    picture_key, thumbnail_key = upload.record.public_key, upload.record.thumbnail_key
    assert picture_key is not None, "finished"
    assert thumbnail_key is not None, "finished"
    await store.put_public(picture_key, clean.picture, upload.content_type)
    await store.put_public(thumbnail_key, clean.thumbnail, "image/webp")


async def _reject(backends: Backends, store: MediaStore, upload: StoredMedia) -> ProcessingOutcome:
    async with backends.database.writing() as session:
        is_ours = await media.mark_rejected(
            session, upload.record.id, attempt=upload.attempts, keep_seconds=KEPT_REJECTED.total_seconds()
        )
    if not is_ours:
        return await _clear_lost(backends, store, upload)
    await store.delete(_keys(upload))
    return ProcessingOutcome.REJECTED


async def _clear_lost(backends: Backends, store: MediaStore, upload: StoredMedia) -> ProcessingOutcome:
    async with backends.database.reading() as session:
        found = await media.find_media(session, upload.record.id)
    if found is None:
        await store.delete(_keys(upload))
    return ProcessingOutcome.LOST


async def _postpone(backends: Backends, upload: StoredMedia) -> None:
    async with backends.database.writing() as session:
        await media.postpone_media(session, upload.record.id, attempt=upload.attempts, seconds=_AGAIN_SECONDS * upload.attempts)


def _keys(upload: StoredMedia) -> list[str]:
    keys = (upload.upload_key, upload.record.public_key, upload.record.thumbnail_key)
    return [key for key in keys if key is not None]
