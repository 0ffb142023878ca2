"""Where the feed has to be read again, what a batch of looks costs, and what suspended viewers are told: nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from domain.moderation import ModerationChange
from services.feeds import feed_difference
from services.feeds.feed_difference import Look, find_concerned, find_differences
from services.feeds.feed_events import Added, FeedResetReason, Removed
from services.hashtags.follow_hashtag import follow_hashtag
from services.moderation.moderate_account import moderate_account
from services.posts.delete_post import delete_post
from tests.count_queries import count_queries
from tests.stories.told_client import ToldClient
from tests.world import World


@pytest.fixture
async def fans(world: World) -> World:
    await world.add("ada", "bob", "vera")
    await world.follow("vera", "ada")
    return world


async def _posts(world: World, count: int) -> None:
    for number in range(count):
        await world.insert_post("ada", milliseconds=1_700_000_000_000 + number)


async def test_an_action_that_touches_more_than_fifty_entries_is_one_reset(fans: World) -> None:
    await _posts(fans, 50)
    client = await ToldClient.open(fans.backends, fans.ids["vera"])
    await fans.unfollow("vera", "ada")
    assert len((await client.look()).changes) == 50
    await fans.follow("vera", "ada")
    assert len((await client.look()).changes) == 50
    await fans.insert_post("ada", milliseconds=1_700_000_001_000)
    await client.look()
    await fans.unfollow("vera", "ada")
    await client.look()
    assert client.resets == [FeedResetReason.FEED_CHANGED]


async def test_publications_are_no_reset_until_there_are_too_many(fans: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_difference, "MAX_MISSED", 60)
    client = await ToldClient.open(fans.backends, fans.ids["vera"])
    await _posts(fans, 60)
    assert len((await client.look()).changes) == 60
    await client.check()
    monkeypatch.setattr(feed_difference, "MAX_MISSED", 0)
    await fans.post("ada")
    assert (await client.look()).reset is FeedResetReason.WINDOW_EXPIRED


async def test_moments_that_nobody_can_answer(fans: World) -> None:
    client = await ToldClient.open(fans.backends, fans.ids["vera"])
    moment = client.moment
    old = replace(moment, as_of=moment.as_of - fans.backends.policy.outbox_retention + timedelta(minutes=59))
    future = replace(moment, seen="999999999:999999999:")
    looks = [Look(fans.ids["vera"], one, ids) for one in (old, future) for ids in (None, [1])]
    found = await find_differences(fans.backends, looks)
    assert [one.reset for one in found] == [FeedResetReason.WINDOW_EXPIRED] * 2 + [FeedResetReason.EPOCH_CHANGED] * 2
    assert all(one.changes == [] for one in found)


async def test_an_import_is_a_reset(fans: World) -> None:
    client = await ToldClient.open(fans.backends, fans.ids["vera"])
    async with fans.backends.database.writing() as session:
        await session.execute(
            text("INSERT INTO outbox (kind, author_id, before) VALUES ('feed_changed', :vera, '{\"import\": true}')"),
            {"vera": fans.ids["vera"]},
        )
    assert (await client.look()).reset is FeedResetReason.FEED_CHANGED


async def test_a_suspended_viewer_is_told_nothing_and_reads_the_feed_again_afterwards(fans: World) -> None:
    client = await ToldClient.open(fans.backends, fans.ids["vera"])
    await moderate_account(fans.backends, username="vera", change=ModerationChange.SUSPEND)
    await fans.post("ada")
    found = await client.look()
    assert (found.changes, found.reset) == ([], None)
    await moderate_account(fans.backends, username="vera", change=ModerationChange.RESTORE)
    await client.look()
    assert client.resets == [FeedResetReason.FEED_CHANGED]
    await client.check()


async def test_what_never_was_shown_is_not_named_when_it_goes(fans: World) -> None:
    await fans.follow("vera", "bob")
    shown = await fans.post("ada", "one")
    hidden = await fans.insert_post("bob", milliseconds=1_700_000_000_000)
    await moderate_account(fans.backends, username="bob", change=ModerationChange.SHADOW_BAN)
    client = await ToldClient.open(fans.backends, fans.ids["vera"])
    await delete_post(fans.backends, author_id=fans.ids["bob"], post_id=hidden)
    await delete_post(fans.backends, author_id=fans.ids["ada"], post_id=shown)
    found = await client.look()
    assert [(type(one), one.post_id) for one in found.changes if isinstance(one, Removed)] == [(Removed, shown)]
    assert len(found.changes) == 1


async def test_statements_do_not_grow_with_the_looks_and_alike_viewers_share_one_entry(fans: World) -> None:
    names = [f"v{number}" for number in range(12)]
    await fans.add(*names)
    for name in names:
        await fans.follow(name, "ada", "bob")
    await fans.drain()
    clients = [await ToldClient.open(fans.backends, fans.ids[name]) for name in names]
    root = await fans.post("ada", "one")
    await fans.share("bob", root)
    async with fans.backends.database.reading() as session:
        rows = list((await session.execute(text("SELECT id FROM outbox ORDER BY id DESC LIMIT 2"))).scalars())
        concerned = await find_concerned(session, rows, [client.viewer_id for client in clients])
    assert all(concerned[row] == {client.viewer_id for client in clients} for row in rows)
    counts = []
    for part in (clients[:2], clients):
        looks = [Look(client.viewer_id, client.moment, rows) for client in part]
        with count_queries(fans.backends) as counted:
            found = await find_differences(fans.backends, looks)
        counts.append(counted.count)
        assert all(isinstance(one, Added) and one.entry.cursor == "" for answer in found for one in answer.changes)
        assert len({id(one) for answer in found for one in answer.changes}) == 1
    assert counts[0] == counts[1]


async def test_a_hashtag_brings_its_posts_as_no_publications(fans: World) -> None:
    post = await fans.post("bob", "#red")
    client = await ToldClient.open(fans.backends, fans.ids["vera"])
    await follow_hashtag(fans.backends, viewer_id=fans.ids["vera"], name="red")
    (added,) = (await client.look()).changes
    assert isinstance(added, Added)
    assert (added.entry.node.id, added.is_publication) == (post, False)


async def test_nothing_is_asked_for_nobody(world: World) -> None:
    assert await find_differences(world.backends, []) == []
