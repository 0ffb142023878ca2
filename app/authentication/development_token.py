"""Tokens signed with the shared secret, for `tidings token` and the development login."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt

from app.authentication.claims import MAX_LIFETIME
from app.authentication.header import SYMMETRIC_ALGORITHM
from app.authentication.tokens import MIN_SECRET_BYTES


def mint_development_token(
    secret: str, subject: str, *, username: str, ttl: timedelta, issuer: str = "", audience: str = ""
) -> str:
    """An HS256 token that a TokenVerifier with the same secret, issuer and audience accepts for `ttl` from now.

    Raises ValueError for a secret under 32 bytes, or a `ttl` that is not positive or beyond 366 days.
    """
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"an HS256 secret has at least {MIN_SECRET_BYTES} bytes")
    if not timedelta() < ttl <= MAX_LIFETIME:
        raise ValueError(f"a token lives for at most {MAX_LIFETIME.days} days")
    now = datetime.now(UTC)
    payload = {
        "sub": subject,
        "preferred_username": username,
        "iat": int(now.timestamp()),
        "exp": int((now + ttl).timestamp()),
    }
    if issuer:
        payload["iss"] = issuer
    if audience:
        payload["aud"] = audience
    return jwt.encode(payload, secret, algorithm=SYMMETRIC_ALGORITHM)
