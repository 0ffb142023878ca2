"""Use case: the viewer has read their notifications up to one of them."""

from __future__ import annotations

from db.notifications import mark_read
from domain.errors import RefusalCode, refused
from services.backends import Backends
from services.notifications.count_unread import count_unread


async def mark_notifications_read(backends: Backends, *, viewer_id: int, notification_id: int) -> int:
    """That one and all below it are read, as they are now; returns how many are not. An older one changes nothing.

    Raises RefusedError NOT_FOUND for those of others, as for such that do not exist.
    """
    async with backends.database.writing() as session:
        if not await mark_read(session, notification_id, recipient_id=viewer_id):
            raise refused(RefusalCode.NOT_FOUND, "there is no such notification", "notificationId")
    return await count_unread(backends, viewer_id=viewer_id)
