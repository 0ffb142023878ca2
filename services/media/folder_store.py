"""Media in a folder that all processes of the deployment see: on one machine, or shared.

uploads/ID-TOKEN       sent by strangers, whole
uploads/part-TOKEN     being sent; renamed when it is whole and on the disk
public/XX/TOKEN.EXT    served
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from domain.errors import UnavailableError
from domain.upload_addresses import UploadClaim, UploadSigner
from services.media.media_store import UPLOADS, UploadOffer, UploadTooLargeError, make_token
from services.media.part_file import PartFile

T = TypeVar("T")

_WRITE_BYTES = 1 << 20
_PART = f"{UPLOADS}part-"


class UploadIncompleteError(Exception):
    """Fewer bytes arrived than were announced."""


class FolderStore:
    """`base_url`: under which this server answers, empty for addresses without a host; `cdn_url`: what fronts it, or empty."""

    def __init__(self, root: Path, *, signer: UploadSigner, upload_ttl: timedelta, base_url: str, cdn_url: str) -> None:
        self.root = root
        self.signer = signer
        self._ttl_seconds = int(upload_ttl.total_seconds())
        self._base_url = base_url
        self._front = cdn_url or f"{base_url}/media"

    async def offer_upload(self, upload_key: str, *, content_type: str, byte_size: int) -> UploadOffer:
        claim = UploadClaim(upload_key, content_type, byte_size, int(time.time()) + self._ttl_seconds)
        query = urlencode(
            {"size": byte_size, "type": content_type, "expires": claim.expires, "signature": self.signer.sign(claim)}
        )
        name = upload_key.removeprefix(UPLOADS)
        return UploadOffer(f"{self._base_url}/media/upload/{name}?{query}", "PUT", {"Content-Type": content_type})

    async def receive_upload(self, upload_key: str, chunks: AsyncIterator[bytes], *, byte_size: int) -> None:
        """Takes exactly `byte_size` bytes; whatever else happens, nothing is left.

        Raises UploadTooLargeError at the first byte too many, UploadIncompleteError, and what `chunks` raises.
        """
        size, pending = 0, bytearray()
        with self._part() as part:
            async for chunk in chunks:
                size += len(chunk)
                if size > byte_size:
                    raise UploadTooLargeError
                pending += chunk
                if len(pending) >= _WRITE_BYTES:
                    content, pending = bytes(pending), bytearray()
                    await self._run_to_end(partial(part.write, content))
            if size < byte_size:
                raise UploadIncompleteError
            await self._run_to_end(partial(part.write, bytes(pending)))
            await self._run_to_end(partial(part.settle, self.root / upload_key))

    async def read_upload(self, upload_key: str, *, most: int) -> bytes | None:
        return await self._run(lambda: _read(self.root / upload_key, most))

    async def put_public(self, key: str, content: bytes, content_type: str) -> None:
        await self._run(lambda: self._put(self.root / key, content))

    async def delete(self, keys: Iterable[str]) -> None:
        paths = [self.root / key for key in keys]
        await self._run(lambda: _remove(paths))

    async def public_address(self, key: str) -> str:
        return self.lasting_address(key)

    def lasting_address(self, key: str) -> str:
        return f"{self._front}/{key}"

    async def find_old_uploads(self, *, older_than_seconds: float, most: int) -> list[str]:
        before = time.time() - older_than_seconds
        return await self._run(lambda: _find_old(self.root / UPLOADS, before, most))

    async def find_public(self, key: str) -> tuple[Path, os.stat_result] | None:
        """The file behind a key that has the form of one; None where there is none."""
        path = self.root / key
        with contextlib.suppress(FileNotFoundError):
            return path, await self._run(path.stat)
        return None

    def _part(self) -> PartFile:
        return PartFile(self.root / f"{_PART}{make_token()}")

    def _put(self, path: Path, content: bytes) -> None:
        with self._part() as part:
            part.write(content)
            part.settle(path)

    async def _run_to_end(self, work: Callable[[], None]) -> None:
        # A thread cannot be stopped. Going on without it would close the file under its hands.
        task = asyncio.ensure_future(self._run(work))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            with contextlib.suppress(UnavailableError):
                await task
            raise

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise UnavailableError("the store of media did not work") from error


def _read(path: Path, most: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > most:
                raise UploadTooLargeError
            return file.read()
    except FileNotFoundError:
        return None


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _find_old(folder: Path, before: float, most: int) -> list[str]:
    return [f"{UPLOADS}{name}" for name, _ in zip(_old_names(folder, before), range(most), strict=False)]


def _old_names(folder: Path, before: float) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < before:
                    yield entry.name
