"""Opaque, versioned, sealed cursors.

A cursor is base64url(version | payload | seal). The seal is a keyed BLAKE2b of 16 bytes (RFC 7693) over the version, the
*scope* (which list, in which order, of which viewer) and the payload. The scope itself is not in the cursor: one that was
edited, that belongs to another viewer or another list simply does not open. The page size is no part of it.

Where a page has many of one scope, each of which holds one number, they are *blocks* instead: the number and eight bytes of the
keyed hash of the scope, enciphered together as one block of AES, in hexadecimal. All of a page are made by one call. Whoever
changes a block gets another number and other eight bytes, which are those of the scope by chance once in 2^64: "encode, then
encipher" (Bellare and Rogaway, Asiacrypt 2000; docs/decisions/0053).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from domain.errors import InvalidCursorError

_VERSION = b"\x02"
_SEAL_BYTES = 16
_pack_number = Struct(">q").pack
_BLOCK_BYTES = 16
_BLOCK_LENGTH = 2 * _BLOCK_BYTES
_CHECK_BYTES = 8
_is_block = re.compile(f"[0-9a-f]{{{_BLOCK_LENGTH}}}").fullmatch
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
        # Each block is enciphered for itself: it is the whole of a message, and equal messages may look equal.
        cipher = Cipher(AES(hashlib.sha256(b"tidings.cursor.block.v1\0" + secret).digest()), ECB())  # noqa: S305
        self._encipher = cipher.encryptor().update
        self._decipher = cipher.decryptor().update

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

    def seal_blocks(self, scope: CursorScope, numbers: Iterable[int]) -> list[str]:
        """A cursor for each of many 64-bit numbers of one scope."""
        return self.block_sealer(scope)(numbers)

    def block_sealer(self, scope: CursorScope) -> Callable[[Iterable[int]], list[str]]:
        """`seal_blocks` for whoever seals in one scope again and again."""
        check, encipher = self._check_of(scope), self._encipher

        def seal(numbers: Iterable[int]) -> list[str]:
            packed = check.join(map(_pack_number, numbers))
            return encipher(packed + check).hex(" ", _BLOCK_BYTES).split(" ") if packed else []

        return seal

    def open_block(self, scope: CursorScope, cursor: str) -> int | None:
        """The number given to `seal_blocks`; None where the cursor has not the form of a block. Raises InvalidCursorError."""
        if not _is_block(cursor):
            return None
        plain = self._decipher(bytes.fromhex(cursor))
        if not hmac.compare_digest(plain[-_CHECK_BYTES:], self._check_of(scope)):
            raise InvalidCursorError("the cursor is not valid here")
        return int.from_bytes(plain[:-_CHECK_BYTES], "big", signed=True)

    def open_ids(self, scope: CursorScope, cursor: str, *, count: int = 1) -> tuple[int, ...]:
        """The numbers given to `seal_ids`. Raises InvalidCursorError, also where there are not `count` of them."""
        payload = self.open(scope, cursor)
        if len(payload) != 8 * count:
            raise InvalidCursorError("the cursor is not valid here")
        return tuple(int.from_bytes(payload[at : at + 8], "big", signed=True) for at in range(0, len(payload), 8))

    def _check_of(self, scope: CursorScope) -> bytes:
        return blake2b(scope.to_bytes(), key=self._key, digest_size=_CHECK_BYTES).digest()

    def _seal_of(self, scope: bytes, body: bytes) -> bytes:
        # Live events carry two cursors each: this takes a third of the time of an HMAC.
        return hashlib.blake2b(len(body).to_bytes(4, "big") + body + scope, key=self._key, digest_size=_SEAL_BYTES).digest()
