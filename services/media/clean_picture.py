"""Has a stranger's picture decoded and encoded anew, by a process of its own (`decode_confined`)."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from domain.media import MAX_PIXELS, MAX_SIDE, THUMBNAIL_SIDE

_PROGRAM = Path(__file__).with_name("decode_confined.py")
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}
_REFUSED = {65, 66}
_MEMORY_BYTES = 1_500_000_000
"""Addresses, of which about 200 MB are the program itself; 40 million pixels take up to 700 MB beside them."""
_CPU_SECONDS = 25
WALL_SECONDS = 50.0
_OUTPUT_BYTES = 40_000_000


class CannotBeDecodedError(Exception):
    """The bytes are no picture, or one that takes too much."""


class DecoderFailedError(Exception):
    """The decoder died or did not end: a file made against it, or this machine has no room at the moment."""


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """Pixels and nothing else. The thumbnail is WebP."""

    width: int
    height: int
    picture: bytes
    thumbnail: bytes


async def clean_picture(content: bytes, content_type: str) -> CleanPicture:
    """Raises CannotBeDecodedError, DecoderFailedError. Whoever is cancelled meanwhile leaves no process behind."""
    limits = {
        "format": _FORMATS[content_type],
        "pixels": MAX_PIXELS,
        "side": MAX_SIDE,
        "thumbnail": THUMBNAIL_SIDE,
        "memory_bytes": _MEMORY_BYTES,
        "cpu_seconds": _CPU_SECONDS,
        "output_bytes": _OUTPUT_BYTES,
    }
    child = subprocess.Popen(  # noqa: S603, ASYNC220 - our own program; takes a few milliseconds
        [sys.executable, "-I", str(_PROGRAM), json.dumps(limits)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
    )
    try:
        return await asyncio.to_thread(_converse, child, content)
    finally:
        # Dead already, but for those that were cancelled; then the thread comes to its end at once.
        child.kill()


def _converse(child: subprocess.Popen[bytes], content: bytes) -> CleanPicture:
    try:
        output, _ = child.communicate(content, timeout=WALL_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise DecoderFailedError("the decoder did not end") from None
    if child.returncode in _REFUSED:
        raise CannotBeDecodedError
    head, _, rest = output.partition(b"\n")
    if child.returncode != 0:
        raise DecoderFailedError(f"the decoder ended with {child.returncode}")
    sizes = json.loads(head)
    middle = sizes["picture"]
    if len(rest) != middle + sizes["thumbnail"]:
        raise DecoderFailedError("the decoder said too little")
    return CleanPicture(sizes["width"], sizes["height"], rest[:middle], rest[middle:])
