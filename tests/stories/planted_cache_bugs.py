"""Mistakes in what is kept in memory and caches beside the timelines: receivers, pulled authors and their posts."""

from __future__ import annotations

from typing import Any

from cache.pulled_authors import PulledAuthors
from cache.pulled_posts import PulledPosts
from cache.scripts import source
from cache.timelines import Timelines
from db import posts, pulled_posts
from domain.timeline_version import TimelineVersion
from services.fan_out import deliver_event as deliver_module
from services.fan_out.audiences import Audiences
from services.feeds import pulled_candidates as pulled_module
from tests.stories.planting import Patch, change_sql
from tests.world import World


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
    lists, hot_script = world.backends.pulled_posts, world.backends.redis.hot_script
    older, newer = source("read_pulled_older"), source("read_pulled_newer")
    assert "is_cut[list] = marker == cut" in older
    assert "string.sub(marker, -1) == 'c'" in newer
    lists._read_older = hot_script(older.replace("is_cut[list] = marker == cut", "is_cut[list] = false"))
    lists._read_newer = hot_script(newer.replace("string.sub(marker, -1) == 'c'", "false"))


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
    change_sql(patch, pulled_posts, "_PULLED_AUTHORS", "u.import_version", "0")


ALL = (
    old_lists_of_followers,
    version_of_before_the_decision,
    pulled_version_ignored,
    closed_before_it_was_listed,
    end_of_a_pulled_list_taken_as_its_authors_first_post,
    lists_of_another_run_believed,
    lists_read_before_the_mark,
    import_version_ignored,
)
