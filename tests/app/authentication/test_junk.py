"""Whatever is sent as a token, the answer is a refusal and never another error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.authentication.errors import AuthenticationError
from tests.app.authentication.forgery import (
    CLAIMS,
    raw_token,
    token,
    verifier,
)

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


@settings(deadline=None)  # a busy machine is no failure
@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", fullmatch=True)))
async def test_any_text(text: str) -> None:
    with pytest.raises(AuthenticationError):
        await verifier().verify(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk"]), JSON | st.just("HS256"), max_size=4),
    st.dictionaries(st.sampled_from(["sub", "exp", "nbf", "iat", "iss", "aud", "typ", "name", "picture"]), JSON, min_size=1),
)
async def test_any_signed_content_is_accepted_or_refused(header: dict[str, Any], claims: dict[str, Any]) -> None:
    try:
        accepted = await verifier().verify(raw_token({"alg": "HS256", **header}, {**CLAIMS, **claims}))
    except AuthenticationError:
        return
    assert accepted.subject == {**CLAIMS, **claims}["sub"]
