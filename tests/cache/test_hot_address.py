"""Where the hot connection goes: all addresses that the driver understands, and none besides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from app.stack.valkey import EmbeddedValkey
from cache.client import RedisClient
from cache.hot_address import parse_address
from domain.errors import CacheUnavailableError
from tests.cache.forwarding import forwarding, make_certificate
from tests.cache.hot_valkey import OpenClient, open_client, valkey

__all__ = ["open_client", "valkey"]


@pytest.mark.parametrize(
    ("url", "place", "greeting"),
    [
        ("redis://localhost", ("localhost", 6379, ""), []),
        ("redis://:p%40ss@[::1]:7000/3", ("::1", 7000, ""), [("AUTH", "p@ss"), ("SELECT", 3)]),
        ("redis://ada:pw@h:1?db=2", ("h", 1, ""), [("AUTH", "ada", "pw"), ("SELECT", 2)]),
        ("redis://h?client_name=t", ("h", 6379, ""), [("CLIENT", "SETNAME", "t")]),
        ("redis://ada@h", ("h", 6379, ""), [("AUTH", "ada", "")]),
        ("unix:///run/valkey.sock?db=1", ("", 0, "/run/valkey.sock"), [("SELECT", 1)]),
        ("unix://:pw@/tmp/x%20y", ("", 0, "/tmp/x y"), [("AUTH", "pw")]),
        ("rediss://h:2/0?ssl_cert_reqs=none&max_connections=7", ("h", 2, ""), []),
    ],
)  # fmt: skip
def test_addresses(url: str, place: tuple[str, int, str], greeting: list[tuple[str, ...]]) -> None:
    address = parse_address(url)
    assert (address.host, address.port, address.path) == place
    assert list(address.greeting) == greeting
    assert (address.tls is not None) == url.startswith("rediss")


@pytest.mark.parametrize(
    "url", ["http://h", "unix://", "redis://h?what=1", "rediss://h?ssl_cert_reqs=perhaps", "redis://h?socket_timeout=x"]
)
def test_addresses_of_nothing(url: str) -> None:
    with pytest.raises(ValueError):
        parse_address(url)


def test_a_cluster_is_refused() -> None:
    with pytest.raises(ValueError, match="single"):
        RedisClient("redis+cluster://h", timeout_seconds=1)


async def test_over_a_unix_socket_and_tls(open_client: OpenClient, valkey: EmbeddedValkey, tmp_path: Path) -> None:
    password = valkey.url.split(":")[2].split("@")[0]
    async with forwarding(valkey.url, path=tmp_path / "s"):
        client = open_client(f"unix://:{password}@{tmp_path / 's'}?db=4")
        await client.call("SET", "here", 4)
        assert await client.redis.get("here") == b"4", "the pool goes the same way"
    context, known = make_certificate(tmp_path)
    async with forwarding(valkey.url, tls=context) as way:
        client = open_client(f"rediss://:{password}@127.0.0.1:{way.port}/4?ssl_ca_certs={known}")
        assert await client.call("GET", "here") == b"4"
        large = b"x" * 3_000_000
        assert await client.call("ECHO", large) == large
        stranger = open_client(f"rediss://:{password}@127.0.0.1:{way.port}/4")
        with pytest.raises(CacheUnavailableError, match="certificate"):
            await stranger.call("PING")
        assert stranger.is_suspended


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda url: url.replace("redis://:", "redis://:wrong"), "WRONGPASS"),
        (lambda url: url.replace("redis://:", "redis://nobody:"), "WRONGPASS"),
        (lambda url: "redis://" + url.split("@")[1], "NOAUTH"),
        (lambda url: url[:-1] + "99", "out of range"),
        (lambda url: "redis://127.0.0.1:1", "onnect"),
        (lambda url: "redis://nowhere.invalid", ""),
        (lambda url: "redis://a..b", ""),
        (lambda url: "unix:///nowhere/at/all", ""),
    ],
)
async def test_no_way_in(open_client: OpenClient, valkey: EmbeddedValkey, change: Callable[[str], str], message: str) -> None:
    client = open_client(change(valkey.url))
    results = await asyncio.gather(client.call("PING"), client.call("PING"), return_exceptions=True)
    assert all(isinstance(result, CacheUnavailableError) and message in str(result) for result in results)
    assert client.is_suspended
