"""Searching posts: what is found, in which order, and by whom."""

from __future__ import annotations

import pytest

from domain.errors import InvalidArgumentError, InvalidCursorError
from domain.paging import PageRequest
from domain.records import Visibility
from services.discovery.search_posts import search_posts
from services.graph.block_user import block_user
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from tests.services.graph.facts import execute, make_private, suspend
from tests.world import World, newest_first


async def found(world: World, query: str, viewer: str | None = None, size: int = 20) -> list[int]:
    """Everything that is found, page by page."""
    viewer_id = world.ids[viewer] if viewer else None
    ids: list[int] = []
    cursor: str | None = None
    while True:
        page = await search_posts(world.backends, query=query, viewer_id=viewer_id, page=PageRequest(size, cursor))
        ids += [edge.node.post.id for edge in page.edges]
        cursor = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            return ids
        assert len(page.edges) == size


TEXTS = {
    "bread": "Rye sourdough, again: my starter is stubborn!",
    "tram": "The night-bus and the new tram line #UrbanLife",
    "cafe": "Cafe\u0301 at the corner, 50% off_today",
    "tokyo": "昨日、東京都へ行った。",
    "thai": "ฉันรักกรุงเทพมาก",
    "seoul": "서울에서 만나요",
    "russian": "Вчера в столице шёл снег",
    "party": "Party🎉👍🏽 with @Bob and @nobody_known",
    "tag": "my #café list, urbanlife in words",
    "plain": "coffee or tea -- don't ask",
    "wide": "ＦＵＬＬ width",
}


FOUND: list[tuple[str, set[str]]] = [
    ("sourdough", {"bread"}),
    ("SOURDOUGH rye", {"bread"}),
    ("rye tram", set()),
    ("rye or tram", {"bread", "tram"}),
    ("rye OR tram OR снег", {"bread", "tram", "russian"}),
    ("the -tram", {"cafe"}),
    ('"tram line"', {"tram"}),
    ('"line tram"', set()),
    ('the -"night bus"', {"cafe"}),
    ("night-bus", {"tram"}),
    ("Café", {"cafe", "tag"}),
    ("cafe\u0301", {"cafe", "tag"}),
    ("#café", {"tag"}),
    ("#CAFÉ", {"tag"}),
    ("urbanlife", {"tram", "tag"}),
    ("#urbanlife", {"tram"}),
    ("#urban", {"tram"}),
    ("@bob", {"party"}),
    ("@BOB", {"party"}),
    ("@nobody_known", {"party"}),
    ("bob", {"party"}),
    ("東京", {"tokyo"}),
    ("京都", {"tokyo"}),
    ("東都", set()),
    ("行った", {"tokyo"}),
    ("กรุงเทพ", {"thai"}),
    ("서울", {"seoul"}),
    ("снег", {"russian"}),
    ("СТОЛИЦЕ", {"russian"}),
    ("столиц", {"russian"}),
    ("dough", {"bread"}),
    ("sourd stubb", {"bread"}),
    ("sourd -starter", set()),
    ('"sourd"', set()),
    ("🎉", {"party"}),
    ("👍", {"party"}),
    ("👍🏽 party", {"party"}),
    ("don't", {"plain"}),
    ("or", {"plain"}),
    ("full", {"wide"}),
    ("50% off_today", {"cafe"}),
    ("%", set()),
    ("_", set()),
    ("-tram", set()),
    ("!!!", set()),
    ('"', set()),
    ("a & b | !c <-> (d):*", set()),
    ("'; DROP TABLE posts; --", set()),
    ("\\", set()),
    ("%off%", {"cafe"}),
]


async def test_what_is_found(world: World) -> None:
    await world.add("ada", "bob")
    posts = {name: await world.post("ada", body) for name, body in TEXTS.items()}
    names = {post_id: name for name, post_id in posts.items()}
    for query, expected in FOUND:
        ids = await found(world, query)
        assert ids == newest_first(ids)
        assert {names[post_id] for post_id in ids} == expected, query


