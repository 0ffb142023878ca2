"""Media in a bucket that speaks S3. Clients send to the bucket itself, and get from it, or from what fronts it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from domain.errors import UnavailableError
from services.media.media_store import FOR_EVER, UPLOADS, UploadOffer, UploadTooLargeError

ADDRESS_TTL = timedelta(hours=2)
"""Of a signed address to get something."""
_REUSE_SECONDS = 3_600.0
"""The same address is given out so long: browsers keep what they have got by address."""
_REMEMBERED = 10_000


class BucketStore:
    """`timeout_seconds` bounds each call. Addresses to get are signed ones where there is no `cdn_url`."""

    def __init__(self, store: S3Store, *, upload_ttl: timedelta, cdn_url: str, timeout_seconds: float) -> None:
        self._store = store
        self._upload_ttl = upload_ttl
        self._cdn_url = cdn_url
        self._timeout_seconds = timeout_seconds
        self._addresses: OrderedDict[str, tuple[float, str]] = OrderedDict()

    async def offer_upload(self, upload_key: str, *, content_type: str, byte_size: int) -> UploadOffer:
        # The signature covers neither type nor size: both are compared when the upload is finished.
        async with self._deadline():
            url = await obstore.sign_async(self._store, "PUT", upload_key, self._upload_ttl)
        return UploadOffer(url, "PUT", {"Content-Type": content_type})

    async def read_upload(self, upload_key: str, *, most: int) -> bytes | None:
        async with self._deadline():
            try:
                found = await obstore.get_async(self._store, upload_key)
            except FileNotFoundError:
                return None
            # What is announced here is what is read: it is one answer.
            if found.meta["size"] > most:
                raise UploadTooLargeError
            return bytes(await found.bytes_async())

    async def put_public(self, key: str, content: bytes, content_type: str) -> None:
        async with self._deadline():
            attributes = {"Content-Type": content_type, "Cache-Control": FOR_EVER, "Content-Disposition": "inline"}
            await obstore.put_async(self._store, key, content, attributes=attributes, use_multipart=False)

    async def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            async with self._deadline():
                try:
                    await obstore.delete_async(self._store, key)
                except FileNotFoundError:
                    continue

    async def public_address(self, key: str) -> str:
        lasting = self.lasting_address(key)
        if lasting is not None:
            return lasting
        now = time.monotonic()
        known = self._addresses.get(key)
        if known is not None and now - known[0] < _REUSE_SECONDS:
            return known[1]
        async with self._deadline():
            url = await obstore.sign_async(self._store, "GET", key, ADDRESS_TTL)
        self._addresses[key] = now, url
        self._addresses.move_to_end(key)
        if len(self._addresses) > _REMEMBERED:
            self._addresses.popitem(last=False)
        return url

    def lasting_address(self, key: str) -> str | None:
        return f"{self._cdn_url}/{key}" if self._cdn_url else None

    async def find_old_uploads(self, *, older_than_seconds: float, most: int) -> list[str]:
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        found: list[str] = []
        # `sweep` comes round again: what lies behind the first pages has its turn when these are gone.
        listing = obstore.list(self._store, prefix=UPLOADS, chunk_size=1_000)
        async with self._deadline():
            async for page in listing:
                found += [one["path"] for one in page if one["last_modified"] < before]
                if len(found) >= most:
                    break
        return found[:most]

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                yield
        except (BaseError, TimeoutError, OSError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise UnavailableError("the store of media did not answer in time") from error
