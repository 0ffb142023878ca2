"""Use case: somebody takes a block back."""

from __future__ import annotations

from db import shut_out
from services.backends import Backends
from services.graph.the_other import lock_both, not_found, refuse_self


async def unblock_user(backends: Backends, *, viewer_id: int, user_id: int) -> None:
    """Both may see each other again; what the block has ended stays ended. A second time changes nothing.

    Raises RefusedError: SELF_REFERENCE, NOT_FOUND.
    """
    refuse_self(viewer_id, user_id)
    async with backends.database.writing() as session:
        person = await lock_both(session, viewer_id, user_id)
        # The block is the viewer's own: it can be taken back from an account that is hidden meanwhile, too.
        if not await shut_out.delete_block(session, viewer_id, user_id) and person is None:
            raise not_found()
    backends.relay_bell.ring()
