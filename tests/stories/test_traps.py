"""The traps that feed servers fall into, each with its test; the numbers are those of the project's list of traps.

====  =======================================  =====================================================================
trap  what goes wrong elsewhere                test here (a scene's name is the test's id)
====  =======================================  =====================================================================
1     the scroll stops at the cache's cap      scroll_beyond_the_cap
2     a hole inside the cache                  workers_stop_and_resume, a_sleeping_timeline_stays_asleep
3     an unfollow races with fan-out           unfollowed_while_fan_out_runs; live: test_live
4     a parked share comes back                hidden_shares_do_not_come_back
5     unsharing takes other reasons with it    one_reason_less
6     a share before its original              any_order_of_arrival
7     who returns sees nothing                 a_sleeping_timeline_stays_asleep, back_after_a_dead_builder
8     "empty" said when it is not known        empty_is_said_only_when_known
9     blocks and mutes leave something         blocked_in_either_direction, muted_originals_are_not_shared_in;
                                               replies are not part of this server, and mentions hide nothing
10    a hashtag takes too much or too little   unfollowed_hashtag, one_reason_less
11    short pages end the scroll               almost_everything_is_filtered
12    the fallback differs from the cache      same_by_every_way within most scenes, test_feed_machine
13    pages repeat or skip under a new order   changed_between_two_pages (LATEST; its order cannot change)
14    a gap when a client reconnects           test_live
15    an event between query and subscription  test_live
20    the own post is missing                  test_an_own_post_is_there_at_once_and_stays
21    visibility changes both ways             hidden_and_shown_again, private_posts_stay_at_home,
                                               shares_go_with_what_they_share; live: test_live
22    deleted during fan-out                   deleted_at_every_step; live: test_live
23    a hot author or reader                   a_large_fan_out_under_way; what it costs others: the bench
24    crossing the threshold                   around_the_threshold, pulled_for_the_first_time
25    the unread mark moves backwards          the_furthest_mark_wins
26    clocks and ids at a border               one_millisecond, repeated_after_the_window, daily_limits
====  =======================================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.stories import cache_scenarios, limit_scenarios, place_scenarios, reason_scenarios, trap_scenarios
from tests.world import World

SCENES = [
    scene
    for module in (trap_scenarios, cache_scenarios, reason_scenarios, limit_scenarios, place_scenarios)
    for scene in module.SCENES
]


@pytest.fixture(autouse=True)
def _small_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache.timelines.TRIM_SLACK", 2)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_we_do_not_fall_into_it(world: World, scene: Callable[[World], Awaitable[None]]) -> None:
    await scene(world)


async def test_an_own_post_is_there_at_once_and_stays(world: World) -> None:
    """Trap 20."""
    await trap_scenarios.ada_and_bob(world)
    posts = [await world.post("bob")]
    assert await world.walk("bob") == posts
    for _ in range(2):
        await world.drain()
        assert await trap_scenarios.same_by_every_way(world, "bob") == posts
