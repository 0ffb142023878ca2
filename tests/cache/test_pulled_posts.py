"""Many lists read as one, against a model in plain Python; on a real Valkey."""

from __future__ import annotations

import random
from typing import Any

import pytest

from cache import keys
from cache.pulled_authors import PulledAuthorsVersion
from cache.timelines import TRIM_SLACK
from domain.errors import CacheUnavailableError
from domain.ids import MAX_ID, make_id
from domain.timeline_version import TimelineVersion
from services.backends import Backends

_NOW_MS = 1_790_000_000_000
VERSION = TimelineVersion("01234567.1", 3)


@pytest.fixture(autouse=True)
async def _nothing_of_other_tests(backends: Backends) -> None:
    """The ids are small and the same in each test, and the server is there for all of them."""
    await backends.redis.redis.flushdb()


async def _fill(backends: Backends, author_id: int, post_ids: list[int], version: TimelineVersion = VERSION) -> None:
    """As a rebuild does: the newest ones, one more than the cap where there are more."""
    lists = backends.pulled_posts
    (claim,) = await lists.begin_building_many({author_id: version})
    await lists.finish_building_many([(claim, sorted(post_ids, reverse=True)[: lists.cap + 1])])


@pytest.mark.parametrize("seed", range(12))
async def test_merged_lists_and_the_truth_of_those_that_cannot_answer_give_the_page(backends: Backends, seed: int) -> None:
    chance = random.Random(seed)
    backends.pulled_posts.cap = chance.randrange(2, 9)
    posts: dict[int, list[int]] = {}
    for author in range(1, chance.randrange(2, 12)):
        # Few milliseconds, so that many posts share one; several of one author, as imports make them.
        made = {(chance.randrange(6), chance.randrange(3)) for _ in range(chance.randrange(0, 16))}
        posts[author] = [make_id(milliseconds=_NOW_MS + ms, sequence=seq, shard=author) for ms, seq in sorted(made)]
        if chance.random() < 0.8:
            await _fill(backends, author, posts[author])
    everything = sorted((post for ids in posts.values() for post in ids), reverse=True)
    versions = dict.fromkeys(posts, VERSION)
    for position in (0, MAX_ID, make_id(milliseconds=_NOW_MS + 2, sequence=9, shard=500), *everything):
        for size in (1, 2, 5, 40):
            for newer in (False, True):
                merged = await backends.pulled_posts.read_merged(versions, position=position, newer=newer, size=size)
                unanswered = {post for author in (*merged.cold, *merged.short) for post in posts[author]}
                beyond = [post for post in everything if (post > position if newer else post < position)]
                expected = beyond[::-1][:size] if newer else beyond[:size]
                candidates = {*merged.ids, *(post for post in beyond if post in unanswered)}
                assert sorted(candidates, reverse=not newer)[:size] == expected
                assert merged.ids == sorted(merged.ids, reverse=not newer)
                assert len(merged.ids) <= size


async def test_no_list_is_asked_for_in_vain(backends: Backends) -> None:
    """Whole lists answer for all times, cut ones down to their ends."""
    lists = backends.pulled_posts
    lists.cap = 3
    old, new = ([make_id(milliseconds=_NOW_MS + ms, sequence=0, shard=a) for ms in range(a, a + 8)] for a in (1, 100))
    await _fill(backends, 1, old[:3])
    await _fill(backends, 2, new)
    versions = {1: VERSION, 2: VERSION, 3: VERSION}
    first = await lists.read_merged(versions, position=MAX_ID, newer=False, size=3)
    assert (first.ids, first.cold, first.short) == (new[:-4:-1], [3], [])
    second = await lists.read_merged(versions, position=new[-3], newer=False, size=3)
    assert (second.ids, second.short) == (old[2::-1], [2])
    back = await lists.read_merged(versions, position=new[-3], newer=True, size=1)
    assert (back.ids, back.short) == ([new[-2]], [])
    oldest = await lists.read_merged(versions, position=0, newer=True, size=2)
    assert (oldest.ids, oldest.short) == (old[:2], [2])


async def test_a_list_of_another_version_is_cold(backends: Backends) -> None:
    await _fill(backends, 1, [5])
    for other in (TimelineVersion("01234567.1", 4), TimelineVersion("76543210.1", 3), TimelineVersion("01234567.1", 33)):
        found = await backends.pulled_posts.read_merged({1: other}, position=MAX_ID, newer=False, size=5)
        assert (found.ids, found.cold) == ([], [1])


async def test_only_one_reader_makes_a_list(backends: Backends) -> None:
    lists = backends.pulled_posts
    first = await lists.begin_building_many({1: VERSION, 2: VERSION})
    assert [claim.owner_id for claim in first] == [1, 2]
    assert [claim.owner_id for claim in await lists.begin_building_many({2: VERSION, 3: VERSION})] == [3]
    assert await lists.deliver([1], 7) == 1
    await lists.forget([2])
    await lists.finish_building_many([(claim, [5]) for claim in first])
    assert (await lists.inspect(1)).ids == [7, 5]
    assert (await lists.inspect(2)).marker is None


