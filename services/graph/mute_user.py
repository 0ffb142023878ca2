"""Use case: somebody does not want to meet an account in the feed and in notifications."""

from __future__ import annotations

from datetime import datetime

from db import shut_out, users
from domain.errors import RefusalCode, refused
from services.backends import Backends
from services.graph.the_other import refuse_self, require_person


async def mute_user(backends: Backends, *, viewer_id: int, user_id: int, until: datetime | None) -> None:
    """Until that instant, or for good; takes the place of an earlier mute. Nobody else ever knows.

    Raises RefusedError: SELF_REFERENCE, NOT_FOUND, INVALID for an instant that is not in the future.
    """
    refuse_self(viewer_id, user_id)
    if until is not None:
        # To the millisecond, as instants are shown. The driver also takes the last microsecond of all for infinity.
        until = until.replace(microsecond=until.microsecond // 1_000 * 1_000)
    async with backends.database.writing() as session:
        # What the change replaces is noted: nobody else may replace it meanwhile.
        await users.lock_users(session, viewer_id)
        await require_person(session, user_id, viewer_id=viewer_id)
        if until is not None and not await shut_out.is_future(session, until):
            raise refused(RefusalCode.INVALID, "until must be in the future", "until")
        await shut_out.set_mute(session, viewer_id, user_id, until=until)
    backends.relay_bell.ring()
