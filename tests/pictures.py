"""Pictures, true ones and false ones, and how they are uploaded."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

from PIL import Image

from services.media.create_upload import create_upload
from services.media.finish_upload import finish_upload
from services.media.folder_store import FolderStore
from services.media.process_upload import process_next_upload
from tests.world import World


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), *, mode: str = "RGB", **options: Any) -> bytes:
    """A picture of two halves: the left one red, the right one blue."""
    image = Image.new(mode, size, "red" if mode not in {"L", "1", "I;16"} else 40)
    if mode in {"RGB", "RGBA"}:
        image.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    target = io.BytesIO()
    image.save(target, format=kind, **options)
    return target.getvalue()


def png(size: tuple[int, int] = (40, 30)) -> bytes:
    return picture("PNG", size)


def moving(kind: str = "GIF", frames: int = 3, size: tuple[int, int] = (20, 10)) -> bytes:
    pictures = [Image.new("RGB", size, (number * 7 % 256, number % 256, 30)) for number in range(frames)]
    target = io.BytesIO()
    pictures[0].save(target, format=kind, save_all=True, append_images=pictures[1:], duration=50, loop=0)
    return target.getvalue()


def png_of(width: int, height: int, pixels: bytes = b"\0") -> bytes:
    """A PNG that claims to be so large, sound but for what is packed in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


async def upload(world: World, owner: str, content: bytes, content_type: str = "image/png", alt_text: str | None = None) -> int:
    """The id of an upload that was sent and not finished."""
    made = await create_upload(
        world.backends,
        owner_id=world.ids[owner],
        content_type=content_type,
        byte_size=len(content),
        alt_text=alt_text,
    )
    await send(world, upload_key(made.offer.url), content)
    return made.media.id


async def send(world: World, key: str, content: bytes) -> None:
    await folder_of(world).receive_upload(key, _in_pieces(content), byte_size=len(content))


def upload_key(url: str) -> str:
    return "uploads/" + url.partition("/media/upload/")[2].partition("?")[0]


def folder_of(world: World) -> FolderStore:
    store = world.backends.media.store
    assert isinstance(store, FolderStore)
    return store


def files_of(world: World) -> list[str]:
    """What lies in the store, by its path below it."""
    root = folder_of(world).root
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def ready(world: World, owner: str, content: bytes | None = None, content_type: str = "image/png") -> int:
    """The id of a picture that can be shown."""
    media_id = await upload(world, owner, content or png(), content_type)
    await finish_upload(world.backends, owner_id=world.ids[owner], media_id=media_id)
    await process_next_upload(world.backends)
    return media_id


async def _in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), 700_000):
        yield content[at : at + 700_000]