async def test_deliveries_trim_the_list_and_say_so(backends: Backends) -> None:
    lists = backends.pulled_posts
    lists.cap = 3
    await _fill(backends, 1, [5])
    for post_id in range(10, 10 + TRIM_SLACK + 3):
        await lists.deliver([1], post_id << 22)
    inspection = await lists.inspect(1)
    assert len(inspection.ids) == 3
    assert not inspection.is_whole
    assert (await lists.read_merged({1: VERSION}, position=MAX_ID, newer=False, size=9)).short == [1]


@pytest.mark.parametrize("is_with_timeline", [False, True])
async def test_a_restart_between_question_and_answer_is_noticed(
    backends: Backends, monkeypatch: pytest.MonkeyPatch, is_with_timeline: bool
) -> None:
    await _fill(backends, 1, [5])
    lists, ask = backends.pulled_posts, backends.redis.call_many

    async def restarted(*arguments: Any) -> Any:
        reply = await ask(*arguments)
        backends.redis._run.id = "anotherrun12"
        return reply

    monkeypatch.setattr(backends.redis, "call_many", restarted)
    wanted = lists.want({1: VERSION})
    with_timeline = lists.read_older_with(backends.timelines, 1, wanted, version=VERSION, below=MAX_ID, size=5)
    alone = lists.read_merged({1: VERSION}, position=MAX_ID, newer=False, size=5)
    asked, other = (with_timeline, alone) if is_with_timeline else (alone, with_timeline)
    other.close()
    with pytest.raises(CacheUnavailableError):
        await asked


async def test_with_a_timeline_it_is_what_each_says_alone(backends: Backends) -> None:
    await _fill(backends, 1, [5 << 22, 9 << 22])
    lists = backends.pulled_posts
    wanted = lists.want({1: VERSION, 2: VERSION})
    for below in (MAX_ID, 9 << 22, 7 << 22, 1):
        slice_, merged = await lists.read_older_with(backends.timelines, 8, wanted, version=VERSION, below=below, size=5)
        assert slice_ == await backends.timelines.read_older(8, version=VERSION, below=below, size=5)
        assert merged == await lists.read_merged({1: VERSION, 2: VERSION}, position=below, newer=False, size=5)
        assert merged.cold == [2]


async def test_a_set_is_believed_under_its_versions_only(backends: Backends) -> None:
    sets, version = backends.pulled_authors, PulledAuthorsVersion(VERSION, 7)
    assert await sets.find(1, version) is None
    await sets.store(1, {10: 0, MAX_ID: 5}, version)
    assert await sets.find(1, version) == {10: 0, MAX_ID: 5}
    assert 0 < await backends.redis.redis.pttl(keys.pulled_authors(1)) <= 86_400_000
    for other in (
        PulledAuthorsVersion(VERSION, 8),
        PulledAuthorsVersion(TimelineVersion("01234567.1", 4), 7),
        PulledAuthorsVersion(TimelineVersion("76543210.1", 3), 7),
    ):
        assert await sets.find(1, other) is None
    backends.redis._run.id = "anotherrun12"
    assert await sets.find(1, version) is None


async def test_a_set_without_anybody_is_known_to_be_empty(backends: Backends) -> None:
    version = PulledAuthorsVersion(VERSION, 0)
    await backends.pulled_authors.store(1, {}, version)
    assert await backends.pulled_authors.find(1, version) == {}
    await backends.pulled_authors.forget(1)
    assert await backends.pulled_authors.find(1, version) is None


async def test_many_long_lists(backends: Backends) -> None:
    posts = {
        author: [make_id(milliseconds=_NOW_MS + 1_000 * n // author, sequence=0, shard=author) for n in range(50)]
        for author in range(1, 41)
    }
    for author, made in posts.items():
        await _fill(backends, author, made)
    everything = sorted((post for made in posts.values() for post in made), reverse=True)
    for position in (MAX_ID, *everything[:200:23]):
        merged = await backends.pulled_posts.read_merged(dict.fromkeys(posts, VERSION), position=position, newer=False, size=10)
        assert merged == ([post for post in everything if post < position][:10], [], [])


async def test_a_server_that_has_forgotten_the_scripts_is_told_them_again(backends: Backends) -> None:
    await _fill(backends, 1, [5 << 22, 9 << 22])
    lists, versions = backends.pulled_posts, {1: VERSION, 2: VERSION}
    wanted = lists.want(versions)
    for _ in range(2):
        await backends.redis.redis.script_flush()
        _, merged = await lists.read_older_with(backends.timelines, 8, wanted, version=VERSION, below=MAX_ID, size=5)
        assert merged == ([9 << 22, 5 << 22], [2], [])
        for newer, ids in ((False, [9 << 22, 5 << 22]), (True, [5 << 22, 9 << 22])):
            await backends.redis.redis.script_flush()
            found = await lists.read_merged(versions, position=0 if newer else MAX_ID, newer=newer, size=5)
            assert found == (ids, [2], [])
