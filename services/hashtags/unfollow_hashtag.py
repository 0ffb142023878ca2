"""Use case: somebody no longer follows a hashtag."""

from __future__ import annotations

from db import hashtags, users
from domain.records import HashtagRecord
from services.backends import Backends
from services.hashtags.hashtag_name import check_hashtag_name


async def unfollow_hashtag(backends: Backends, *, viewer_id: int, name: str) -> HashtagRecord | None:
    """The hashtag, no longer followed; None where nobody has ever used or followed it. A second time changes nothing.

    Raises RefusedError: BLANK, TOO_LONG, INVALID.
    """
    normalised = check_hashtag_name(name)
    async with backends.database.writing() as session:
        await users.lock_users(session, viewer_id)
        hashtag = (await hashtags.load_hashtags_by_name(session, [normalised])).get(normalised)
        if hashtag is not None:
            await hashtags.delete_hashtag_follow(session, viewer_id, hashtag.id)
    backends.relay_bell.ring()
    return hashtag
