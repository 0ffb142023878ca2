"""What a file is, by its bytes alone."""

from __future__ import annotations

import random

import pytest

from domain.media import why_too_large
from domain.picture_structure import NotAPictureError, PictureStructure, read_structure
from tests.pictures import moving, picture, png, png_of

KINDS = ["JPEG", "PNG", "WEBP", "GIF"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (40, 30), (301, 2), (3, 700)])
def test_the_four_formats(kind: str, size: tuple[int, int]) -> None:
    assert read_structure(picture(kind, size)) == PictureStructure(f"image/{kind.lower()}", *size, frames=1)


def test_their_variants() -> None:
    assert read_structure(picture("JPEG", progressive=True, exif=b"Exif\0\0" + bytes(60_000))).width == 40
    assert read_structure(picture("WEBP", lossless=True)).height == 30
    assert read_structure(picture("WEBP", mode="RGBA")).content_type == "image/webp"
    assert read_structure(picture("PNG", mode="I;16")).width == 40
    for kind in ("GIF", "WEBP"):
        found = read_structure(moving(kind, 5))
        assert (found.width, found.height, found.frames) == (20, 10, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_that_is_cut_off_is_told_from_a_whole_one(kind: str) -> None:
    whole = picture(kind)
    for end in range(len(whole) - 1):
        with pytest.raises(NotAPictureError):
            read_structure(whole[:end])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"<html><script>alert(1)</script></html>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"BM" + bytes(100),
        b"%PDF-1.7",
        b"\0\0\0\x18ftypmp42" + bytes(50),
        b"GIF89a/*" + b"<script>" * 100 + b"*/=1;",
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + bytes(100),
        b"\xff\xd8\xff\xff" + b"\xff" * 1_000,
    ],
)
def test_what_is_no_picture(content: bytes) -> None:
    with pytest.raises(NotAPictureError):
        read_structure(content)


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_never_raise_anything_else(kind: str) -> None:
    whole, dice = bytearray(picture(kind)), random.Random(7)
    for _ in range(2_000):
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            found = read_structure(bytes(damaged))
        except NotAPictureError:
            continue
        assert found.width >= 0


def test_a_frame_beyond_the_screen_counts() -> None:
    content = bytearray(moving("GIF", 2))
    at = content.index(b"\x2c\0\0\0\0")
    content[at + 5 : at + 7] = (60_000).to_bytes(2, "little")
    assert read_structure(bytes(content)).width == 60_000


@pytest.mark.parametrize(
    ("width", "height", "frames", "byte_size", "is_fine"),
    [
        (10_000, 4_000, 1, 2_000_000, True),
        (10_001, 10, 1, 50_000, False),
        (8_000, 5_001, 1, 5_000_000, False),
        (50_000, 50_000, 1, 10_000_000, False),
        (1_000, 1_000, 41, 1_000_000, False),
        (100, 100, 300, 100_000, True),
        (10, 10, 301, 100_000, False),
        (6_000, 6_000, 1, 40_000, True),
        (6_000, 6_000, 1, 17_000, False),
        (1_000, 1_000, 1, 70, True),
        (0, 10, 1, 100, False),
    ],
)
def test_what_may_be_unpacked(width: int, height: int, frames: int, byte_size: int, is_fine: bool) -> None:
    problem = why_too_large(width=width, height=height, frames=frames, byte_size=byte_size)
    assert (problem is None) is is_fine, problem


def test_bombs_are_whole_pictures_to_the_walk() -> None:
    found = read_structure(png_of(50_000, 50_000))
    assert (found.width, found.height) == (50_000, 50_000)
    assert read_structure(png()).width == 40
