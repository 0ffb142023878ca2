"""Where the bytes of media are: what every kind of store can do.

Keys are made here and are the same in a folder and in a bucket. `uploads/…` is what strangers send, never served;
`public/…` is what this server has made of it, under names that nobody can guess and whose content never changes.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

UPLOADS = "uploads/"
PUBLIC = "public/"
UPLOAD_KEY = re.compile(r"uploads/(\d{1,19})-[a-z2-7]{26}")
PUBLIC_KEY = re.compile(r"public/([a-z2-7]{2})/\1[a-z2-7]{24}\.(jpg|png|webp|gif)")
FOR_EVER = "public, max-age=31536000, immutable"


def make_token() -> str:
    """26 letters and digits of 128 bits: in a name, it makes the name unguessable."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def make_public_key(extension: str) -> str:
    """A new name, in one of 1,024 folders."""
    token = make_token()
    return f"{PUBLIC}{token[:2]}/{token}.{extension}"


@dataclass(frozen=True, slots=True)
class UploadOffer:
    """How a client sends the content: this request, with these headers."""

    url: str
    method: str
    headers: Mapping[str, str]


class UploadTooLargeError(Exception):
    """What was sent is larger than was announced."""


class MediaStore(Protocol):
    """Every call ends within a bounded time; one that the store does not answer raises UnavailableError."""

    async def offer_upload(self, upload_key: str, *, content_type: str, byte_size: int) -> UploadOffer:
        """An address under which exactly this may be sent for a while."""

    async def read_upload(self, upload_key: str, *, most: int) -> bytes | None:
        """What was sent; None where nothing was. Raises UploadTooLargeError above `most` bytes, before it is read."""

    async def put_public(self, key: str, content: bytes, content_type: str) -> None:
        """Whole or not at all; a second time the same again."""

    async def delete(self, keys: Iterable[str]) -> None:
        """What is not there is no error."""

    async def public_address(self, key: str) -> str:
        """Where clients get it."""

    def lasting_address(self, key: str) -> str | None:
        """The same where it never changes; None where addresses are signed and run out."""

    async def find_old_uploads(self, *, older_than_seconds: float, most: int) -> list[str]:
        """Keys of uploads, whole or broken off, that were last written so long ago."""
