"""What a new post shows of its author's media, within the post's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from db.database import WriteSession
from db.post_media import load_attached, lock_own_media
from domain.errors import RefusalCode, RefusedError, refused
from domain.media import MAX_POST_MEDIA, MediaRecord, MediaState

_FIELD = "mediaIds"


def check_media_ids(media_ids: Sequence[int | None]) -> list[int]:
    """The ids. Raises RefusedError: LIMIT_REACHED for too many, INVALID for one twice, NOT_FOUND for None, which is no id."""
    if len(media_ids) > MAX_POST_MEDIA:
        raise refused(RefusalCode.LIMIT_REACHED, f"a post shows at most {MAX_POST_MEDIA} pictures", _FIELD)
    found: list[int] = []
    for place, media_id in enumerate(media_ids):
        if media_id is None:
            raise _refusal(RefusalCode.NOT_FOUND, "there is no such upload", place)
        if media_id in found:
            raise _refusal(RefusalCode.INVALID, "the same picture twice", place)
        found.append(media_id)
    return found


async def lock_attachable(session: WriteSession, media_ids: Sequence[int], *, owner_id: int) -> None:
    """Locks them for a post that is about to be written. Raises RefusedError with the place of the first one that it cannot
    show: NOT_FOUND, also for others'; INVALID where it is not finished, or shown by another post; CONTENT_REJECTED.
    """
    if not media_ids:
        return
    own = await lock_own_media(session, media_ids, owner_id=owner_id)
    taken = await load_attached(session, media_ids)
    for place, media_id in enumerate(media_ids):
        problem = _why_not(own.get(media_id), is_taken=media_id in taken)
        if problem is not None:
            raise _refusal(*problem, place)


def _why_not(found: tuple[MediaRecord, bool] | None, *, is_taken: bool) -> tuple[RefusalCode, str] | None:
    if found is None:
        return RefusalCode.NOT_FOUND, "there is no such upload"
    media, is_finished = found
    if media.state is MediaState.REJECTED:
        return RefusalCode.CONTENT_REJECTED, "the upload was rejected"
    if not is_finished:
        return RefusalCode.INVALID, "the upload is not finished"
    return (RefusalCode.INVALID, "another post shows it already") if is_taken else None


def _refusal(code: RefusalCode, message: str, place: int) -> RefusedError:
    return refused(code, message, _FIELD, str(place))
