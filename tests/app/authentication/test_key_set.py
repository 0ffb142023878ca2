"""Keys that come and go, floods of unknown ones, and a key server that is away or hostile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.authentication.errors import AuthenticationError, KeySetUnavailableError
from app.authentication.json_web_keys import parse_key_set
from app.authentication.key_set import MAX_BODY_BYTES, RemoteKeySet
from tests.app.authentication.key_server import KeyServer, ManualClock, private_key, public_jwk, run_key_server

OLD = public_jwk(private_key("ES256"), kid="old")
NEW = public_jwk(private_key("ES256", 1), kid="new")


@pytest.fixture
async def key_server() -> AsyncIterator[KeyServer]:
    async with run_key_server() as server:
        server.publish(OLD)
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000.0)


@pytest.fixture
async def key_set(key_server: KeyServer, clock: ManualClock) -> AsyncIterator[RemoteKeySet]:
    keys = RemoteKeySet(key_server.url, monotonic=clock)
    yield keys
    await keys.aclose()


async def test_a_key_is_fetched_once_for_many_requests(key_set: RemoteKeySet, key_server: KeyServer) -> None:
    found = await asyncio.gather(*(key_set.find("ES256", "old") for _ in range(200)))
    assert all(key is not None for key in found)
    assert len(key_server.paths) == 1


async def test_a_flood_of_unknown_keys_costs_one_fetch_in_thirty_seconds(
    key_set: RemoteKeySet, key_server: KeyServer, clock: ManualClock
) -> None:
    for _ in range(3):
        key_server.paths.clear()
        found = await asyncio.gather(*(key_set.find("ES256", f"unknown-{number}") for number in range(1_000)))
        assert set(found) == {None}
        assert await key_set.find("ES256", "old") is not None
        assert len(key_server.paths) == 1
        clock.advance(30)


async def test_a_new_key_is_found_at_once(key_set: RemoteKeySet, key_server: KeyServer, clock: ManualClock) -> None:
    assert await key_set.find("ES256", "old") is not None
    clock.advance(30)
    key_server.publish(OLD, NEW)
    assert await key_set.find("ES256", "new") is not None
    assert await key_set.find("ES256", "old") is not None


async def test_rotation_refuses_nobody_until_the_old_key_is_gone(
    key_set: RemoteKeySet, key_server: KeyServer, clock: ManualClock
) -> None:
    for _ in range(90):
        assert await key_set.find("ES256", "old") is not None
        clock.advance(1)
    key_server.publish(OLD, NEW)
    for _ in range(56):  # an identity provider publishes a key before it signs with it
        assert await key_set.find("ES256", "old") is not None
        clock.advance(1)
    for _ in range(90):
        assert await key_set.find("ES256", "old") is not None
        assert await key_set.find("ES256", "new") is not None
        clock.advance(1)
    key_server.publish(NEW)
    clock.advance(60)
    assert await key_set.find("ES256", "old") is None
    assert await key_set.find("ES256", "new") is not None


async def test_a_removed_key_is_refused_after_a_minute_without_requests(
    key_set: RemoteKeySet, key_server: KeyServer, clock: ManualClock
) -> None:
    assert await key_set.find("ES256", "old") is not None
    key_server.publish()
    clock.advance(60)
    assert await key_set.find("ES256", "old") is None


async def test_refreshing_in_time_makes_nobody_wait(key_set: RemoteKeySet, key_server: KeyServer, clock: ManualClock) -> None:
    assert await key_set.find("ES256", "old") is not None
    clock.advance(45)
    key_server.delay_seconds = 60
    async with asyncio.timeout(1):
        assert await key_set.find("ES256", "old") is not None


async def test_old_keys_count_for_an_hour_while_the_key_server_is_away(
    key_set: RemoteKeySet, key_server: KeyServer, clock: ManualClock
) -> None:
    assert await key_set.find("ES256", "old") is not None
    key_server.status = "503 Service Unavailable"
    clock.advance(3_599)
    assert await key_set.find("ES256", "old") is not None
    clock.advance(2)
    with pytest.raises(KeySetUnavailableError):
        await key_set.find("ES256", "old")
    key_server.status = "200 OK"
    clock.advance(30)
    assert await key_set.find("ES256", "old") is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "500 Internal Server Error"},
        {"status": "302 Found", "headers": ("location: /elsewhere",)},
        {"status": "nonsense"},
        {"body": b""},
        {"body": b"<html>"},
        {"body": b"[]"},
        {"body": b'{"keys": {}}'},
        {"body": b'{"keys": [], "x": "' + b"x" * MAX_BODY_BYTES + b'"}'},
        {"body": b"\x1f\x8b", "headers": ("content-encoding: gzip",)},
    ],
    ids=str,
)
async def test_bad_answers_change_nothing(
    key_set: RemoteKeySet, key_server: KeyServer, clock: ManualClock, changes: dict[str, Any]
) -> None:
    assert await key_set.find("ES256", "old") is not None
    good = vars(key_server).copy()
    for name, value in changes.items():
        setattr(key_server, name, value)
    clock.advance(60)
    assert await key_set.find("ES256", "old") is not None
    assert len(key_server.paths) == 2
    assert set(key_server.paths) == {"/keys"}  # a redirect is not followed
    for name in changes:
        setattr(key_server, name, good[name])
    key_server.publish(NEW)
    clock.advance(30)
    assert await key_set.find("ES256", "new") is not None


async def test_a_silent_key_server_is_waited_for_two_seconds_once(key_set: RemoteKeySet, key_server: KeyServer) -> None:
    key_server.delay_seconds = 60
    async with asyncio.timeout(10):
        results = await asyncio.gather(*(key_set.find("ES256", "old") for _ in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {KeySetUnavailableError}
    assert len(key_server.paths) == 1


async def test_no_key_server_at_all(clock: ManualClock) -> None:
    async with run_key_server() as gone:
        pass
    keys = RemoteKeySet(gone.url, monotonic=clock)
    with pytest.raises(AuthenticationError):
        await keys.find("ES256", "old")
    await keys.aclose()


async def test_before_the_first_answer_it_is_asked_again_after_five_seconds(
    key_set: RemoteKeySet, key_server: KeyServer, clock: ManualClock
) -> None:
    key_server.status = "503 Service Unavailable"
    for _ in range(2):
        with pytest.raises(KeySetUnavailableError):
            await key_set.find("ES256", "old")
    assert len(key_server.paths) == 1
    key_server.status = "200 OK"
    clock.advance(5)
    assert await key_set.find("ES256", "old") is not None


async def test_a_cancelled_request_leaves_the_fetch_to_the_others(key_set: RemoteKeySet, key_server: KeyServer) -> None:
    key_server.delay_seconds = 0.2
    first = asyncio.create_task(key_set.find("ES256", "old"))
    second = asyncio.create_task(key_set.find("ES256", "old"))
    await asyncio.sleep(0.05)
    first.cancel()
    assert await second is not None
    assert len(key_server.paths) == 1


async def test_closing_ends_a_fetch_under_way(key_server: KeyServer) -> None:
    key_server.delay_seconds = 60
    keys = RemoteKeySet(key_server.url)
    waiting = asyncio.create_task(keys.find("ES256", "old"))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(1):
        await keys.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def parse(*entries: Any) -> set[tuple[str, str | None]]:
    server = KeyServer()
    server.publish(*entries)
    return set(parse_key_set(server.body))


def test_keys_by_algorithm_and_name() -> None:
    found = parse(OLD, public_jwk(private_key("RS256"), kid="r", alg="RS256"), public_jwk(private_key("EdDSA"), alg="Ed25519"))
    assert found == {("ES256", "old"), ("RS256", "r"), ("EdDSA", None)}


def test_without_a_name_one_key_of_the_algorithm_is_enough_and_two_are_too_many() -> None:
    assert parse(public_jwk(private_key("ES256")), OLD) == {("ES256", None), ("ES256", "old")}


RSA = private_key("RS256")


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "x",
        [],
        {},
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "a"},
        {"kty": "oct", "k": "AAAA", "alg": "RS256"},
        {**OLD, "use": "enc"},
        {**OLD, "key_ops": ["sign"]},
        {**OLD, "key_ops": "verify"},
        {**OLD, "alg": "ES384"},
        {**OLD, "alg": "HS256"},
        {**OLD, "alg": None},
        {**OLD, "crv": "P-384"},
        {**OLD, "crv": "secp256k1"},
        {**OLD, "crv": ["P-256"]},
        {**OLD, "kty": ["EC"]},
        {**OLD, "kty": "RSA"},
        {**OLD, "kid": 1},
        {**OLD, "x": "AAAA"},
        {**OLD, "x": 5},
        {**OLD, "y": "é"},
        {**OLD, "d": "AAAA"},
        {"kty": "EC", "crv": "P-256"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"kty": "OKP", "crv": "Ed448", "x": "AAAA"},
        {"kty": "RSA"},
        public_jwk(private_key("RS256", bits=1_024)),
        public_jwk(RSA, e="AQ"),
        public_jwk(RSA, e="A" * 1_000 + "B"),
        public_jwk(RSA, n="_" * 3_000),
        public_jwk(RSA, e=public_jwk(RSA)["n"]),
        public_jwk(RSA, alg="PS256"),
        public_jwk(RSA, alg="none"),
    ],
)
def test_keys_that_cannot_serve_are_skipped(entry: object) -> None:
    assert parse(entry, OLD, entry) == {("ES256", "old")}


def test_of_two_keys_with_one_name_the_first_counts() -> None:
    server = KeyServer()
    server.publish(OLD, {**NEW, "kid": "old"})
    first = KeyServer()
    first.publish(OLD)
    both, one = parse_key_set(server.body), parse_key_set(first.body)
    assert both["ES256", "old"].key.public_numbers() == one["ES256", "old"].key.public_numbers()
