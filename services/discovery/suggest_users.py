"""Use cases: whom the viewer might like to follow, and keeping the list of popular accounts."""

from __future__ import annotations

from db.suggestions import follows_anybody, load_friends_of_friends, load_popular_strangers
from db.suggestions import refresh_popular_accounts as refresh_popular_accounts_in
from db.users import load_people
from domain.records import UserRecord
from domain.visibility import can_be_listed
from services.backends import Backends

MAX_FRIENDS = 300
"""Followees whose follows are looked at: those with whom the viewer deals most, then the newest."""
MAX_FOLLOWS_EACH = 100
MAX_STRANGERS = 1_000
POPULAR_ACCOUNTS = 2_000


async def suggest_users(backends: Backends, *, viewer_id: int, size: int) -> list[UserRecord]:
    """Friends of friends, those first that most of the viewer's followees follow; popular accounts for whoever follows nobody.

    Nobody whom the viewer follows, has asked, mutes, or stands in a block with.
    """
    async with backends.database.at_once() as session:
        if await follows_anybody(session, viewer_id):
            user_ids = await load_friends_of_friends(
                session,
                viewer_id,
                friends=MAX_FRIENDS,
                follows_each=MAX_FOLLOWS_EACH,
                strangers=MAX_STRANGERS,
                size=size,
            )
        else:
            user_ids = await load_popular_strangers(session, viewer_id, popular=POPULAR_ACCOUNTS, size=size)
        people = await load_people(session, user_ids, viewer_id=viewer_id)
    return [
        people[user_id][0] for user_id in user_ids if user_id in people and can_be_listed(*people[user_id], viewer_id=viewer_id)
    ]


async def refresh_popular_accounts(backends: Backends) -> None:
    """Finds the accounts with most followers anew."""
    async with backends.database.writing() as session:
        await refresh_popular_accounts_in(session, popular=POPULAR_ACCOUNTS)
