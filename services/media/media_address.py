"""Where clients get what may be shown to them."""

from __future__ import annotations

from domain.media import MediaRecord, MediaState
from domain.records import UserRecord
from services.backends import Backends


async def find_address(backends: Backends, media: MediaRecord) -> str | None:
    """Of the picture; None unless it is READY."""
    return await _address(backends, media.public_key if media.state is MediaState.READY else None)


async def find_thumbnail_address(backends: Backends, media: MediaRecord) -> str | None:
    """Of the small picture; None unless it is READY."""
    return await _address(backends, media.thumbnail_key if media.state is MediaState.READY else None)


async def find_avatar_address(backends: Backends, user: UserRecord) -> str | None:
    """Of the account's own picture, otherwise of the one that its tokens or an import named; None where it has none."""
    return await _address(backends, user.avatar_key) or user.avatar_url


async def _address(backends: Backends, key: str | None) -> str | None:
    store = backends.media.store
    return await store.public_address(key) if key is not None and store is not None else None
