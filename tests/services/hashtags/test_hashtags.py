"""Hashtags: names, following, and the posts that name them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from domain.errors import InvalidCursorError, RefusalCode
from domain.ids import make_id
from domain.paging import PageRequest
from domain.records import Visibility
from services.graph.block_user import block_user
from services.hashtags.find_hashtags import find_followed, find_hashtag
from services.hashtags.follow_hashtag import MAX_FOLLOWED_HASHTAGS, follow_hashtag
from services.hashtags.list_followed_hashtags import list_followed_hashtags
from services.hashtags.list_hashtag_posts import list_hashtag_posts
from services.hashtags.unfollow_hashtag import unfollow_hashtag
from services.posts.delete_post import delete_post
from tests.services.graph.facts import execute, make_private, query, refusal, suspend, versions
from tests.world import World, newest_first


async def follow(world: World, name: str, viewer: str = "ada") -> int:
    return (await follow_hashtag(world.backends, viewer_id=world.ids[viewer], name=name)).id


async def unfollow(world: World, name: str, viewer: str = "ada") -> None:
    await unfollow_hashtag(world.backends, viewer_id=world.ids[viewer], name=name)


async def followed(world: World, size: int = 20, viewer: str = "ada") -> list[str]:
    """The whole list, page by page."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await list_followed_hashtags(world.backends, viewer_id=world.ids[viewer], page=PageRequest(size, cursor))
        found += [hashtag.name for hashtag in page.nodes]
        cursor = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            return found
        assert len(page.edges) == size


async def name_in_posts(world: World, hashtag_id: int, post_ids: Iterable[int]) -> None:
    """The posts name the hashtag, whatever publishing has noted already."""
    await execute(
        world,
        "INSERT INTO post_hashtags (hashtag_id, post_id)"
        " SELECT :hashtag, unnest(CAST(:posts AS bigint[])) ON CONFLICT DO NOTHING",
        hashtag=hashtag_id,
        posts=list(post_ids),
    )


async def posts_of(world: World, hashtag_id: int, viewer: str | None, size: int = 20) -> list[int]:
    """The whole list, page by page."""
    found: list[int] = []
    cursor: str | None = None
    viewer_id = world.ids[viewer] if viewer is not None else None
    while True:
        page = await list_hashtag_posts(
            world.backends, hashtag_id=hashtag_id, viewer_id=viewer_id, page=PageRequest(size, cursor)
        )
        found += [item.post.id for item in page.nodes]
        cursor = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            return found
        assert len(page.edges) == size


async def test_all_spellings_are_one_hashtag(world: World) -> None:
    await world.add("ada")
    known = {await follow(world, name) for name in ("Straße", "#STRASSE", "＃ｓｔｒａｓｓｅ", "  #strasse ")}
    assert len(known) == 1
    for name in ("strasse", "#Strasse"):
        found = await find_hashtag(world.backends, name)
        assert found is not None
        assert ({found.id}, found.name, found.post_count) == (known, "strasse", 0)
    assert await followed(world) == ["strasse"]


@pytest.mark.parametrize("name", ["", "#", "##a", "1", "a b", "a-b", "\x00", "a" * 101, "nobody_ever", "\ud800"])
async def test_names_that_are_none_find_nothing(world: World, name: str) -> None:
    assert await find_hashtag(world.backends, name) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", RefusalCode.BLANK),
        (" ", RefusalCode.BLANK),
        ("#", RefusalCode.BLANK),
        ("a" * 101, RefusalCode.TOO_LONG),
        ("#" + "a" * 101, RefusalCode.TOO_LONG),
        ("##a", RefusalCode.INVALID),
        ("123", RefusalCode.INVALID),
        ("a b", RefusalCode.INVALID),
        ("a\x00", RefusalCode.INVALID),
        ("\ud800", RefusalCode.INVALID),
        ("ﷺ" * 30, RefusalCode.INVALID),
    ],
)
async def test_names_that_are_none_cannot_be_followed(world: World, name: str, code: RefusalCode) -> None:
    await world.add("ada")
    for work in (follow, unfollow):
        assert await refusal(work(world, name)) == (code, ("name",))
    assert await query(world, "SELECT 1 FROM hashtags") == []


