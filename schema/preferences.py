"""The viewer's feed preferences, and changing them."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain.feed import FeedOrder
from domain.preferences import FeedPreferences as FeedPreferencesRecord
from resolvers import preferences
from resolvers.context import Info, given
from resolvers.preferences import PreferencesPayload
from schema.inputs import INPUT
from schema.interfaces import UserError
from schema.records import represents


@represents(FeedPreferencesRecord)
@strawberry.type(description="What the viewer wants the home feed to be like.")
class FeedPreferences:
    default_order: FeedOrder = strawberry.field(description="The order of a feed that is asked for without one.")
    muted_words: list[str] = strawberry.field(description="Posts with one of these words or phrases stay out of the feed.")
    hide_shares: bool = strawberry.field(description="Shares without words stay out of the feed.")
    hide_seen: bool = strawberry.field(description="What was marked as seen stays out of the feed, in LATEST order.")


@strawberry.input(description="A change of the feed preferences. What is left out, or null, stays as it is.")
class UpdateFeedPreferencesInput:
    default_order: FeedOrder | None = strawberry.field(
        default=strawberry.UNSET, description="The order of a feed that is asked for without one."
    )
    muted_words: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All of them: at most 200 words or phrases of at most 100 characters, without regard to case.",
    )
    hide_shares: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether shares without words stay out of the feed."
    )
    hide_seen: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether what was marked as seen stays out of the feed."
    )


@represents(PreferencesPayload)
@strawberry.type(description="The answer to updateFeedPreferences.")
class UpdateFeedPreferencesPayload:
    preferences: FeedPreferences | None = strawberry.field(description="The preferences in their new state.")
    user_errors: list[UserError] = strawberry.field(description="What the caller can put right; empty where it is done.")


async def _update_feed_preferences(
    info: Info,
    input: Annotated[UpdateFeedPreferencesInput, INPUT],  # noqa: A002 - the argument's public name
) -> PreferencesPayload:
    return await preferences.update_feed_preferences(
        info.context,
        default_order=given(input.default_order),
        muted_words=given(input.muted_words),
        hide_shares=given(input.hide_shares),
        hide_seen=given(input.hide_seen),
    )


@strawberry.type(description="What can be done with preferences.")
class PreferenceMutations:
    update_feed_preferences = strawberry.mutation(
        resolver=_update_feed_preferences,
        graphql_type=UpdateFeedPreferencesPayload | None,
        description="Changes the viewer's feed preferences, in force from the next page on.",
    )
