"""Tokens for development are accepted like any other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from app.authentication.development_token import mint_development_token
from app.authentication.tokens import TokenVerifier
from tests.app.authentication.forgery import (
    AUDIENCE,
    ISSUER,
    SECRET,
)


async def test_the_development_token() -> None:
    text = mint_development_token(SECRET, "7", username="ada", ttl=timedelta(hours=12), issuer=ISSUER, audience=AUDIENCE)
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
