"""Use case: somebody wants to upload a picture."""

from __future__ import annotations

import time
from dataclasses import dataclass

from db import media
from domain.errors import RefusalCode, RefusedError, refused
from domain.ids import first_id_at
from domain.media import EXTENSIONS, MAX_ALT_TEXT_LENGTH, MediaKind, MediaRecord
from domain.text import TextProblem, check_post_text
from services.backends import Backends
from services.media.media_rules import SLACK
from services.media.media_store import UploadOffer, make_token

MAX_UNFINISHED = 50
"""Uploads of one account that are awaited at a time."""


@dataclass(frozen=True, slots=True)
class AwaitedUpload:
    """The upload, and how its content is sent."""

    media: MediaRecord
    offer: UploadOffer


async def create_upload(
    backends: Backends, *, owner_id: int, content_type: str, byte_size: int, alt_text: str | None
) -> AwaitedUpload:
    """An upload that is awaited for a while. Raises RefusedError: INVALID for another type or an impossible size, TOO_LONG
    above the limit, what is wrong with the text, LIMIT_REACHED, NOT_ALLOWED where this deployment takes no uploads.
    """
    desk = backends.media
    if desk.store is None:
        raise refused(RefusalCode.NOT_ALLOWED, "this server takes no uploads")
    if content_type not in EXTENSIONS:
        raise refused(RefusalCode.INVALID, f"only {', '.join(EXTENSIONS)} are taken", "contentType")
    if byte_size < 1:
        raise refused(RefusalCode.INVALID, "byteSize must be the number of bytes", "byteSize")
    if byte_size > desk.upload_limit:
        raise refused(RefusalCode.TOO_LONG, f"at most {desk.upload_limit} bytes are taken", "byteSize")
    description = _checked(alt_text)
    keep = desk.upload_ttl + SLACK
    since_id = first_id_at(int((time.time() - keep.total_seconds()) * 1_000))
    async with backends.database.writing() as session:
        if await media.count_unfinished(session, owner_id, since_id=since_id, most=MAX_UNFINISHED) >= MAX_UNFINISHED:
            raise refused(RefusalCode.LIMIT_REACHED, f"at most {MAX_UNFINISHED} uploads at a time")
        made = await media.insert_media(
            session,
            owner_id=owner_id,
            kind=MediaKind.IMAGE,
            content_type=content_type,
            byte_size=byte_size,
            alt_text=description,
            token=make_token(),
            keep_seconds=keep.total_seconds(),
        )
    offer = await desk.store.offer_upload(made.upload_key, content_type=content_type, byte_size=byte_size)
    return AwaitedUpload(made.record, offer)


def _checked(alt_text: str | None) -> str | None:
    if alt_text is None:
        return None
    problem = check_post_text(alt_text, max_length=MAX_ALT_TEXT_LENGTH)
    if problem is None:
        return alt_text
    if problem is TextProblem.BLANK:
        return None
    raise _refusal(problem)


def _refusal(problem: TextProblem) -> RefusedError:
    if problem is TextProblem.TOO_LONG:
        return refused(RefusalCode.TOO_LONG, f"altText has at most {MAX_ALT_TEXT_LENGTH} characters", "altText")
    return refused(RefusalCode.INVALID, "altText holds characters that are not allowed", "altText")
