"""Which tokens are accepted, and every way known to forge one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.authentication.claims import Claims
from app.authentication.development_token import mint_development_token
from app.authentication.errors import AuthenticationError
from app.authentication.tokens import TokenVerifier
from tests.app.authentication.key_server import KeyServer, private_key, public_jwk, run_key_server, sign

SECRET = "a secret of tests, and of tests only"
NOW = 1_800_000_000
ISSUER = "https://id.example/realm"
AUDIENCE = "tidings"
CLAIMS = {"sub": "ada", "exp": NOW + 3_600, "iat": NOW, "iss": ISSUER, "aud": AUDIENCE}


def verifier(**changes: Any) -> TokenVerifier:
    arguments = {"hs256_secret": SECRET, "jwks_url": "", "issuer": ISSUER, "audience": AUDIENCE, "clock": lambda: NOW}
    return TokenVerifier(**{**arguments, **changes})


def token(claims: dict[str, Any] | None = None, /, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A good HS256 token, changed; a claim that is None is left out."""
    merged = {**CLAIMS, **changes} if claims is None else claims
    return raw_token(
        {"alg": "HS256", "typ": "JWT", **(header or {})}, {k: v for k, v in merged.items() if v is not None}
    )


def raw_token(header: object, payload: object, *, key: bytes = SECRET.encode()) -> str:
    """Any header and payload with an HMAC, without what a library would refuse to sign."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    return b".".join([signed, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


@pytest.fixture
async def key_server() -> AsyncIterator[KeyServer]:
    async with run_key_server() as server:
        yield server


async def assert_refused(text: str, **changes: Any) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await verifier(**changes).verify(text)
    assert text not in str(caught.value)
    assert len(str(caught.value)) < 100


async def test_a_good_token_names_its_bearer() -> None:
    picture = "https://id.example/ada.png"
    text = token(preferred_username="ada_l", name="Ada Lovelace", picture=picture)
    expires_at = datetime.fromtimestamp(NOW + 3_600, UTC)
    assert await verifier().verify(text) == Claims("ada", "ada_l", "Ada Lovelace", picture, expires_at)


async def test_hints_that_cannot_be_used_are_left_out() -> None:
    claims = await verifier().verify(token(preferred_username=["ada"], name="a\x00", picture="javascript:alert(1)"))
    assert (claims.preferred_username, claims.name, claims.picture) == (None, None, None)


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_types_of_access_tokens(typ: str) -> None:
    assert (await verifier().verify(token(header={"typ": typ}))).subject == "ada"


async def test_without_configuration_issuer_is_free_and_audience_absent() -> None:
    free = verifier(issuer="", audience="")
    assert (await free.verify(token(iss="https://anyone.example", aud=None))).subject == "ada"
    await assert_refused(token(), issuer="", audience="")
    await assert_refused(token({"sub": "ada", "exp": NOW + 60, "aud": None}), audience="x")


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
    "issuer",
    [
        None,
        "",
        "https://id.example",
        ISSUER + "/",
        ISSUER.upper(),
        [ISSUER],
        1,
        {"x": ISSUER},
        ISSUER + ".evil.example",
    ],
)
async def test_issuers(issuer: object) -> None:
    await assert_refused(token(iss=issuer))


async def test_audience_alone_in_a_list() -> None:
    assert (await verifier().verify(token(aud=[AUDIENCE]))).subject == "ada"


@pytest.mark.parametrize(
    "audience", [None, "", "tidings2", "tid", [], ["other"], [AUDIENCE, "other"], [[AUDIENCE]], 1, {AUDIENCE: 1}]
)
async def test_audiences(audience: object) -> None:
    await assert_refused(token(aud=audience))


async def test_leeway_is_sixty_seconds() -> None:
    assert await verifier().verify(token(exp=NOW - 59))
    await assert_refused(token(exp=NOW - 60))
    assert await verifier().verify(token(nbf=NOW + 60, iat=NOW + 60))
    await assert_refused(token(nbf=NOW + 61))
    await assert_refused(token(iat=NOW + 61))


YEARS = 10 * 365 * 86_400


@pytest.mark.parametrize(
    "exp",
    [
        None,
        NOW - 3_600,
        0,
        -1,
        str(NOW + 60),
        NOW + 60.5,
        float(NOW + 60),
        True,
        [NOW + 60],
        NOW + YEARS,
        10**30,
        10**400,
        float("inf"),
        float("nan"),
        2**63,
        2**64,
    ],
)
async def test_expiries(exp: object) -> None:
    await assert_refused(token(exp=exp))


@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize("value", [str(NOW), NOW - 0.5, -1, True, [], {}, 2**63])
async def test_other_times(claim: str, value: Any) -> None:
    await assert_refused(token(**{claim: value}))


async def test_null_times() -> None:
    for claim in ("exp", "nbf", "iat"):
        await assert_refused(raw_token({"alg": "HS256"}, {**CLAIMS, claim: None}))


@pytest.mark.parametrize(
    "subject", [None, "", " ", "\u200b", 1, ["ada"], {}, True, "a\x00", "a\nb", "a" * 256, "\ud800", "a\x1b"]
)
async def test_subjects(subject: object) -> None:
    await assert_refused(token(sub=subject))


async def test_long_subject_in_any_script() -> None:
    subject = "日" * 255
    assert (await verifier().verify(token(sub=subject))).subject == subject


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


@pytest.mark.parametrize(
    "claims",
    [
        {"typ": "Refresh"},
        {"typ": "ID"},
        {"token_use": "id"},
        {"token_type": "refresh"},
        {"typ": 1},
        {"at_hash": "x"},
        {"c_hash": "x"},
    ],
)
async def test_tokens_for_other_purposes(claims: dict[str, Any]) -> None:
    await assert_refused(token(**claims))


@pytest.mark.parametrize("claims", [{"typ": "Bearer"}, {"token_use": "access"}, {"token_type": "access"}])
async def test_tokens_that_say_they_are_for_access(claims: dict[str, Any]) -> None:
    assert await verifier().verify(token(**claims))


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


@pytest.mark.parametrize(
    "kid", ["../../etc/passwd", "/dev/null", "' OR 1=1 --", "k" * 5_000, "", "\x00", "one\n", "ONE"]
)
async def test_a_kid_is_only_ever_looked_up(key_server: KeyServer, kid: str) -> None:
    key = private_key("ES256")
    key_server.publish(public_jwk(key, kid="one"))
    await assert_refused(sign(key, "ES256", CLAIMS, kid=kid), jwks_url=key_server.url)
    assert key_server.paths == ["/keys"]


async def test_length_is_checked_first() -> None:
    assert await verifier().verify(token(pad="x" * 5_900))
    await assert_refused(token(pad="x" * 6_200))
    await assert_refused("a" * 10_000_000)


async def test_the_development_token() -> None:
    text = mint_development_token(
        SECRET, "7", username="ada", ttl=timedelta(hours=12), issuer=ISSUER, audience=AUDIENCE
    )
    claims = await TokenVerifier(SECRET, "", ISSUER, AUDIENCE).verify(text)
    assert (claims.subject, claims.preferred_username) == ("7", "ada")
    assert timedelta(hours=11) < claims.expires_at - datetime.now(UTC) <= timedelta(hours=12)
    assert jwt.get_unverified_header(text) == {"alg": "HS256", "typ": "JWT"}
    plain = mint_development_token(SECRET, "7", username="ada", ttl=timedelta(days=366))
    assert (await TokenVerifier(SECRET, "", "", "").verify(plain)).subject == "7"


@pytest.mark.parametrize("ttl", [timedelta(), timedelta(seconds=-1), timedelta(days=367)])
def test_a_development_token_has_a_bounded_life(ttl: timedelta) -> None:
    with pytest.raises(ValueError, match="lives"):
        mint_development_token(SECRET, "7", username="ada", ttl=ttl)


def test_a_development_token_needs_a_real_secret() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        mint_development_token("short", "7", username="ada", ttl=timedelta(hours=1))


GOOD = token()
PAYLOADS: list[object] = [[], "x", None, 1, b"", b"\xff", b"{" * 4_000, b"[" * 4_000]
JUNK = [
    "", ".", "..", "...", "a.b.c", "null", "a" * 8_192, GOOD + ".", GOOD + "=", GOOD + "\n", " " + GOOD, GOOD[:-1],
    GOOD + "A", GOOD.replace(".", ".."), "é.é.é", "\ud800", "\x00", "Bearer " + GOOD, GOOD + "." + GOOD,
    raw_token([], CLAIMS), raw_token("x", CLAIMS), raw_token(None, CLAIMS), raw_token(b"\xff\xfe", CLAIMS),
    *(raw_token({"alg": "HS256"}, payload) for payload in PAYLOADS),
    raw_token(b'{"alg":' + b"[" * 4_000, CLAIMS), raw_token(b'{"alg":"HS256","n":' + b"9" * 5_000 + b"}", CLAIMS),
    raw_token({"alg": "HS256"}, b'{"sub":"a","exp":' + b"9" * 5_000 + b"}"),
]  # fmt: skip


@pytest.mark.parametrize("text", JUNK, ids=range(len(JUNK)))
async def test_junk(text: str) -> None:
    with pytest.raises(AuthenticationError):
        await verifier().verify(text)


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", fullmatch=True)))
async def test_any_text(text: str) -> None:
    with pytest.raises(AuthenticationError):
        await verifier().verify(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk"]), JSON | st.just("HS256"), max_size=4),
    st.dictionaries(
        st.sampled_from(["sub", "exp", "nbf", "iat", "iss", "aud", "typ", "name", "picture"]), JSON, min_size=1
    ),
)
async def test_any_signed_content_is_accepted_or_refused(header: dict[str, Any], claims: dict[str, Any]) -> None:
    try:
        accepted = await verifier().verify(raw_token({"alg": "HS256", **header}, {**CLAIMS, **claims}))
    except AuthenticationError:
        return
    assert accepted.subject == {**CLAIMS, **claims}["sub"]
