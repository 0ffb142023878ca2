"""What a signed payload must say, and what it must not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.authentication.forgery import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    NOW,
    assert_refused,
    raw_token,
    token,
    verifier,
)


async def test_hints_that_cannot_be_used_are_left_out() -> None:
    claims = await verifier().verify(token(preferred_username=["ada"], name="a\x00", picture="javascript:alert(1)"))
    assert (claims.preferred_username, claims.name, claims.picture) == (None, None, None)


async def test_without_configuration_issuer_is_free_and_audience_absent() -> None:
    free = verifier(issuer="", audience="")
    assert (await free.verify(token(iss="https://anyone.example", aud=None))).subject == "ada"
    await assert_refused(token(), issuer="", audience="")
    await assert_refused(token({"sub": "ada", "exp": NOW + 60, "aud": None}), audience="x")


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
