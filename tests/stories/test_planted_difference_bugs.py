"""Mistakes planted into the difference are found, each by the scene that is there for it; without them the scenes hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.stories import difference_scenarios as scenes
from tests.stories.planted_difference_bugs import BY_NAME
from tests.world import World

FOUND_BY: dict[str, Callable[[World], Awaitable[None]]] = {
    "told_changes_forgotten": scenes.changed_there_and_back,
    "pending_rows_left_behind": scenes.followed_again,
    "nothing_undone_about_posts": scenes.quoted_and_edited,
    "nothing_undone_about_accounts": scenes.deleted_and_hidden,
    "later_note_wins": scenes.muted_and_unmuted,
    "quotes_not_touched": scenes.quoted_and_edited,
    "days_not_counted_again": scenes.late_before_a_limit,
    "shares_that_are_gone_forgotten": scenes.the_only_share_is_gone,
    "friends_not_noted": scenes.no_friends_any_more,
    "quick_in_spite_of_changes": scenes.told_out_of_order,
    "accounts_compared_one_by_one": scenes.hidden_twice_over,
    "only_the_ends_compared": scenes.followed_again,
}
OTHERS = (scenes.hashtags_lost, scenes.edited_there_and_back)


def test_every_planted_mistake_has_a_scene() -> None:
    assert set(FOUND_BY) == set(BY_NAME)


@pytest.mark.parametrize("scene", [*dict.fromkeys(FOUND_BY.values()), *OTHERS], ids=lambda scene: scene.__name__)
async def test_a_scene_holds(world: World, scene: Callable[[World], Awaitable[None]]) -> None:
    await scene(world)


@pytest.mark.parametrize("name", sorted(FOUND_BY))
async def test_a_planted_mistake_is_found(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    BY_NAME[name](monkeypatch)
    with pytest.raises(AssertionError):
        await FOUND_BY[name](world)