@pytest.mark.parametrize("size", [1, 3, 20])
async def test_full_pages_of_what_the_viewer_may_see(world: World, size: int) -> None:
    await world.add("ada", "bob", "cat", "dan", "eve", "fay")
    seen = [await world.post("bob", f"news {number}") for number in range(4)]
    friends = await world.post("bob", "news", Visibility.FRIENDS)
    secret = await world.post("bob", "news", Visibility.PRIVATE)
    blocked = [await world.post("cat", "news") for _ in range(5)]
    gone = await world.post("bob", "news")
    of_dan = [await world.post("dan", "news") for _ in range(3)]
    await world.post("eve", "news")
    of_fay = await world.post("fay", "news")
    quote = await world.share("bob", seen[0], "this is news")
    share = await world.share("ada", seen[1])
    await delete_post(world.backends, author_id=world.ids["bob"], post_id=gone)
    await block_user(world.backends, viewer_id=world.ids["cat"], user_id=world.ids["ada"])
    await suspend(world, "eve")
    await make_private(world, "dan")
    await execute(world, "UPDATE users SET shadow_banned_at = now() WHERE id = :user", user=world.ids["fay"])
    seen.append(quote)
    assert await found(world, "news", "ada", size) == newest_first(seen)
    assert await found(world, "news", None, size) == newest_first([*seen, *blocked])
    assert await found(world, "news", "bob", size) == newest_first([*seen, *blocked, friends, secret])
    assert await found(world, "news", "fay", size) == newest_first([*seen, *blocked, of_fay])
    assert await found(world, "news", "dan", size) == newest_first([*seen, *blocked, *of_dan])
    assert await found(world, "new", "ada", size) == newest_first(seen), "parts of words, through the same gate"
    assert share not in await found(world, "news", None)


async def test_edits_and_deletions_hold_at_the_next_search(world: World) -> None:
    await world.add("ada", "bob")
    post_id = await world.post("ada", "first words #one")
    assert await found(world, "first") == await found(world, "#one") == [post_id]
    await edit_post(world.backends, author_id=world.ids["ada"], post_id=post_id, body="second @bob", visibility=None)
    assert await found(world, "first") == await found(world, "#one") == []
    assert await found(world, "second") == await found(world, "@bob") == [post_id]
    await edit_post(world.backends, author_id=world.ids["ada"], post_id=post_id, body=None, visibility=Visibility.PRIVATE)
    assert (await found(world, "second"), await found(world, "second", "ada")) == ([], [post_id])
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=post_id)
    assert await found(world, "second", "ada") == []


async def test_cursors_hold_for_their_query_way_and_viewer_alone(world: World) -> None:
    await world.add("ada", "bob")
    for _ in range(3):
        await world.post("ada", "breadcrumbs and butter")

    async def page(query: str, viewer: str, cursor: str | None) -> str | None:
        request = PageRequest(1, cursor)
        found_page = await search_posts(world.backends, query=query, viewer_id=world.ids[viewer], page=request)
        return found_page.page_info.end_cursor

    for query, other in (("butter", "breadcrumbs"), ("crumbs", "bread")):
        cursor = await page(query, "ada", None)
        assert await page(query, "ada", cursor) != cursor
        for wrong_query, viewer in ((other, "ada"), (query, "bob")):
            with pytest.raises(InvalidCursorError):
                await page(wrong_query, viewer, cursor)
    with pytest.raises(InvalidCursorError):
        await page("butter", "ada", "junk")


async def test_queries_that_are_refused(world: World) -> None:
    for query in ("", "  ", "\u3000", "a" * 201, "a\x00", "a\nb", "\ud800", "\u200b", " ".join("abcdefghijklmnopqrstu")):
        with pytest.raises(InvalidArgumentError):
            await search_posts(world.backends, query=query, viewer_id=None, page=PageRequest(20, None))


async def test_hostile_queries_and_texts_are_only_text(world: World) -> None:
    await world.add("ada")
    long_word, wide = "x" * 5_000, "ﷺ" * 5_000
    posts = [await world.post("ada", body) for body in (long_word, wide, "((((" * 1_000, "a-" * 2_500, "'\\\":*&|!<->")]
    assert await found(world, "a-a") == [posts[3]]
    for query in (
        "(" * 200,
        '"' * 200,
        "a-" * 100,
        "東" * 200,
        "\\" * 200,
        "%" * 200,
        "𝒳" * 200,
        "!a" * 100,
        "-" * 200,
        "or " * 19,
    ):
        await found(world, query)
    # Longer than anybody may write, but not than somebody may import.
    await execute(
        world,
        "INSERT INTO posts (id, author_id, text, created_at) SELECT next_id(1), :author, repeat('word ', 200000), now()",
        author=world.ids["ada"],
    )
    assert len(await found(world, "word")) == 1
