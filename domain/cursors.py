"""Opaque, versioned, sealed cursors.

A cursor is base64url(version | payload | seal). The seal is a keyed BLAKE2b of 16 bytes (RFC 7693) over the version, the
*scope* (which list, in which order, of which viewer) and the payload. The scope itself is not in the cursor: one that was
edited, that belongs to another viewer or another list simply does not open. The page size is no part of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from struct import Struct

from domain.errors import InvalidCursorError

_VERSION = b"\x02"
_SEAL_BYTES = 16
_pack_number = Struct(">q").pack
_to_base64 = partial(b2a_base64, newline=False)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_MAX_LENGTH = 16_384
"""Above the longest that is sealed: a moment names every transaction that was under way, twice, in up to 20 digits."""


@dataclass(frozen=True, slots=True)
class CursorScope:
    """What a cursor is bound to. `kind` names the list (and whose it is, e.g. `user.posts:17`), `viewer_id` its reader."""

    kind: str
    viewer_id: int | None
    order: str = ""

    def to_bytes(self) -> bytes:
        return f"{self.kind}\0{self.viewer_id or 0}\0{self.order}".encode()


class CursorSealer:
    """Seals and opens cursors with one secret, which every process of a deployment shares."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"tidings.cursor.v1\0" + secret).digest()

    def seal(self, scope: CursorScope, payload: bytes) -> str:
        return self.seal_in(scope.to_bytes(), payload)

    def seal_in(self, scope: bytes, payload: bytes) -> str:
        """`seal`, for whoever seals many of one scope and keeps its bytes."""
        body = _VERSION + payload
        return base64.urlsafe_b64encode(body + self._seal_of(scope, body)).decode().rstrip("=")

    def open(self, scope: CursorScope, cursor: str) -> bytes:
        """The payload that was sealed. Raises InvalidCursorError for anything that `seal` did not make for this scope."""
        if not 0 < len(cursor) <= _MAX_LENGTH:
            raise InvalidCursorError("the cursor is not valid here")
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (binascii.Error, UnicodeError, ValueError):
            raise InvalidCursorError("the cursor is not valid here") from None
        body, seal = raw[:-_SEAL_BYTES], raw[-_SEAL_BYTES:]
        canonical = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        if body[:1] != _VERSION or canonical != cursor or not hmac.compare_digest(seal, self._seal_of(scope.to_bytes(), body)):
            raise InvalidCursorError("the cursor is not valid here")
        return body[1:]

    def seal_ids(self, scope: CursorScope, *ids: int) -> str:
        """A cursor whose payload is a tuple of 64-bit numbers: the keyset of a list's last row."""
        return self.seal(scope, b"".join(number.to_bytes(8, "big", signed=True) for number in ids))

    def sealer_of_ids(self, scope: CursorScope, *rest: int) -> Callable[[int], str]:
        """`seal_ids` for many cursors of one scope that differ in their first number alone."""
        tail = b"".join(number.to_bytes(8, "big", signed=True) for number in rest)
        digest_of = partial(blake2b, digest_size=_SEAL_BYTES, key=self._key)
        # What is sealed is length, body and scope: all but the first number is the same for all.
        before = (len(_VERSION) + 8 + len(tail)).to_bytes(4, "big") + _VERSION
        after = tail + scope.to_bytes()

        def seal(first: int) -> str:
            number = _pack_number(first)
            sealed = _VERSION + number + tail + digest_of(before + number + after).digest()
            return _to_base64(sealed).translate(_URL_SAFE, b"=").decode()

        return seal

    def open_ids(self, scope: CursorScope, cursor: str, *, count: int = 1) -> tuple[int, ...]:
        """The numbers given to `seal_ids`. Raises InvalidCursorError, also where there are not `count` of them."""
        payload = self.open(scope, cursor)
        if len(payload) != 8 * count:
            raise InvalidCursorError("the cursor is not valid here")
        return tuple(int.from_bytes(payload[at : at + 8], "big", signed=True) for at in range(0, len(payload), 8))

    def _seal_of(self, scope: bytes, body: bytes) -> bytes:
        # Live events carry two cursors each: this takes a third of the time of an HMAC.
        return hashlib.blake2b(len(body).to_bytes(4, "big") + body + scope, key=self._key, digest_size=_SEAL_BYTES).digest()
