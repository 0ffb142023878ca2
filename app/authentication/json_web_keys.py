"""From the body of a key server to the keys that may verify tokens (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping

import jwt
import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MAX_KEYS = 100
MIN_RSA_BITS = 2_048
MAX_RSA_BITS = 8_192
_MAX_EXPONENT_BITS = 33  # verification takes time in proportion to the exponent, and a key server may be hostile too
_MAX_FIELD_LENGTH = 2_048  # characters of base64; an RSA modulus of 8,192 bits has 1,366

# By type and curve: the algorithm under which a key verifies, and the names that its own `alg` may have for it.
_ALGORITHMS = {
    ("RSA", None): ("RS256", {"RS256"}),
    ("EC", "P-256"): ("ES256", {"ES256"}),
    ("OKP", "Ed25519"): ("EdDSA", {"EdDSA", "Ed25519"}),  # RFC 9864 renames it
}

KeySet = Mapping[tuple[str, str | None], jwt.PyJWK]
"""Keys by (algorithm, kid); a key without `kid` stands under None."""


def parse_key_set(body: bytes) -> KeySet:
    """Reads a JWK Set. Raises ValueError if it is none; single keys that cannot serve are skipped.

    Skipped are keys of another type, curve, algorithm or use than RS256, ES256 and EdDSA signatures, symmetric and
    private ones (published, hence no secret), and RSA keys under 2,048 bits. Of two with one name the first counts.
    """
    document = orjson.loads(body)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWK Set")
    keys: dict[tuple[str, str | None], jwt.PyJWK] = {}
    for entry in entries[:MAX_KEYS]:
        key = _parse_key(entry)
        if key is not None:
            keys.setdefault((key.algorithm_name, key.key_id), key)
    return keys


def _parse_key(entry: object) -> jwt.PyJWK | None:
    if not isinstance(entry, dict) or not _is_for_signatures(entry):
        return None
    kind, curve, kid = entry.get("kty"), entry.get("crv"), entry.get("kid")
    if not isinstance(kind, str) or not isinstance(curve, str | None) or not isinstance(kid, str | None):
        return None
    algorithm, names = _ALGORITHMS.get((kind, curve), ("", set()))
    if entry.get("alg", algorithm) not in names:
        return None
    try:
        key = jwt.PyJWK(entry, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, LookupError, UnsupportedAlgorithm):
        return None
    return key if not isinstance(key.key, RSAPublicKey) or _is_sound(key.key) else None


def _is_for_signatures(entry: dict[str, object]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return (
        "d" not in entry
        and entry.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and all(len(value) <= _MAX_FIELD_LENGTH for name in ("n", "e", "x", "y") if isinstance(value := entry.get(name), str))
    )


def _is_sound(key: RSAPublicKey) -> bool:
    return MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS and key.public_numbers().e.bit_length() <= _MAX_EXPONENT_BITS
