"""Where clients get what may be shown to them: at once where addresses last, to be awaited where they have to be signed."""

from __future__ import annotations

from collections.abc import Awaitable

from domain.media import MediaRecord, MediaState
from domain.records import UserRecord
from services.backends import Backends

Address = str | None | Awaitable[str | None]


def find_address(backends: Backends, media: MediaRecord) -> Address:
    """Of the picture; None unless it is READY."""
    return _address(backends, media.public_key if media.state is MediaState.READY else None)


def find_thumbnail_address(backends: Backends, media: MediaRecord) -> Address:
    """Of the small picture; None unless it is READY."""
    return _address(backends, media.thumbnail_key if media.state is MediaState.READY else None)


def find_avatar_address(backends: Backends, user: UserRecord) -> Address:
    """Of the account's own picture, otherwise of the one that its tokens or an import named; None where it has none."""
    if user.avatar_key is None or backends.media.store is None:
        return user.avatar_url
    return _address(backends, user.avatar_key)


def _address(backends: Backends, key: str | None) -> Address:
    store = backends.media.store
    if key is None or store is None:
        return None
    return store.lasting_address(key) or store.public_address(key)
