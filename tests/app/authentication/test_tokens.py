"""Which signatures and headers are accepted, and the ways known to forge them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.authentication.claims import Claims
from app.authentication.errors import AuthenticationError
from tests.app.authentication.forgery import (
    CLAIMS,
    NOW,
    assert_refused,
    raw_token,
    token,
    verifier,
)
from tests.app.authentication.key_server import KeyServer, private_key, public_jwk, run_key_server, sign


@pytest.fixture
async def key_server() -> AsyncIterator[KeyServer]:
    async with run_key_server() as server:
        yield server


async def test_a_good_token_names_its_bearer() -> None:
    picture = "https://id.example/ada.png"
    text = token(preferred_username="ada_l", name="Ada Lovelace", picture=picture)
    expires_at = datetime.fromtimestamp(NOW + 3_600, UTC)
    assert await verifier().verify(text) == Claims("ada", "ada_l", "Ada Lovelace", picture, expires_at)


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_types_of_access_tokens(typ: str) -> None:
    assert (await verifier().verify(token(header={"typ": typ}))).subject == "ada"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_tokens_of_an_identity_provider(key_server: KeyServer, algorithm: str) -> None:
    key = private_key(algorithm)
    key_server.publish(public_jwk(key, kid="one", use="sig"))
    checked = verifier(hs256_secret=None, jwks_url=key_server.url)
    assert (await checked.verify(sign(key, algorithm, CLAIMS, kid="one"))).subject == "ada"
    assert (await checked.verify(sign(key, algorithm, CLAIMS))).subject == "ada"
    with pytest.raises(AuthenticationError):
        await checked.verify(sign(private_key(algorithm, 1), algorithm, CLAIMS, kid="one"))
    await checked.aclose()


@pytest.mark.parametrize(
    "alg", ["none", "None", "nOnE", "NONE", "", "HS384", "HS512", "hs256", "PS256", "ES384", None, 1, ["HS256"], {}]
)
async def test_other_algorithms(alg: object) -> None:
    for signature in ("", ".", ".e30", "." + token().rpartition(".")[2]):
        await assert_refused(raw_token({"alg": alg, "typ": "JWT"}, CLAIMS).rpartition(".")[0] + signature)
    await assert_refused(raw_token({"alg": alg, "typ": "JWT"}, CLAIMS))


async def test_algorithm_absent() -> None:
    await assert_refused(raw_token({"typ": "JWT"}, CLAIMS))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_a_public_key_is_no_shared_secret(key_server: KeyServer, algorithm: str) -> None:
    key = private_key(algorithm)
    jwk = public_jwk(key, kid="one")
    key_server.publish(jwk)
    public = key.public_key()
    secrets = [public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), json.dumps(jwk).encode(), b""]
    secrets.append(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    for secret in secrets:
        forged = raw_token({"alg": "HS256", "typ": "JWT", "kid": "one"}, CLAIMS, key=secret)
        await assert_refused(forged, jwks_url=key_server.url)
        await assert_refused(forged, jwks_url=key_server.url, hs256_secret=None)
        await assert_refused(raw_token({"alg": algorithm, "kid": "one"}, CLAIMS, key=secret), jwks_url=key_server.url)


async def test_a_key_serves_one_algorithm(key_server: KeyServer) -> None:
    key_server.publish(public_jwk(private_key("RS256"), kid="one"))
    for algorithm in ("RS384", "PS256"):
        await assert_refused(sign(private_key("RS256"), algorithm, CLAIMS, kid="one"), jwks_url=key_server.url)


async def test_without_a_secret_or_a_key_set_nobody_is_let_in() -> None:
    await assert_refused(token(), hs256_secret=None)
    await assert_refused(raw_token({"alg": "HS256"}, CLAIMS, key=b""), hs256_secret=None)
    await assert_refused(sign(private_key("ES256"), "ES256", CLAIMS, kid="one"))


@pytest.mark.parametrize("secret", ["", "short"])
def test_a_short_secret_is_refused_when_configured(secret: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        verifier(hs256_secret=secret)


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": True},
        {"crit": []},
        {"crit": None},
        {"b64": False, "crit": ["b64"]},
        {"b64": False},
        {"b64": 0},
        {"typ": "refresh"},
        {"typ": "rt+jwt"},
        {"typ": "id+jwt"},
        {"typ": "logout+jwt"},
        {"typ": "JWE"},
        {"typ": None},
        {"typ": 1},
        {"typ": ""},
        {"kid": 1},
        {"kid": ["a"]},
        {"kid": {}},
    ],
)
async def test_headers(header: dict[str, Any]) -> None:
    await assert_refused(token(header=header))


async def test_keys_that_the_bearer_brings_are_not_even_asked_for(key_server: KeyServer) -> None:
    async with run_key_server() as attacker:
        key = private_key("ES256", 9)
        attacker.publish(public_jwk(key, kid="mine"))
        headers: list[dict[str, Any]] = [
            {"jku": attacker.url},
            {"x5u": attacker.url},
            {"jwk": public_jwk(key)},
            {"x5c": ["MIIB"]},
            {"kid": attacker.url},
        ]
        for header in headers:
            await assert_refused(sign(key, "ES256", CLAIMS, **{"kid": "mine", **header}), jwks_url=key_server.url)
            await assert_refused(token(header=header | {"alg": "RS256"}), jwks_url=key_server.url)
        assert attacker.paths == []
        assert set(key_server.paths) == {"/keys"}


@pytest.mark.parametrize("kid", ["../../etc/passwd", "/dev/null", "' OR 1=1 --", "k" * 5_000, "", "\x00", "one\n", "ONE"])
async def test_a_kid_is_only_ever_looked_up(key_server: KeyServer, kid: str) -> None:
    key = private_key("ES256")
    key_server.publish(public_jwk(key, kid="one"))
    await assert_refused(sign(key, "ES256", CLAIMS, kid=kid), jwks_url=key_server.url)
    assert key_server.paths == ["/keys"]


async def test_length_is_checked_first() -> None:
    assert await verifier().verify(token(pad="x" * 5_900))
    await assert_refused(token(pad="x" * 6_200))
    await assert_refused("a" * 10_000_000)
