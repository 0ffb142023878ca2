"""Searching people: whom one finds, and in which order."""

from __future__ import annotations

import pytest

from domain.errors import InvalidArgumentError, InvalidCursorError
from domain.paging import PageRequest
from services.discovery.search_users import search_users
from services.graph.block_user import block_user
from services.graph.mute_user import mute_user
from tests.services.graph.facts import execute, make_private, suspend
from tests.world import World


async def found(world: World, query: str, viewer: str | None = None, size: int = 20) -> list[str]:
    """All usernames, page by page."""
    viewer_id = world.ids[viewer] if viewer else None
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = await search_users(world.backends, query=query, viewer_id=viewer_id, page=PageRequest(size, cursor))
        names += [user.username for user in page.nodes]
        cursor = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            return names
        assert len(page.edges) == size


async def call(world: World, **display_names: str) -> None:
    for username, display_name in display_names.items():
        await execute(
            world, "UPDATE users SET display_name = :name WHERE id = :user", name=display_name, user=world.ids[username]
        )


async def has_followers(world: World, **counts: int) -> None:
    for username, count in counts.items():
        await execute(world, "UPDATE users SET follower_count = :n WHERE id = :user", n=count, user=world.ids[username])


@pytest.mark.parametrize("size", [1, 2, 20])
async def test_exact_then_beginnings_then_similar_each_by_followers(world: World, size: int) -> None:
    await world.add("anna", "Annabel", "annalena", "hanna", "Joe_Anna", "bob", "annna", "zoe")
    await call(world, zoe="Anna", bob="Bob Annason", hanna="Hanna")
    await has_followers(world, annalena=5_000, Annabel=20, bob=300, annna=10, hanna=1_000_000)
    expected = ["anna", "zoe", "annalena", "bob", "Annabel", "Joe_Anna", "hanna", "annna"]
    for query in ("anna", "ANNA", "@anna", " Anna "):
        assert await found(world, query, size=size) == expected
    assert await found(world, "an", size=size) == [
        "annalena",
        "bob",
        "Annabel",
        "annna",
        *sorted_by_age(world, "anna", "zoe", "Joe_Anna"),
    ]
    assert await found(world, "joe_a", size=size) == ["Joe_Anna"]
    assert (await found(world, "joe anna", size=size))[0] == "Joe_Anna"
    assert (await found(world, "annabell", size=size))[0] == "Annabel"


def sorted_by_age(world: World, *names: str) -> list[str]:
    return sorted(names, key=lambda name: -world.ids[name])


async def test_names_in_any_script(world: World) -> None:
    await world.add("a1", "a2", "a3", "a4", "a5")
    await call(world, a1="王芳", a2="Анна Каренина", a3="Zoe\u0308 Müller", a4="محمد علي", a5="🎉 Party 🎉")
    names = {"王": "a1", "王芳": "a1", "кар": "a2", "анна к": "a2", "zoë": "a3", "mül": "a3", "محمد": "a4", "party": "a5"}
    for query, username in names.items():
        assert await found(world, query) == [username], query
    for query in ("%", "_", "'", "!!", "a_%", "\\", "%%%%", "(a|b)*", "芳王x"):
        assert set(await found(world, query)) <= {"a1", "a2", "a3", "a4", "a5"}
    assert await found(world, "%") == []


async def test_only_who_exists_for_the_viewer_is_listed(world: World) -> None:
    await world.add("ada", *(f"tom_{name}" for name in ("free", "private", "gone", "shadow", "blocks", "blocked", "muted")))
    await make_private(world, "tom_private")
    await suspend(world, "tom_gone")
    await execute(world, "UPDATE users SET shadow_banned_at = now() WHERE id = :user", user=world.ids["tom_shadow"])
    await block_user(world.backends, viewer_id=world.ids["tom_blocks"], user_id=world.ids["ada"])
    await block_user(world.backends, viewer_id=world.ids["ada"], user_id=world.ids["tom_blocked"])
    await mute_user(world.backends, viewer_id=world.ids["ada"], user_id=world.ids["tom_muted"], until=None)
    everybody = {"tom_free", "tom_private", "tom_blocks", "tom_blocked", "tom_muted"}
    for query in ("tom", "to", "t", "tomm"):
        for size in (1, 20):
            assert set(await found(world, query, "ada", size)) == {"tom_free", "tom_private", "tom_muted"}
            assert set(await found(world, query, None, size)) == everybody
    assert set(await found(world, "tom", "tom_shadow")) == everybody | {"tom_shadow"}
    assert await found(world, "tom_gone", "ada") == await found(world, "tom_nobody_at_all", "ada")


async def test_new_names_are_found_at_once(world: World) -> None:
    await world.add("ada")
    await call(world, ada="Countess")
    assert await found(world, "countess") == ["ada"]
    await call(world, ada="Lady")
    assert (await found(world, "countess"), await found(world, "lady")) == ([], ["ada"])


async def test_what_is_refused(world: World) -> None:
    await world.add("ada", "adam", "bob")
    for query in ("", " ", "a" * 201, "a\x00", "\ud800", "a\tb"):
        with pytest.raises(InvalidArgumentError):
            await found(world, query)
    page = await search_users(world.backends, query="ada", viewer_id=None, page=PageRequest(1, None))
    for query, viewer in (("adam", None), ("ada", "bob")):
        with pytest.raises(InvalidCursorError):
            await search_users(
                world.backends,
                query=query,
                viewer_id=world.ids[viewer] if viewer else None,
                page=PageRequest(1, page.page_info.end_cursor),
            )
