"""Which of an account's pictures stands for it, within the transaction that changes the profile."""

from __future__ import annotations

from db.database import WriteSession
from db.post_media import lock_own_media, set_avatar
from domain.errors import RefusalCode, RefusedError, refused
from domain.ids import local_id
from domain.media import MediaKind, MediaRecord, MediaState
from services.media.media_rules import KEPT_AVATAR

_FIELD = "avatarMediaId"


def own_media_id(global_id: str) -> int:
    """The number of an upload. Raises RefusedError NOT_FOUND for what is no id of one."""
    number = local_id(global_id, "Media")
    if number is None:
        raise _absent()
    return number


async def lock_avatar(session: WriteSession, user_id: int, media_id: int) -> MediaRecord:
    """The picture, locked: before any account is. Raises RefusedError: NOT_FOUND for what is not the account's own, INVALID
    until it is READY, CONTENT_REJECTED.
    """
    own = await lock_own_media(session, [media_id], owner_id=user_id)
    if media_id not in own:
        raise _absent()
    found, _ = own[media_id]
    if found.state is MediaState.REJECTED:
        raise refused(RefusalCode.CONTENT_REJECTED, "the upload was rejected", _FIELD)
    if found.state is not MediaState.READY or found.kind is not MediaKind.IMAGE:
        raise refused(RefusalCode.INVALID, "the picture is not ready yet", _FIELD)
    return found


async def choose_avatar(session: WriteSession, user_id: int, picture: MediaRecord) -> None:
    """From the commit on it stands for the account. Locks the account."""
    assert picture.thumbnail_key is not None, "it is READY"
    await set_avatar(session, user_id, media_id=picture.id, key=picture.thumbnail_key, keep_seconds=KEPT_AVATAR.total_seconds())


def _absent() -> RefusedError:
    return refused(RefusalCode.NOT_FOUND, "there is no such upload", _FIELD)
