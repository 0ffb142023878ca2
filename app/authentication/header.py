"""The header of a token (RFC 7515, section 4): it may choose among our keys and algorithms, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from app.authentication.errors import AuthenticationError

SYMMETRIC_ALGORITHM = "HS256"
KEY_SET_ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})

_ACCESS_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
# Keys, or addresses of keys, that the bearer would like us to trust.
_KEYS_OF_THE_BEARER = ("jku", "jwk", "x5c", "x5u")


def check_header(header: Mapping[str, object]) -> tuple[str, str | None]:
    """Returns `alg` and `kid` of an unverified header. Raises AuthenticationError.

    `alg` is compared exactly, so that no spelling of "none" passes. Any `crit` is refused, as no extension is
    understood. `typ` must be absent or that of an access token (RFC 9068).
    """
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in {SYMMETRIC_ALGORITHM, *KEY_SET_ALGORITHMS}:
        raise AuthenticationError("alg is not accepted")
    if "crit" in header or header.get("b64", True) is not True:
        raise AuthenticationError("critical extensions are not accepted")
    if any(name in header for name in _KEYS_OF_THE_BEARER):
        raise AuthenticationError("a token cannot bring its own key")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _ACCESS_TYPES:
        raise AuthenticationError("typ is not that of an access token")
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise AuthenticationError("kid is not a string")
    return algorithm, kid
