"""Signed addresses for uploads into a folder: what is known of the upload stands in the address, under a seal.

The seal is a keyed BLAKE2b of 32 bytes (RFC 7693) over the whole of it. It is no secret of the uploader's account: whoever has
the address may send exactly what was announced, until it ends.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UploadClaim:
    """What an address allows. `expires`: seconds since 1970; `byte_size`: exactly so many."""

    upload_key: str
    content_type: str
    byte_size: int
    expires: int

    def to_bytes(self) -> bytes:
        return f"{self.upload_key}\n{self.content_type}\n{self.byte_size}\n{self.expires}".encode()


class UploadSigner:
    """Signs with one secret, which every process of a deployment shares."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"tidings.upload.v1\0" + secret).digest()

    def sign(self, claim: UploadClaim) -> str:
        """64 hexadecimal digits."""
        return hashlib.blake2b(claim.to_bytes(), key=self._key, digest_size=32).hexdigest()

    def is_signed(self, claim: UploadClaim, signature: str) -> bool:
        """Whether `sign` gave this. Takes as long for any wrong one; says nothing about time."""
        return hmac.compare_digest(self.sign(claim).encode(), signature.encode("utf-8", "surrogateescape"))
