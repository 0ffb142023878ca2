"""Use case: a moderator removes a post."""

from __future__ import annotations

from db.posts import load_fan_out_facts
from domain.errors import RefusalCode, RefusedError
from domain.ids import MAX_ID
from services.backends import Backends
from services.posts.delete_post import delete_post


async def remove_post(backends: Backends, *, post_id: int) -> bool:
    """Exactly what its author's deletion does. False where there is no such post (any more)."""
    if not 0 <= post_id <= MAX_ID:
        return False
    async with backends.database.reading() as session:
        facts = await load_fan_out_facts(session, post_id)
    if facts is None:
        return False
    try:
        await delete_post(backends, author_id=facts[0], post_id=post_id)
    except RefusedError as error:
        if [refusal.code for refusal in error.refusals] == [RefusalCode.NOT_FOUND]:
            return False
        raise
    return True
