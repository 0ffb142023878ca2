"""Copies of first pages: nothing is on them that the viewer's feed would not show at this moment."""

from __future__ import annotations

import asyncio
import pkgutil

import pytest
from graphql import GraphQLObjectType

import services.moderation
from cache import keys
from domain.feed import FeedEntry, FeedPage, FeedReasonKind, PageExtras
from domain.paging import PageRequest
from schema.build import graphql_core_schema
from services.backends import Backends
from services.feeds.feed_cursors import open_place
from services.feeds.page_extras import load_page_extras
from tests.services.feeds.hiding_cases import ALL, MODERATION, MUTATIONS, Case, HidingWorld
from tests.services.feeds.noted_changes import ROWS, newest_row, noted_since
from tests.stories.told_client import ToldClient


@pytest.fixture
async def hiding(backends: Backends) -> HidingWorld:
    world = HidingWorld(backends)
    await world.fill()
    return world


async def shelve(world: HidingWorld, size: int = 20) -> FeedPage:
    """Reads a first page, of which a copy is made."""
    page = await world.page("vera", size)
    async with asyncio.timeout(5):
        while await shelf_page(world, size) is None:
            await asyncio.sleep(0.01)
    return page


async def no_more_copies(world: HidingWorld) -> None:
    """Waits for those that are made in the background."""
    shelf = world.backends.feed_shelf
    async with asyncio.timeout(5):
        while shelf._waiting or shelf._tasks or (shelf._reading is not None and not shelf._reading.done()):
            await asyncio.sleep(0.01)


async def shelf_page(world: HidingWorld, size: int = 20) -> FeedPage | None:
    request = PageRequest(size, None)
    return await world.backends.feed_shelf.read(world.ids["vera"], request, place=None, order=None)


def labels(page: FeedPage) -> list[str]:
    return [entry.facts.about.post.text for entry in page.edges]


def test_every_mutation_and_every_power_of_moderators_is_a_case() -> None:
    """Whoever adds one says here what it hides; then `touch` is missing where the next test fails."""
    mutation_type = graphql_core_schema().mutation_type
    assert isinstance(mutation_type, GraphQLObjectType)
    assert {case.name.split()[0] for case in MUTATIONS} == set(mutation_type.fields)
    modules = {module.name for module in pkgutil.iter_modules(services.moderation.__path__)}
    assert {case.name.split()[0] for case in MODERATION} == modules


@pytest.mark.parametrize("case", MUTATIONS + MODERATION, ids=lambda case: case.name)
async def test_what_is_hidden_is_at_once_on_no_copy(hiding: HidingWorld, case: Case) -> None:
    if case.before is not None:
        await case.before(hiding)
    before = await shelve(hiding)
    copy = await shelf_page(hiding)
    assert copy is not None
    assert set(labels(before)) == ALL
    assert copy.edges == before.edges
    assert copy.event_cursor == before.event_cursor
    row = await newest_row(hiding)
    told = await ToldClient.open(hiding.backends, hiding.ids["vera"])
    await no_more_copies(hiding)
    await case.step(hiding)
    assert await noted_since(hiding, row) == ROWS[case.name]
    await told.look()
    if case.name != "markFeedSeen hiding what was seen":  # a client that was shown what it has seen keeps it
        await told.check()
        assert told.resets == []
    copy = await shelf_page(hiding)
    exact = await hiding.page("vera", 100)
    if case.gone == ALL:
        assert copy is None
        return
    assert copy is not None
    shown = labels(copy)
    assert not case.gone & set(shown)
    assert shown == [label for label in labels(before) if label in shown], "the order stays"
    assert ALL - set(shown) <= case.gone | _may_be_missing(case), "no more is missing than what is concerned"
    assert not copy.status.complete
    assert copy.extras is not None
    async with hiding.backends.database.reading() as session:
        extras = await load_page_extras(session, exact.edges, viewer_id=hiding.ids["vera"])
    _check_is_part(copy.edges, copy.extras, exact.edges, extras)


