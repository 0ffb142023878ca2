"""What a file is, by its bytes alone: JPEG, PNG, WebP or GIF, whole, and how many pixels it would unpack to.

Nothing is unpacked here, so nothing here can be made to take much memory or time: each format is walked by the lengths that it
states. Whether the packed pixels themselves are sound is seen by whoever decodes them, in a process of its own.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

_MAX_PARTS = 200_000
"""Chunks, segments or blocks that are walked; a GIF of 10 MB in the smallest usual blocks has 40,000."""


class NotAPictureError(Exception):
    """The message may be shown to whoever sent the file."""


@dataclass(frozen=True, slots=True)
class PictureStructure:
    """`frames`: 1 for a picture that does not move."""

    content_type: str
    width: int
    height: int
    frames: int


def read_structure(content: bytes) -> PictureStructure:
    """Raises NotAPictureError for what is none of the four formats, breaks its rules, or is cut off."""
    try:
        if content.startswith(b"\xff\xd8\xff"):
            return _read_jpeg(content)
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return _read_png(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _read_webp(content)
        if content.startswith((b"GIF87a", b"GIF89a")):
            return _read_gif(content)
    except IndexError:
        raise _cut_off() from None
    raise NotAPictureError("this is no JPEG, PNG, WebP or GIF picture")


def _cut_off() -> NotAPictureError:
    return NotAPictureError("the picture is cut off or damaged")


def _big(content: bytes, at: int, size: int) -> int:
    if at + size > len(content):
        raise _cut_off()
    return int.from_bytes(content[at : at + size], "big")


def _little(content: bytes, at: int, size: int) -> int:
    if at + size > len(content):
        raise _cut_off()
    return int.from_bytes(content[at : at + size], "little")


def _read_jpeg(content: bytes) -> PictureStructure:
    """ITU-T T.81, annex B: segments up to the first scan; behind it there must be an end of image."""
    at, size = 2, None
    for _ in range(_MAX_PARTS):
        while content[at] == 0xFF and content[at + 1] == 0xFF:
            at += 1  # fill bytes
        if content[at] != 0xFF:
            raise _cut_off()
        marker = content[at + 1]
        length = _big(content, at + 2, 2)
        if length < 2:
            raise _cut_off()
        # Start of frame; the others of this range are tables.
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            if size is not None:
                raise _cut_off()
            size = _big(content, at + 7, 2), _big(content, at + 5, 2)
        if marker == 0xDA:
            if size is None or content.find(b"\xff\xd9", at + 2 + length) < 0:
                raise _cut_off()
            return PictureStructure("image/jpeg", *size, frames=1)
        at += 2 + length
    raise _cut_off()


def _read_png(content: bytes) -> PictureStructure:
    """https://www.w3.org/TR/png-3/: every chunk has a checksum, the last one is IEND. Moving ones keep one frame."""
    at, size, has_pixels = 8, None, False
    for _ in range(_MAX_PARTS):
        length = _big(content, at, 4)
        kind = content[at + 4 : at + 8]
        if zlib.crc32(content[at + 4 : at + 8 + length]) != _big(content, at + 8 + length, 4):
            raise _cut_off()
        if size is None:
            if kind != b"IHDR" or length != 13:
                raise _cut_off()
            size = _big(content, at + 8, 4), _big(content, at + 12, 4)
        has_pixels = has_pixels or kind == b"IDAT"
        if kind == b"IEND":
            if not has_pixels:
                raise _cut_off()
            return PictureStructure("image/png", *size, frames=1)
        at += 12 + length
    raise _cut_off()


def _read_webp(content: bytes) -> PictureStructure:
    """RFC 9649. The canvas stands in VP8X where there is one, otherwise in the one frame's own head."""
    end = 8 + _little(content, 4, 4)
    if end > len(content):
        raise _cut_off()
    at, canvas, single, moving = 12, None, None, 0
    for _ in range(_MAX_PARTS):
        if at + 8 > end:
            break
        kind, length, data = content[at : at + 4], _little(content, at + 4, 4), at + 8
        if data + length > end:
            raise _cut_off()
        if kind == b"VP8X":
            canvas = _little(content, data + 4, 3) + 1, _little(content, data + 7, 3) + 1
        elif kind == b"VP8 ":
            if content[data + 3 : data + 6] != b"\x9d\x01\x2a":
                raise _cut_off()
            single = _little(content, data + 6, 2) & 0x3FFF, _little(content, data + 8, 2) & 0x3FFF
        elif kind == b"VP8L":
            if content[data] != 0x2F:
                raise _cut_off()
            bits = _little(content, data + 1, 4)
            single = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        elif kind == b"ANMF":
            moving += 1
        at = data + length + (length & 1)
    if single is not None:
        return PictureStructure("image/webp", *(canvas or single), frames=1)
    if canvas is None or not moving:
        raise _cut_off()
    return PictureStructure("image/webp", *canvas, frames=moving)


def _read_gif(content: bytes) -> PictureStructure:
    """GIF89a. A frame may reach beyond the screen that the head states: then the whole is as large as both."""
    width, height = _little(content, 6, 2), _little(content, 8, 2)
    at, frames = 13 + _colours(content[10]), 0
    for _ in range(_MAX_PARTS):
        kind = content[at]
        if kind == 0x3B:
            if not frames:
                raise _cut_off()
            return PictureStructure("image/gif", width, height, frames)
        if kind == 0x21:
            at = _behind_blocks(content, at + 2)
        elif kind == 0x2C:
            frames += 1
            width = max(width, _little(content, at + 1, 2) + _little(content, at + 5, 2))
            height = max(height, _little(content, at + 3, 2) + _little(content, at + 7, 2))
            at = _behind_blocks(content, at + 11 + _colours(content[at + 9]))
        else:
            raise _cut_off()
    raise _cut_off()


def _colours(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _behind_blocks(content: bytes, at: int) -> int:
    for _ in range(_MAX_PARTS):
        size = content[at]
        at += 1 + size
        if size == 0:
            return at
    raise _cut_off()