async def test_following_moves_the_graph_version_once(world: World) -> None:
    await world.add("ada", "bob")
    start = (await versions(world, "ada")).graph
    for _ in range(2):
        hashtag_id = await follow(world, "news")
        assert (await versions(world, "ada")).graph == start + 1
    for _ in range(2):
        await unfollow(world, "#News")
        assert (await versions(world, "ada")).graph == start + 2
    assert await unfollow_hashtag(world.backends, viewer_id=world.ids["ada"], name="nobody_ever") is None
    assert (await versions(world, "ada")).graph == start + 2
    assert await follow(world, "news", "bob") == hashtag_id
    assert await find_followed(world.backends, [hashtag_id], viewer_id=world.ids["ada"]) == set()
    assert await find_followed(world.backends, [hashtag_id], viewer_id=world.ids["bob"]) == {hashtag_id}


async def test_many_follow_a_new_hashtag_at_the_same_time(world: World) -> None:
    names = [f"user{number}" for number in range(8)]
    await world.add(*names)
    known = await asyncio.gather(*(follow(world, "news", name) for name in names))
    assert len(set(known)) == 1


async def test_there_is_a_limit(world: World) -> None:
    await world.add("ada")
    await follow(world, "first")
    await execute(
        world,
        "WITH made AS (INSERT INTO hashtags (name) SELECT 'tag' || n FROM generate_series(2, :limit) n RETURNING id)"
        " INSERT INTO hashtag_follows (user_id, hashtag_id) SELECT :user, id FROM made",
        limit=MAX_FOLLOWED_HASHTAGS,
        user=world.ids["ada"],
    )
    assert await refusal(follow(world, "onemore")) == (RefusalCode.LIMIT_REACHED, ("name",))
    assert await find_hashtag(world.backends, "onemore") is None
    await follow(world, "FIRST")
    await unfollow(world, "tag7")
    await follow(world, "onemore")
    assert len(await followed(world, 100)) == MAX_FOLLOWED_HASHTAGS


@pytest.mark.parametrize("size", [1, 2, 20])
async def test_followed_hashtags_are_newest_first(world: World, size: int) -> None:
    await world.add("ada", "bob")
    for name in ("c", "a", "b"):
        await follow(world, name)
    await follow(world, "d", "bob")
    assert await followed(world, size) == ["b", "a", "c"]


async def test_cursors_hold_for_their_list_and_viewer_alone(world: World) -> None:
    await world.add("ada", "bob")
    first, second = await follow(world, "a"), await follow(world, "b")
    page = await list_followed_hashtags(world.backends, viewer_id=world.ids["ada"], page=PageRequest(1, None))
    with pytest.raises(InvalidCursorError):
        await list_followed_hashtags(world.backends, viewer_id=world.ids["bob"], page=PageRequest(1, page.page_info.end_cursor))
    await name_in_posts(world, first, [await world.post("ada") for _ in range(2)])
    posts = await list_hashtag_posts(world.backends, hashtag_id=first, viewer_id=None, page=PageRequest(1, None))
    with pytest.raises(InvalidCursorError):
        await list_hashtag_posts(
            world.backends, hashtag_id=second, viewer_id=None, page=PageRequest(1, posts.page_info.end_cursor)
        )


@pytest.mark.parametrize("size", [1, 3, 20])
async def test_posts_of_a_hashtag_are_full_pages_of_what_the_viewer_may_see(world: World, size: int) -> None:
    await world.add("ada", "bob", "cat", "dan", "eve")
    hashtag_id = await follow(world, "news")
    seen = [await world.post("bob", "#news") for _ in range(4)]
    friends = await world.post("bob", "#news", Visibility.FRIENDS)
    secret = await world.post("bob", "#news", Visibility.PRIVATE)
    blocked = [await world.post("cat", "#news") for _ in range(5)]
    gone = await world.post("bob", "#news")
    of_dan = [await world.post("dan", "#news") for _ in range(3)]
    of_eve = await world.post("eve", "#news")
    seen.append(await world.post("bob", "#news"))
    posts = [*seen, friends, secret, *blocked, gone, *of_dan, of_eve]
    await name_in_posts(world, hashtag_id, posts)
    await name_in_posts(world, hashtag_id, [make_id(milliseconds=1, sequence=1, shard=1)])
    await delete_post(world.backends, author_id=world.ids["bob"], post_id=gone)
    await block_user(world.backends, viewer_id=world.ids["cat"], user_id=world.ids["ada"])
    await suspend(world, "eve")
    await make_private(world, "dan")
    assert await posts_of(world, hashtag_id, "ada", size) == newest_first(seen)
    assert await posts_of(world, hashtag_id, None, size) == newest_first([*seen, *blocked])
    assert await posts_of(world, hashtag_id, "bob", size) == newest_first([*seen, *blocked, friends, secret])
