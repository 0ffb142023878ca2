"""Pictures that people upload: what clients see of them, and how large they may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MediaKind(StrEnum):
    """What an upload shows. Films are not taken so far: nothing here could clean them of what they say about their maker."""

    IMAGE = "IMAGE"
    VIDEO = "VIDEO"


class MediaState(StrEnum):
    """How far an upload has come."""

    PENDING = "PENDING"
    READY = "READY"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class MediaRecord:
    """An upload as all see it who may see it. Keys are names in the store; content stands under them once it is READY."""

    id: int
    owner_id: int
    kind: MediaKind
    state: MediaState
    width: int | None
    height: int | None
    """Pixels, as it is shown."""
    alt_text: str | None
    public_key: str | None
    thumbnail_key: str | None


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """The same with what only this server needs to know. `content_type`, `byte_size`: as announced, later as found."""

    record: MediaRecord
    content_type: str
    byte_size: int
    upload_key: str
    is_finished: bool
    attempts: int


EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}
"""The types that are taken, and how names of files end that hold them. No SVG: it is a program, not a picture."""
CONTENT_TYPES = {extension: content_type for content_type, extension in EXTENSIONS.items()}

MAX_ALT_TEXT_LENGTH = 1_000
MAX_POST_MEDIA = 4
MAX_SIDE = 10_000
"""Pixels."""
MAX_PIXELS = 40_000_000
"""Of all frames of a moving picture together."""
MAX_FRAMES = 300
MAX_PIXELS_PER_BYTE = 2_000
"""A picture of one colour reaches some hundreds. What claims more has been made to be large when it is unpacked."""
HARMLESS_PIXELS = 1_000_000
"""So small a picture may be packed as well as it can be."""
THUMBNAIL_SIDE = 320


def why_too_large(*, width: int, height: int, frames: int, byte_size: int) -> str | None:
    """Why a picture must not be unpacked, for whoever sent it; None where it may be."""
    if width < 1 or height < 1:
        return "the picture is empty"
    if width > MAX_SIDE or height > MAX_SIDE:
        return f"the picture has {width} x {height} pixels; a side has at most {MAX_SIDE}"
    unpacked = width * height * frames
    if unpacked > MAX_PIXELS:
        return f"the picture has more than {MAX_PIXELS // 1_000_000} million pixels, all frames together"
    if frames > MAX_FRAMES:
        return f"the picture has more than {MAX_FRAMES} frames"
    if unpacked > HARMLESS_PIXELS and unpacked > byte_size * MAX_PIXELS_PER_BYTE:
        return "the picture is packed more densely than pictures are"
    return None
