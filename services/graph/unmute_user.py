"""Use case: somebody takes a mute back."""

from __future__ import annotations

from db import shut_out, users
from services.backends import Backends
from services.graph.the_other import find_person, not_found, refuse_self


async def unmute_user(backends: Backends, *, viewer_id: int, user_id: int) -> None:
    """A second time changes nothing. Raises RefusedError: SELF_REFERENCE, NOT_FOUND."""
    refuse_self(viewer_id, user_id)
    async with backends.database.writing() as session:
        await users.lock_users(session, viewer_id)
        # The mute is the viewer's own: it can be taken back from an account that is hidden meanwhile, too.
        ended = await shut_out.delete_mute(session, viewer_id, user_id)
        if not ended and await find_person(session, user_id, viewer_id=viewer_id) is None:
            raise not_found()
    backends.relay_bell.ring()
