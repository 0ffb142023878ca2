"""Use case: somebody changes their feed preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from db import users
from domain.feed import FeedOrder
from domain.preferences import FeedPreferences, check_muted_words
from services.backends import Backends


async def update_preferences(
    backends: Backends,
    *,
    viewer_id: int,
    default_order: FeedOrder | None,
    muted_words: Sequence[str] | None,
    hide_shares: bool | None,
    hide_seen: bool | None,
) -> FeedPreferences:
    """The new state, in force from the viewer's next page on; None leaves a part as it is.

    Raises RefusedError for muted words: BLANK, TOO_LONG, INVALID, LIMIT_REACHED.
    """
    changes = {
        "default_order": default_order,
        "muted_words": check_muted_words(muted_words) if muted_words is not None else None,
        "hide_shares": hide_shares,
        "hide_seen": hide_seen,
    }
    async with backends.database.writing() as session:
        await users.lock_users(session, viewer_id)
        before = FeedPreferences.from_settings(await users.load_settings(session, viewer_id))
        after = replace(before, **{name: value for name, value in changes.items() if value is not None})  # type: ignore[arg-type]
        if after != before:
            await users.store_settings(session, viewer_id, after.to_settings())
    backends.relay_bell.ring()
    return after
