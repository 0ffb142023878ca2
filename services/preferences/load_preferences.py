"""Use case: somebody looks at their feed preferences."""

from __future__ import annotations

from db.users import load_settings
from domain.preferences import FeedPreferences
from services.backends import Backends


async def load_preferences(backends: Backends, *, viewer_id: int) -> FeedPreferences:
    """As they are stored; defaults where nothing is."""
    async with backends.database.at_once() as session:
        return FeedPreferences.from_settings(await load_settings(session, viewer_id))
