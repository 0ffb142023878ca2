"""Verification of JSON Web Tokens (RFC 7519), by the advice of RFC 8725.

PyJWT reads the compact form and checks the signature with one key and the one algorithm of that key. Which header and
which claims are accepted is decided here (`header`, `claims`), because this server is stricter than the library.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import jwt
import orjson

from app.authentication.claims import Claims, end_of, read_claims
from app.authentication.errors import AuthenticationError
from app.authentication.header import SYMMETRIC_ALGORITHM, check_header
from app.authentication.key_set import RemoteKeySet
from services.memory.two_generations import TwoGenerations

MAX_TOKEN_LENGTH = 8_192
MIN_SECRET_BYTES = 32  # RFC 7518, section 3.2: a key of the hash's size or larger

_COMPACT_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KNOWN_BYTES = 32_000_000
_KNOWN_OVERHEAD = 600
"""Bytes of what is kept with a token, its claims above all."""
_JWS = jwt.PyJWS(options={"enforce_minimum_key_length": True})
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


@dataclass(frozen=True, slots=True)
class _KnownToken:
    """What a token says that was good, and the key that said so. `end`: see `end_of`."""

    claims: Claims
    end: float
    algorithm: str
    kid: str | None
    key: str | jwt.PyJWK
    size: int


class TokenVerifier:
    """Turns bearer tokens into Claims. One per process; see RemoteKeySet for what it keeps.

    `hs256_secret` None: no HS256 tokens. `jwks_url` empty: no others. `clock` gives seconds since 1970, `monotonic`
    seconds from any start. Raises ValueError for a secret under 32 bytes.
    """

    def __init__(
        self,
        hs256_secret: str | None,
        jwks_url: str,
        issuer: str,
        audience: str,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        if hs256_secret is not None and len(hs256_secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"an HS256 secret has at least {MIN_SECRET_BYTES} bytes")
        self._secret = hs256_secret
        self._key_set = RemoteKeySet(jwks_url, client=client, monotonic=monotonic) if jwks_url else None
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._known: TwoGenerations[str, _KnownToken] = TwoGenerations(_KNOWN_BYTES, weigh=_weigh)

    def recall(self, token: str) -> Claims | None:
        """The claims of a token that was good before and is good now; None where `verify` must tell.

        A signature that one key has verified need not be computed again: what can change is the time, and which keys count.
        """
        known = self._known.get(token)
        if known is None or known.end <= self._clock():
            return None
        if known.algorithm == SYMMETRIC_ALGORITHM:
            key: str | jwt.PyJWK | None = self._secret
        else:
            key = self._key_set.held(known.algorithm, known.kid) if self._key_set is not None else None
        return known.claims if key is known.key else None

    async def verify(self, token: str) -> Claims:
        """The claims of a good token. Raises AuthenticationError for every other string, and nothing else.

        Asks the key server at most once every 30 s, and waits for it at most 2 s.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            raise AuthenticationError("the token is too long")
        if not _COMPACT_FORM.fullmatch(token):
            raise AuthenticationError("not a token in compact form")
        try:
            header = _JWS.get_unverified_header(token)
        except _UNREADABLE:
            raise AuthenticationError("the header cannot be read") from None
        algorithm, kid = check_header(header)
        key = await self._find_key(algorithm, kid)
        try:
            payload = orjson.loads(_JWS.decode(token, key, algorithms=[algorithm]))
        except _UNREADABLE:
            raise AuthenticationError("the signature or the payload is wrong") from None
        claims = read_claims(payload, issuer=self._issuer, audience=self._audience, now=self._clock())
        self._known.put(token, _KnownToken(claims, end_of(claims), algorithm, kid, key, len(token)))
        return claims

    async def aclose(self) -> None:
        """Ends what goes on in the background."""
        if self._key_set is not None:
            await self._key_set.aclose()

    async def _find_key(self, algorithm: str, kid: str | None) -> str | jwt.PyJWK:
        # The secret never meets another algorithm than HS256, and a public key never meets HS256.
        key: str | jwt.PyJWK | None = None
        if algorithm == SYMMETRIC_ALGORITHM:
            key = self._secret
        elif self._key_set is not None:
            key = await self._key_set.find(algorithm, kid)
        if key is None:
            raise AuthenticationError("no such key")
        return key


def _weigh(known: _KnownToken) -> int:
    return _KNOWN_OVERHEAD + known.size
