"""Use case: the content of an upload arrives at this server, by an address that it has signed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from db.media import find_media
from domain.media import MediaState
from domain.upload_addresses import UploadClaim
from services.backends import Backends
from services.media.folder_store import FolderStore
from services.media.media_store import UPLOAD_KEY


class UploadForbiddenError(Exception):
    """The address was not signed like this, or has ended. The message may be shown."""


class UploadClosedError(Exception):
    """The upload is finished, or is awaited no longer."""


def check_claim(store: FolderStore, claim: UploadClaim, signature: str) -> None:
    """Raises UploadForbiddenError."""
    if not store.signer.is_signed(claim, signature):
        raise UploadForbiddenError("the address is not valid")
    if claim.expires < time.time():
        raise UploadForbiddenError("the address has ended")


async def check_is_awaited(backends: Backends, claim: UploadClaim) -> None:
    """Raises UploadClosedError, UnavailableError. Until it is finished, the same may be sent again: answers get lost."""
    parts = UPLOAD_KEY.fullmatch(claim.upload_key)
    assert parts is not None, "signed by us"
    async with backends.database.reading() as session:
        found = await find_media(session, int(parts[1]))
    if (
        found is None
        or found.upload_key != claim.upload_key
        or found.is_finished
        or found.record.state is not MediaState.PENDING
    ):
        raise UploadClosedError


async def receive_upload(store: FolderStore, claim: UploadClaim, chunks: AsyncIterator[bytes]) -> None:
    """All of it, or nothing is left. Raises UploadTooLargeError, UploadIncompleteError, UnavailableError."""
    await store.receive_upload(claim.upload_key, chunks, byte_size=claim.byte_size)
