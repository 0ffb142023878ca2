"""The viewer's feed preferences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.errors import Refusal, RefusedError
from domain.feed import FeedOrder
from domain.preferences import FeedPreferences
from resolvers.context import Info, OperationContext
from services.preferences.load_preferences import load_preferences
from services.preferences.update_preferences import update_preferences


@dataclass(frozen=True, slots=True)
class PreferencesPayload:
    """The answer of updateFeedPreferences."""

    preferences: FeedPreferences | None = None
    user_errors: list[Refusal] = field(default_factory=list)


async def feed_preferences(info: Info) -> FeedPreferences:
    return await load_preferences(info.context.backends, viewer_id=info.context.require_viewer_id())


async def update_feed_preferences(
    context: OperationContext,
    *,
    default_order: FeedOrder | None,
    muted_words: Sequence[str] | None,
    hide_shares: bool | None,
    hide_seen: bool | None,
) -> PreferencesPayload:
    viewer_id = context.require_viewer_id()
    try:
        changed = await update_preferences(
            context.backends,
            viewer_id=viewer_id,
            default_order=default_order,
            muted_words=muted_words,
            hide_shares=hide_shares,
            hide_seen=hide_seen,
        )
    except RefusedError as error:
        return PreferencesPayload(user_errors=list(error.refusals))
    context.forget_loaded()
    return PreferencesPayload(changed)
