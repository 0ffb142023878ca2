"""Mistakes that can be planted into our own code, to see whether the tests find them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from cache import timelines as timelines_module
from cache.timelines import Slice, Timelines, Warmth
from db import feed_candidates, outbox, pulled_posts
from domain import feed_rule
from domain.timeline_version import TimelineVersion
from services.backends import Backends
from services.fan_out import routes as routes_module
from services.feeds import feed_candidates as reader_module
from services.feeds import read_home_feed
from services.fill_page import FilledPage, fill_page
from tests.stories import planted_cache_bugs as cache_bugs
from tests.stories import planted_rule_bugs as rule_bugs
from tests.stories.planting import Patch, change_script, change_sql
from tests.world import World

SMALLER_THAN_A_LARGE_CAP = 8


DELIVER = ("floors", "tell_viewers", "deliver")
"""The parts of the script that delivers."""


def open_promises_not_merged(patch: Patch, _: World) -> None:
    change_sql(patch, feed_candidates, "_UNLISTED_BOTH", "o.kind = 'post_published'", "false")


def promises_counted_as_posts(patch: Patch, _: World) -> None:
    change_sql(patch, feed_candidates, "_UNLISTED_BOTH", "SELECT DISTINCT", "SELECT")


def pulled_authors_not_merged(patch: Patch, _: World) -> None:
    change_sql(patch, pulled_posts, "_PULLED_AUTHORS", "u.has_pulled_posts", "false")


def below_the_slice_other_rules(patch: Patch, _: World) -> None:
    change_sql(patch, feed_candidates, "_ALL_BOTH", "deleted_at IS NULL", "deleted_at IS NULL AND delivery = 'PUSH'")


def graph_version_ignored(patch: Patch, _: World) -> None:
    patch.setattr(Timelines, "_version_part", lambda self, version: f":{self._client.run_id}:{version.database}:0:")


def server_run_ignored(patch: Patch, _: World) -> None:
    patch.setattr(Timelines, "_version_part", lambda self, version: f":run:{version.database}:{version.graph}:")


def database_ignored(patch: Patch, _: World) -> None:
    patch.setattr(Timelines, "_version_part", lambda self, version: f":{self._client.run_id}:{version.graph}:")


def cut_slice_taken_as_whole(patch: Patch, _: World) -> None:
    to_slice = Timelines.to_slice

    def careless(self: Timelines, *arguments: Any) -> Slice:
        found = to_slice(self, *arguments)
        return Slice(found.warmth, found.ids, covers=found.covers or found.warmth is Warmth.WARM)

    patch.setattr(Timelines, "to_slice", careless)


def trimmed_without_saying_so(_: Patch, world: World) -> None:
    change_script(world, "_deliver", DELIVER, "if byte(marker) == READY and byte(marker, -1) ~= CUT then", "if false then")


def written_to_cold_timelines(_: Patch, world: World) -> None:
    change_script(
        world,
        "_deliver",
        DELIVER,
        "if size > 0 and (",
        "if size == 0 or (",
    )


def written_below_the_floor(_: Patch, world: World) -> None:
    change_script(
        world,
        "_deliver",
        DELIVER,
        "return member == last or is_newer(member, last)",
        "return true",
    )


def floors_not_asked_for(_: Patch, world: World) -> None:
    change_script(
        world, "_deliver", DELIVER, "local is_above_all = floor and is_newer(member, floor)", "local is_above_all = true"
    )


def ties_the_other_way_round(_: Patch, world: World) -> None:
    change_script(world, "_read", "read_timeline", "member > place)", "member < place)")


def building_timelines_not_written_to(_: Patch, world: World) -> None:
    change_script(
        world,
        "_deliver",
        DELIVER,
        "if size > 0 and (",
        "if size > 0 and byte(call('ZRANGE', key, 0, 0)[1]) ~= byte('b') and (",
    )


def relation_not_judged_again(patch: Patch, _: World) -> None:
    patch.setattr(feed_rule, "is_source", lambda *_: True)


def cursor_of_the_last_shown(patch: Patch, _: World) -> None:
    async def careless(fetch: Any, *, start: Any, size: int) -> FilledPage[Any, Any]:
        filled = await fill_page(fetch, start=start, size=size)
        return FilledPage(filled.items, filled.has_more, filled.items[-1][0] if filled.items else None)

    patch.setattr(read_home_feed, "fill_page", careless)


def short_pages_end_the_scroll(patch: Patch, _: World) -> None:
    async def careless(fetch: Any, *, start: Any, size: int) -> FilledPage[Any, Any]:
        rows = [row for row in await fetch(start, size) if row[1] is not None]
        return FilledPage(rows, len(rows) == size, rows[-1][0] if rows else None)

    patch.setattr(read_home_feed, "fill_page", careless)


def rebuilt_before_marking(patch: Patch, _: World) -> None:
    async def careless(backends: Backends, session: Any, viewer_id: int, *, version: TimelineVersion) -> list[int] | None:
        rows = await feed_candidates.load_pushed_ids(session, viewer_id, size=backends.timelines.cap + 1)
        claim = await backends.timelines.begin_building(viewer_id, version=version)
        if claim is not None:
            await backends.timelines.finish_building(claim, rows)
        return rows

    patch.setattr(reader_module, "rebuild_timeline", careless)


def private_posts_pushed(patch: Patch, _: World) -> None:
    patch.setattr(routes_module, "Visibility", SimpleNamespace(PRIVATE=object()))


def deletions_not_delivered(patch: Patch, _: World) -> None:
    async def nothing(*_: Any) -> None:
        return None

    patch.setattr(Timelines, "remove", nothing)


def backwards_by_the_present_cap(patch: Patch, _: World) -> None:
    patch.setattr(timelines_module, "_MORE_THAN_ANY_CAP", SMALLER_THAN_A_LARGE_CAP)


def stale_attempts_go_on(patch: Patch, _: World) -> None:
    change_sql(patch, outbox, "_HELD", "o.attempts = :attempt", "o.attempts >= :attempt")


def a_dead_builder_holds_for_ever(patch: Patch, _: World) -> None:
    patch.setattr(timelines_module, "BUILDING_SECONDS", 86_400.0)


BY_NAME: dict[str, Callable[[Patch, World], None]] = {
    plant.__name__: plant
    for plant in (
        open_promises_not_merged,
        promises_counted_as_posts,
        pulled_authors_not_merged,
        below_the_slice_other_rules,
        graph_version_ignored,
        server_run_ignored,
        database_ignored,
        cut_slice_taken_as_whole,
        trimmed_without_saying_so,
        written_to_cold_timelines,
        written_below_the_floor,
        floors_not_asked_for,
        ties_the_other_way_round,
        building_timelines_not_written_to,
        relation_not_judged_again,
        cursor_of_the_last_shown,
        short_pages_end_the_scroll,
        rebuilt_before_marking,
        private_posts_pushed,
        deletions_not_delivered,
        backwards_by_the_present_cap,
        stale_attempts_go_on,
        a_dead_builder_holds_for_ever,
        *cache_bugs.ALL,
        *rule_bugs.ALL,
    )
}
"""All of them."""
