"""Use case: somebody follows a hashtag."""

from __future__ import annotations

from db import hashtags, users
from domain.errors import RefusalCode, refused
from domain.records import HashtagRecord
from services.backends import Backends
from services.hashtags.hashtag_name import check_hashtag_name

MAX_FOLLOWED_HASHTAGS = 1_000


async def follow_hashtag(backends: Backends, *, viewer_id: int, name: str) -> HashtagRecord:
    """Posts that name it are in the feed from the next page on, older ones too. A second time changes nothing.

    Raises RefusedError: BLANK, TOO_LONG, INVALID, LIMIT_REACHED.
    """
    normalised = check_hashtag_name(name)
    async with backends.database.writing() as session:
        await users.lock_users(session, viewer_id)
        hashtag = await hashtags.find_or_insert_hashtag(session, normalised)
        if not await hashtags.load_followed_among(session, viewer_id, [hashtag.id]):
            if await hashtags.count_followed_hashtags(session, viewer_id) >= MAX_FOLLOWED_HASHTAGS:
                raise refused(
                    RefusalCode.LIMIT_REACHED, f"one account follows at most {MAX_FOLLOWED_HASHTAGS} hashtags", "name"
                )
            await hashtags.insert_hashtag_follow(session, viewer_id, hashtag.id)
    backends.relay_bell.ring()
    return hashtag