def _may_be_missing(case: Case) -> set[str]:
    """What has to do with the same two accounts, though nothing of it is hidden."""
    if case.name == "updateFollow with a limit":
        return {"by ada"}
    if case.name in {"unfollowUser keeping history", "unfollowUser by a friend"}:
        return {"by rita"}
    return {"quoting"} if case.name == "muteUser whose post is shared" else set()


def _check_is_part(copied: list[FeedEntry], copied_extras: PageExtras, exact: list[FeedEntry], extras: PageExtras) -> None:
    by_id = {entry.node.id: entry for entry in exact}
    for entry in copied:
        true = by_id[entry.node.id]
        assert entry.facts.about.post.text == true.facts.about.post.text
        assert entry.facts.about.post.visibility == true.facts.about.post.visibility
        # Counts may be those of before.
        assert entry.facts.author.display_name == true.facts.author.display_name
        assert entry.facts.author.is_private == true.facts.author.is_private
        assert _named(entry) <= _named(true)
        quoted = entry.node.shared_post_id
        if quoted in copied_extras.posts and copied_extras.posts[quoted] is not None:
            assert extras.posts[quoted] is not None


def _named(entry: FeedEntry) -> set[tuple[FeedReasonKind, str]]:
    return {(reason.kind, user.username) for reason in entry.reasons for user in reason.users}


async def test_pages_within_a_copy_meet_without_a_seam(hiding: HidingWorld) -> None:
    exact = await shelve(hiding, size=6)
    shelf, viewer = hiding.backends.feed_shelf, hiding.ids["vera"]
    found: list[FeedEntry] = []
    cursor = None
    for size, has_next in ((2, True), (3, True), (5, True)):
        place = open_place(hiding.backends.sealer, viewer, cursor) if cursor else None
        page = await shelf.read(viewer, PageRequest(size, cursor), place=place, order=None)
        assert page is not None
        found += page.edges
        assert page.page_info.has_next_page is has_next
        cursor = page.page_info.end_cursor
    assert found == exact.edges
    assert cursor is not None
    place = open_place(hiding.backends.sealer, viewer, cursor)
    assert await shelf.read(viewer, PageRequest(5, cursor), place=place, order=None) is None
    middle = open_place(hiding.backends.sealer, viewer, found[4].cursor)
    newer = await shelf.read(viewer, PageRequest(3, found[4].cursor, backward=True), place=middle, order=None)
    assert newer is not None
    assert newer.edges == found[1:4]
    assert newer.page_info.has_previous_page
    assert newer.page_info.has_next_page


async def test_a_wiped_or_restarted_redis_makes_no_copy_count(hiding: HidingWorld) -> None:
    await shelve(hiding)
    copies = await hiding.backends.redis.redis.keys("sh:*")
    assert copies
    await hiding.backends.redis.redis.delete(keys.CHANGES)
    assert await shelf_page(hiding) is None
    await hiding.backends.changes.stamp(frozenset({"p1"}))
    assert await shelf_page(hiding) is None


async def test_a_copy_of_another_format_is_none(hiding: HidingWorld) -> None:
    await shelve(hiding)
    redis = hiding.backends.redis.redis
    for key in await redis.keys(f"sh:*{{{hiding.ids['vera']}}}"):
        await redis.set(key, b"\xff\x00")
    assert await shelf_page(hiding) is None


async def test_a_wiped_cache_gets_its_copies_again(hiding: HidingWorld) -> None:
    """The process remembers that it made a copy lately; not that of a cache which has lost it."""
    await shelve(hiding)
    await hiding.backends.redis.redis.flushdb()
    assert await shelf_page(hiding) is None
    await hiding.post("ada", "the first stamp since")
    await hiding.backends.changes.place()
    page = await shelve(hiding)
    assert "the first stamp since" in labels(page)
