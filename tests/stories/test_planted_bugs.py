"""A test of the tests: mistakes planted into our own code are found, each by the scene that is there for it.

The random walks find them as well, some of them only after many walks: `make check-feeds ARGS="--plant NAME"`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tests.stories import cache_scenarios as caches
from tests.stories import limit_scenarios as limits
from tests.stories import place_scenarios as places
from tests.stories import reason_scenarios as reasons
from tests.stories import trap_scenarios as traps
from tests.stories.planted_bugs import BY_NAME
from tests.world import World

FOUND_BY: dict[str, Callable[[World], Awaitable[None]]] = {
    "open_promises_not_merged": traps.workers_stop_and_resume,
    "promises_counted_as_posts": traps.hidden_and_shown_again,
    "pulled_authors_not_merged": traps.around_the_threshold,
    "below_the_slice_other_rules": traps.around_the_threshold,
    "graph_version_ignored": traps.followed_and_unfollowed,
    "server_run_ignored": traps.another_server_run,
    "database_ignored": traps.another_database,
    "cut_slice_taken_as_whole": traps.scroll_beyond_the_cap,
    "trimmed_without_saying_so": traps.scroll_beyond_the_cap,
    "written_to_cold_timelines": traps.a_sleeping_timeline_stays_asleep,
    "written_below_the_floor": traps.an_old_post_shown_late,
    "floors_not_asked_for": traps.an_old_post_shown_late,
    "ties_the_other_way_round": traps.one_millisecond,
    "building_timelines_not_written_to": traps.delivered_while_rebuilding,
    "relation_not_judged_again": traps.unfollowed_while_fan_out_runs,
    "cursor_of_the_last_shown": traps.almost_everything_is_filtered,
    "short_pages_end_the_scroll": traps.almost_everything_is_filtered,
    "rebuilt_before_marking": traps.delivered_while_rebuilding,
    "private_posts_pushed": traps.private_posts_stay_at_home,
    "deletions_not_delivered": traps.deleted_at_every_step,
    "backwards_by_the_present_cap": traps.a_smaller_cap,
    "stale_attempts_go_on": traps.a_stale_attempt,
    "pulled_version_ignored": caches.pulled_for_the_first_time,
    "closed_before_it_was_listed": caches.pulled_for_the_first_time,
    "end_of_a_pulled_list_taken_as_its_authors_first_post": caches.pulled_for_the_first_time,
    "lists_of_another_run_believed": caches.lists_of_the_past,
    "lists_read_before_the_mark": caches.listed_while_rebuilding,
    "import_version_ignored": caches.pulled_posts_hidden_deleted_and_imported,
    "old_lists_of_followers": caches.followed_between_two_posts,
    "version_of_before_the_decision": caches.followed_while_it_is_decided,
    "a_dead_builder_holds_for_ever": traps.back_after_a_dead_builder,
    "repeat_window_ignored": limits.repeated_after_the_window,
    "repeat_window_without_its_edge": limits.repeated_after_the_window,
    "sibling_shares_not_loaded": limits.shared_again_far_above,
    "mute_of_the_roots_author_ignored": reasons.muted_originals_are_not_shared_in,
    "block_checked_one_way": reasons.blocked_in_either_direction,
    "kept_history_without_its_limit": limits.kept_history,
    "kept_viewers_left_out_of_fan_out": limits.kept_history,
    "hashtag_reasons_only_of_the_followed": reasons.unfollowed_hashtag,
    "hashtags_not_merged_into_timelines": reasons.unfollowed_hashtag,
    "daily_limit_counts_what_is_there": limits.daily_limits,
    "daily_limit_of_the_last_24_hours": limits.daily_limits,
    "daily_limit_on_hashtags_too": limits.daily_limits,
    "hide_seen_by_the_present_place": places.seen_ones_are_left_out_as_the_walk_began,
    "the_last_mark_wins": places.the_furthest_mark_wins,
    "unseen_counts_the_place_itself": places.the_furthest_mark_wins,
    "unshare_removes_other_shares": reasons.one_reason_less,
    "shares_outlive_the_original": reasons.shares_go_with_what_they_share,
    "muted_words_of_the_share_itself": reasons.shares_go_with_what_they_share,
    "reasons_beyond_the_window": limits.repeated_after_the_window,
    "oldest_sharers_named": limits.repeated_after_the_window,
}


def test_every_planted_bug_has_a_scene() -> None:
    assert set(FOUND_BY) == set(BY_NAME)


@pytest.mark.parametrize("name", sorted(FOUND_BY))
async def test_a_planted_bug_is_found(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("cache.timelines.TRIM_SLACK", 2)
    # The way through the truth alone; what is planted into the quick one has a test of its own.
    world.backends = replace(world.backends, memory=None)
    BY_NAME[name](monkeypatch, world)
    with pytest.raises(AssertionError):
        await FOUND_BY[name](world)
