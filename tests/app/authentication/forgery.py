"""Tokens good and forged, made without what a library would refuse to sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from app.authentication.errors import AuthenticationError
from app.authentication.tokens import TokenVerifier

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
    return raw_token({"alg": "HS256", "typ": "JWT", **(header or {})}, {k: v for k, v in merged.items() if v is not None})


def raw_token(header: object, payload: object, *, key: bytes = SECRET.encode()) -> str:
    """Any header and payload with an HMAC, without what a library would refuse to sign."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = hmac.new(key, signed, hashlib.sha256).digest()
    return b".".join([signed, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


async def assert_refused(text: str, **changes: Any) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await verifier(**changes).verify(text)
    assert text not in str(caught.value)
    assert len(str(caught.value)) < 100
