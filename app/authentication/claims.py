"""What a verified payload says about its bearer, and when it counts (RFC 7519, section 4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.authentication.errors import AuthenticationError
from domain.text import check_line

LEEWAY = timedelta(seconds=60)  # clocks differ; for `exp`, `nbf` and `iat` alike
MAX_LIFETIME = timedelta(days=366)  # a token that outlives this was not meant for a browser
MAX_TEXT_LENGTH = 255
MAX_PICTURE_LENGTH = 2_048

# How identity providers mark what a token is for, in a claim: Keycloak `typ`, Cognito `token_use`, others `token_type`.
_PURPOSE_CLAIMS = ("typ", "token_use", "token_type")
_ACCESS_PURPOSES = frozenset({"access", "at+jwt", "bearer", "jwt"})
# Only ID tokens carry hashes of what was issued beside them (OpenID Connect Core, sections 3.1.3.6 and 3.3.2.11).
_ID_TOKEN_CLAIMS = ("at_hash", "c_hash", "s_hash")
_PICTURE = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Claims:
    """The bearer. `subject` identifies the account; the next three are hints, None where absent or unusable.

    `expires_at` is the token's own `exp`: a long connection ends then, whatever the leeway at its beginning.
    """

    subject: str
    preferred_username: str | None
    name: str | None
    picture: str | None
    expires_at: datetime


def read_claims(payload: object, *, issuer: str, audience: str, now: float) -> Claims:
    """Checks a payload whose signature has been verified. `now` is in seconds since 1970.

    An empty `issuer` leaves `iss` unchecked. An empty `audience` refuses every token that names one: it was meant for
    somebody else. Raises AuthenticationError.
    """
    if not isinstance(payload, dict):
        raise AuthenticationError("the payload is not an object")
    _check_purpose(payload)
    if issuer and payload.get("iss") != issuer:
        raise AuthenticationError("another issuer")
    _check_audience(payload, audience)
    expires_at = _check_times(payload, now)
    subject = payload.get("sub")
    if not isinstance(subject, str) or check_line(subject, MAX_TEXT_LENGTH) is not None:
        raise AuthenticationError("sub is not a usable string")
    picture = payload.get("picture")
    is_address = isinstance(picture, str) and len(picture) <= MAX_PICTURE_LENGTH and _PICTURE.fullmatch(picture)
    return Claims(
        subject=subject,
        preferred_username=_hint(payload, "preferred_username"),
        name=_hint(payload, "name"),
        picture=picture if is_address else None,
        expires_at=expires_at,
    )


def end_of(claims: Claims) -> float:
    """Until when claims that `read_claims` has accepted count, in seconds since 1970: nothing else about them can change."""
    return claims.expires_at.timestamp() + LEEWAY.total_seconds()


def _check_purpose(payload: Mapping[str, object]) -> None:
    for claim in _PURPOSE_CLAIMS:
        purpose = payload.get(claim, "access")
        if not isinstance(purpose, str) or purpose.lower() not in _ACCESS_PURPOSES:
            raise AuthenticationError(f"not an access token, says {claim}")
    if any(claim in payload for claim in _ID_TOKEN_CLAIMS):
        raise AuthenticationError("an ID token is not an access token")


def _check_audience(payload: Mapping[str, object], audience: str) -> None:
    if not audience:
        if "aud" in payload:
            raise AuthenticationError("meant for an audience, and none is configured")
    elif payload.get("aud") not in (audience, [audience]):
        raise AuthenticationError("another audience")


def _check_times(payload: Mapping[str, object], now: float) -> datetime:
    leeway = LEEWAY.total_seconds()
    expiry = _seconds(payload, "exp")
    if expiry is None:
        raise AuthenticationError("exp is missing")
    if expiry + leeway <= now:
        raise AuthenticationError("expired")
    if expiry > now + MAX_LIFETIME.total_seconds() + leeway:
        raise AuthenticationError("exp is too far away")
    for claim in ("nbf", "iat"):
        start = _seconds(payload, claim)
        if start is not None and start > now + leeway:
            raise AuthenticationError(f"{claim} is in the future")
    return datetime.fromtimestamp(expiry, UTC)


def _seconds(payload: Mapping[str, object], claim: str) -> int | None:
    """A NumericDate: whole seconds since 1970. None if absent; a fraction, a string or a negative number is refused."""
    if claim not in payload:
        return None
    value = payload[claim]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise AuthenticationError(f"{claim} is not a number of seconds")
    return value


def _hint(payload: Mapping[str, object], claim: str) -> str | None:
    value = payload.get(claim)
    return value if isinstance(value, str) and check_line(value, MAX_TEXT_LENGTH) is None else None
