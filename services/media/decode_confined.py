"""Makes of a picture by a stranger two of our own, as a program that may do nothing else.

Run as a script (`python -I decode_confined.py LIMITS`), never imported: a decoder in C that meets a file made against it shall
find no secrets, no network of ours to wait for, and little memory. The picture comes on stdin. On stdout goes one line of JSON
with the sizes, then the picture, then its thumbnail. Status 65: it cannot be decoded; 66: it would take too much.

Nothing of the original but its pixels is kept: no EXIF (and so no place), no comments, no profile; colours are converted to
sRGB by the profile, and a picture that says it lies on its side is turned.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import resource
import signal
import sys
from typing import Any

from PIL import (
    GifImagePlugin,
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

_BAD_CONTENT = 65
_TOO_COSTLY = 66
_PR_SET_PDEATHSIG = 1
_PLUGINS = (GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
_SAVING: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 88, "progressive": True},
    "PNG": {"compress_level": 6},
    "WEBP": {"quality": 88, "method": 2},
    "GIF": {},
}


def main() -> None:
    limits = json.loads(sys.argv[1])
    _confine(limits)
    content = sys.stdin.buffer.read()
    try:
        width, height, picture, thumbnail = _convert(content, limits)
    except MemoryError:
        sys.exit(_TOO_COSTLY)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError, OverflowError):
        # Whatever a decoder says of a damaged file: Pillow's plugins raise all of these.
        sys.exit(_BAD_CONTENT)
    head = {"width": width, "height": height, "picture": len(picture), "thumbnail": len(thumbnail)}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + picture + thumbnail)
    sys.stdout.buffer.flush()


def _confine(limits: dict[str, Any]) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(10)
    for kind, limit in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        resource.setrlimit(kind, (limit, limit))
    # Sizes are judged below, by our own limit.
    Image.MAX_IMAGE_PIXELS = None


def _convert(content: bytes, limits: dict[str, Any]) -> tuple[int, int, bytes, bytes]:
    kind = limits["format"]
    image = Image.open(io.BytesIO(content), formats=[kind])
    frames = getattr(image, "n_frames", 1) if kind in {"GIF", "WEBP"} else 1
    if image.width * image.height * frames > limits["pixels"] or max(image.size) > limits["side"]:
        sys.exit(_TOO_COSTLY)
    if frames > 1:
        picture, first = _moving(image, kind, frames)
    else:
        first = _upright(image)
        picture = _saved(_for_format(first, kind), kind)
    if len(picture) > limits["output_bytes"]:
        sys.exit(_TOO_COSTLY)
    size = first.size
    small = first if first.mode in {"RGB", "RGBA", "L"} else first.convert("RGBA" if _has_alpha(first) else "RGB")
    small.thumbnail((limits["thumbnail"], limits["thumbnail"]), Image.Resampling.LANCZOS)
    small.info = {}
    return *size, picture, _saved(small, "WEBP", quality=80)


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"RGB", "RGBA", "CMYK", "L"}:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            target = "RGBA" if image.mode == "RGBA" else "RGB"
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=target) or image
    # The plugins write some of this again unasked: comments, profiles, resolutions.
    image.info = {"transparency": image.info["transparency"]} if "transparency" in image.info else {}
    return image


def _for_format(image: Image.Image, kind: str) -> Image.Image:
    if image.mode.startswith("I"):
        # Sixteen bits of grey; converting would cut them off instead of scaling.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if kind == "JPEG" and image.mode not in {"L", "RGB"}:
        return image.convert("RGB")
    if kind == "WEBP" and image.mode not in {"RGB", "RGBA"}:
        return image.convert("RGBA" if _has_alpha(image) else "RGB")
    return image


def _moving(image: Image.Image, kind: str, frames: int) -> tuple[bytes, Image.Image]:
    pictures, durations = [], []
    for number in range(frames):
        image.seek(number)
        durations.append(min(max(int(image.info.get("duration", 100)), 10), 60_000))
        frame = image.convert("RGBA")
        frame.info = {}
        pictures.append(frame)
    loop = int(image.info.get("loop", 0))
    more: dict[str, Any] = {"disposal": 2} if kind == "GIF" else {}
    saved = _saved(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=durations, loop=loop, **more)
    return saved, pictures[0].copy()


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.mode or "a" in image.mode or "transparency" in image.info


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, format=kind, **_SAVING[kind] | options)
    return target.getvalue()


if __name__ == "__main__":
    main()
