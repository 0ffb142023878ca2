"""`tidings moderate`, on a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.cli import main
from app.stack.servers import EmbeddedServers
from bootstrap import open_backends
from domain.ids import to_global_id
from settings import Settings
from tests.services.graph.facts import query
from tests.world import World


@pytest.fixture
def _named_servers(monkeypatch: pytest.MonkeyPatch, servers: EmbeddedServers, database_url: str) -> None:
    monkeypatch.setenv("TIDINGS_DATABASE_URL", database_url)
    monkeypatch.setenv("TIDINGS_REDIS_URL", servers.urls.redis_url)
    monkeypatch.setenv("TIDINGS_BROKER_URL", servers.urls.broker_url)


def in_world(settings: Settings, work: Callable[[World], Awaitable[Any]]) -> Any:
    """The work's result; commands run loops of their own, so the test has none."""

    async def run() -> Any:
        async with open_backends(settings) as backends:
            return await work(World(backends))

    return asyncio.run(run())


def moderate(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["moderate", *words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.usefixtures("_named_servers")
def test_accounts(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    in_world(settings, lambda world: world.add("Ada"))
    marks = "SELECT suspended_at IS NOT NULL, shadow_banned_at IS NOT NULL FROM users"
    for command, expected in (
        ("suspend", (True, False)),
        ("suspend", (True, False)),
        ("shadow-ban", (True, True)),
        ("restore", (False, False)),
        ("restore", (False, False)),
        ("shadow-ban", (False, True)),
    ):
        assert moderate(command, "ada") == 0
        assert in_world(settings, lambda world: query(world, marks)) == [expected]
        assert capsys.readouterr().out.startswith("ada is ")
        assert moderate(command, "nobody") == 1
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", "tidings moderate: no such user: nobody\n")


@pytest.mark.usefixtures("_named_servers")
def test_posts(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async def make(world: World) -> list[int]:
        await world.add("ada")
        return [await world.post("ada") for _ in range(3)]

    posts: list[int] = in_world(settings, make)
    assert moderate("remove", str(posts[0])) == 0
    assert moderate("remove", to_global_id("Post", posts[1])) == 0
    left = "SELECT id FROM posts WHERE deleted_at IS NULL"
    assert in_world(settings, lambda world: query(world, left)) == [(posts[2],)]
    capsys.readouterr()
    unknown = (str(posts[0]), "5", "0", "9" * 19, "9" * 5_000, "nonsense", to_global_id("User", posts[2]), "٣", " ")
    for post_id in unknown:
        assert moderate("remove", post_id) == 1
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", f"tidings moderate: no such post: {post_id}\n")
    assert in_world(settings, lambda world: query(world, left)) == [(posts[2],)]
