"""A test of the tests: mistakes planted into our own code are found, each by the scene that is there for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from cache import timelines as timelines_module
from cache.pulled_authors import PulledAuthors
from cache.pulled_posts import PulledPosts
from cache.scripts import source
from cache.timelines import Slice, Timelines, Warmth
from db import feed_candidates, outbox, posts, pulled_posts
from domain import feed_rule
from domain.timeline_version import TimelineVersion
from services.backends import Backends
from services.fan_out import deliver_event as deliver_module
from services.fan_out.audiences import Audiences
from services.feeds import feed_candidates as reader_module
from services.feeds import pulled_candidates as pulled_module
from services.feeds import read_home_feed
from services.fill_page import FilledPage, fill_page
from tests.stories import cache_scenarios as cache_scenes
from tests.stories import trap_scenarios as scenes
from tests.world import World

Patch = pytest.MonkeyPatch


def _sql(patch: Patch, module: Any, name: str, old: str, new: str) -> None:
    statement = getattr(module, name)
    parts = statement if isinstance(statement, tuple) else (statement,)
    assert all(old in part.text for part in parts), f"{old!r} is no longer in {name}"
    changed = tuple(text(part.text.replace(old, new)) for part in parts)
    patch.setattr(module, name, changed if isinstance(statement, tuple) else changed[0])


def _script(world: World, attribute: str, name: str, old: str, new: str) -> None:
    script = source(name)
    assert old in script, f"{old!r} is no longer in {name}.lua"
    register = world.backends.redis.redis.register_script
    setattr(world.backends.timelines, attribute, register(script.replace(old, new)))


def open_promises_not_merged(patch: Patch, _: World) -> None:
    _sql(patch, feed_candidates, "_UNLISTED_BOTH", "o.kind = 'post_published'", "false")


def promises_counted_as_posts(patch: Patch, _: World) -> None:
    _sql(patch, feed_candidates, "_UNLISTED_BOTH", "SELECT DISTINCT", "SELECT")


def pulled_authors_not_merged(patch: Patch, _: World) -> None:
    _sql(patch, pulled_posts, "_PULLED_AUTHORS", "u.has_pulled_posts", "false")


def below_the_slice_other_rules(patch: Patch, _: World) -> None:
    _sql(patch, feed_candidates, "_ALL_BOTH", "deleted_at IS NULL", "deleted_at IS NULL AND delivery = 'PUSH'")


def graph_version_ignored(patch: Patch, _: World) -> None:
    patch.setattr(Timelines, "_version_part", lambda self, version: f":{self._client.run_id}:{version.database}:0:")


def server_run_ignored(patch: Patch, _: World) -> None:
    patch.setattr(Timelines, "_version_part", lambda self, version: f":run:{version.database}:{version.graph}:")


def database_ignored(patch: Patch, _: World) -> None:
    patch.setattr(Timelines, "_version_part", lambda self, version: f":{self._client.run_id}:{version.graph}:")


def cut_slice_taken_as_whole(patch: Patch, _: World) -> None:
    read = Timelines._read_slice

    async def careless(self: Timelines, *arguments: Any) -> Slice:
        found = await read(self, *arguments)
        return Slice(found.warmth, found.ids, covers=found.covers or found.warmth is Warmth.WARM)

    patch.setattr(Timelines, "_read_slice", careless)


def trimmed_without_saying_so(_: Patch, world: World) -> None:
    _script(world, "_deliver", "deliver", "if string.sub(marker, -1) == 'w' then", "if false then")


def written_to_cold_timelines(_: Patch, world: World) -> None:
    _script(
        world,
        "_deliver",
        "deliver",
        "elseif state == 'r' then",
        "elseif not state then redis.call('ZADD', key, score, member) elseif state == 'r' then",
    )


def written_below_the_floor(_: Patch, world: World) -> None:
    _script(
        world,
        "_deliver",
        "deliver",
        "local fits = true\n    if string.sub(marker, -1) == 'c' then",
        "local fits = true\n    if false then",
    )


def ties_the_other_way_round(_: Patch, world: World) -> None:
    _script(world, "_read", "read_timeline", "batch[i] > first)", "batch[i] < first)")


def building_timelines_not_written_to(_: Patch, world: World) -> None:
    _script(world, "_deliver", "deliver", "if state == 'b' then", "if state == 'never' then")


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
    patch.setattr(deliver_module, "Visibility", SimpleNamespace(PRIVATE=object()))


def deletions_not_delivered(patch: Patch, _: World) -> None:
    async def nothing(*_: Any) -> None:
        return None

    patch.setattr(Timelines, "remove", nothing)


def backwards_by_the_present_cap(patch: Patch, _: World) -> None:
    patch.setattr(timelines_module, "_MORE_THAN_ANY_CAP", scenes.CAP + 3)


def stale_attempts_go_on(patch: Patch, _: World) -> None:
    _sql(patch, outbox, "_HELD", "o.attempts = :attempt", "o.attempts >= :attempt")


def a_dead_builder_holds_for_ever(patch: Patch, _: World) -> None:
    patch.setattr(timelines_module, "BUILDING_SECONDS", 86_400.0)


def old_lists_of_followers(patch: Patch, _: World) -> None:
    def careless(self: Audiences, author_id: int, _: int) -> Any:
        return self._lists[author_id][1] if author_id in self._lists else None

    patch.setattr(Audiences, "known", careless)


def version_of_before_the_decision(patch: Patch, _: World) -> None:
    load = posts.load_fan_out_facts
    versions: list[int] = []

    async def facts(*arguments: Any, **named: Any) -> Any:
        found = await load(*arguments, **named)
        assert found is not None
        versions.append(found.audience_version)
        return found

    async def stale(*_: Any) -> int:
        return versions[-1]

    patch.setattr(posts, "load_fan_out_facts", facts)
    patch.setattr(deliver_module, "load_audience_version", stale)


def pulled_version_ignored(patch: Patch, _: World) -> None:
    patch.setattr(PulledAuthors, "_marker", lambda self, version: f"{self._client.run_id}:{version.timeline.graph}".encode())


def closed_before_it_was_listed(patch: Patch, _: World) -> None:
    async def nothing(*_: Any) -> int:
        return 0

    patch.setattr(PulledPosts, "deliver", nothing)


def end_of_a_pulled_list_taken_as_its_authors_first_post(_: Patch, world: World) -> None:
    script = source("read_pulled")
    old = "(newer or not reaches) and string.sub(marker, -1) == 'c'"
    assert old in script
    world.backends.pulled_posts._read_pulled = world.backends.redis.redis.register_script(script.replace(old, "false"))


def lists_of_another_run_believed(patch: Patch, _: World) -> None:
    patch.setattr(PulledAuthors, "_marker", lambda self, version: f"{version}".encode())
    read, version_part = PulledPosts._read_part, Timelines._version_part

    async def careless(self: PulledPosts, *arguments: Any) -> Any:
        now, self._client._run.id = self._client.run_id, "run"
        try:
            return await read(self, *arguments)
        finally:
            self._client._run.id = now

    def unnamed(self: Timelines, version: TimelineVersion) -> str:
        part = version_part(self, version)
        return part.replace(f":{self._client.run_id}:", ":run:") if isinstance(self, PulledPosts) else part

    patch.setattr(PulledPosts, "_read_part", careless)
    patch.setattr(Timelines, "_version_part", unnamed)


def lists_read_before_the_mark(patch: Patch, _: World) -> None:
    async def careless(self: pulled_module.PulledReader, versions: dict[int, TimelineVersion]) -> None:
        lists = self.backends.pulled_posts
        rows = await pulled_posts.load_newest_pulled_ids(self.session, versions, size=lists.cap + 1)
        claims = await lists.begin_building_many(versions)
        await lists.finish_building_many([(claim, rows[claim.owner_id]) for claim in claims])

    patch.setattr(pulled_module.PulledReader, "_rebuild", careless)


def import_version_ignored(patch: Patch, _: World) -> None:
    _sql(patch, pulled_posts, "_PULLED_AUTHORS", "u.import_version", "0")


PLANTED: list[tuple[Callable[[Patch, World], None], Callable[[World], Awaitable[None]]]] = [
    (open_promises_not_merged, scenes.workers_stop_and_resume),
    (promises_counted_as_posts, scenes.hidden_and_shown_again),
    (pulled_authors_not_merged, scenes.around_the_threshold),
    (below_the_slice_other_rules, scenes.around_the_threshold),
    (graph_version_ignored, scenes.followed_and_unfollowed),
    (server_run_ignored, scenes.another_server_run),
    (database_ignored, scenes.another_database),
    (cut_slice_taken_as_whole, scenes.scroll_beyond_the_cap),
    (trimmed_without_saying_so, scenes.scroll_beyond_the_cap),
    (written_to_cold_timelines, scenes.a_sleeping_timeline_stays_asleep),
    (written_below_the_floor, scenes.an_old_post_shown_late),
    (ties_the_other_way_round, scenes.one_millisecond),
    (building_timelines_not_written_to, scenes.delivered_while_rebuilding),
    (relation_not_judged_again, scenes.unfollowed_while_fan_out_runs),
    (cursor_of_the_last_shown, scenes.almost_everything_is_filtered),
    (short_pages_end_the_scroll, scenes.almost_everything_is_filtered),
    (rebuilt_before_marking, scenes.delivered_while_rebuilding),
    (private_posts_pushed, scenes.private_posts_stay_at_home),
    (deletions_not_delivered, scenes.deleted_at_every_step),
    (backwards_by_the_present_cap, scenes.a_smaller_cap),
    (stale_attempts_go_on, scenes.a_stale_attempt),
    (pulled_version_ignored, cache_scenes.pulled_for_the_first_time),
    (closed_before_it_was_listed, cache_scenes.pulled_for_the_first_time),
    (end_of_a_pulled_list_taken_as_its_authors_first_post, cache_scenes.pulled_for_the_first_time),
    (lists_of_another_run_believed, cache_scenes.lists_of_the_past),
    (lists_read_before_the_mark, cache_scenes.listed_while_rebuilding),
    (import_version_ignored, cache_scenes.pulled_posts_hidden_deleted_and_imported),
    (old_lists_of_followers, cache_scenes.followed_between_two_posts),
    (version_of_before_the_decision, cache_scenes.followed_while_it_is_decided),
    (a_dead_builder_holds_for_ever, scenes.back_after_a_dead_builder),
]


@pytest.mark.parametrize(("plant", "scene"), PLANTED, ids=lambda part: part.__name__)
async def test_a_planted_bug_is_found(
    world: World,
    monkeypatch: Patch,
    plant: Callable[[Patch, World], None],
    scene: Callable[[World], Awaitable[None]],
) -> None:
    monkeypatch.setattr("cache.timelines.TRIM_SLACK", 2)
    plant(monkeypatch, world)
    with pytest.raises(AssertionError):
        await scene(world)
