"""Pictures in a bucket, against a real S3 server: OpenStack Swift, which verifies signatures and their ends.

It is no dependency of anything here. To run this: `python3 -m venv swift && swift/bin/pip install swift 'setuptools<81'`, then
`TIDINGS_TEST_SWIFT=swift/bin/python make test ARGS=tests/services/media/test_bucket.py`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import obstore
import pytest
from pydantic import SecretStr

from app.stack.ports import next_free_port
from bootstrap import open_backends
from domain.errors import RefusalCode
from domain.media import MediaState
from services.media.bucket_store import BucketStore
from services.media.collect_media import collect_media, sweep_uploads
from services.media.create_upload import AwaitedUpload, create_upload
from services.media.find_media import find_media
from services.media.finish_upload import finish_upload
from services.media.media_address import Address, find_address, find_thumbnail_address
from services.media.process_upload import ProcessingOutcome, process_next_upload
from settings import Settings
from tests.pictures import picture, png
from tests.services.graph.facts import execute, refusal
from tests.world import World

_PYTHON = os.environ.get("TIDINGS_TEST_SWIFT", "")
_LAUNCHER = Path(__file__).resolve().parents[2] / "swift_launcher.py"
_KEY, _SECRET = "test:media", "secret-of-the-tests"

pytestmark = pytest.mark.skipif(not _PYTHON, reason="TIDINGS_TEST_SWIFT names no Python that has OpenStack Swift")


@pytest.fixture(scope="module")
def bucket_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("swift"), next_free_port(20_000 + os.getpid() % 20_000)
    command = [_PYTHON, "-W", "ignore", str(_LAUNCHER), str(folder), str(port), _KEY, _SECRET, "media"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            credentials = f"access_key_id={quote(_KEY)}&secret_access_key={_SECRET}&region=us-east-1"
            yield f"s3://media/some/prefix?endpoint=http://127.0.0.1:{port}&{credentials}"
        finally:
            server.kill()


@pytest.fixture
async def ada(settings: Settings, bucket_url: str) -> AsyncIterator[World]:
    changed = settings.model_copy(update={"media_url": SecretStr(bucket_url)})
    async with open_backends(changed, is_background=True) as backends:
        world = World(backends)
        await world.add("ada", "bob")
        yield world
        await bucket(world).delete(await keys(world))


def bucket(world: World) -> BucketStore:
    store = world.backends.media.store
    assert isinstance(store, BucketStore)
    return store


async def keys(world: World) -> set[str]:
    found = await asyncio.to_thread(lambda: list(obstore.list(bucket(world)._store)))
    return {one["path"] for page in found for one in page}


async def offer(world: World, content: bytes, content_type: str = "image/png") -> AwaitedUpload:
    return await create_upload(
        world.backends, owner_id=world.ids["ada"], content_type=content_type, byte_size=len(content), alt_text=None
    )


async def _waited(address: Address) -> str | None:
    return await address if isinstance(address, Awaitable) else address


async def put(made: AwaitedUpload, content: bytes, url: str | None = None) -> int:
    async with httpx.AsyncClient(timeout=20) as client:
        return (await client.put(url or made.offer.url, content=content, headers=dict(made.offer.headers))).status_code


async def test_the_whole_way(ada: World) -> None:
    content = picture("JPEG", (500, 400), exif=b"Exif\0\0SECRET PLACE")
    made = await offer(ada, content, "image/jpeg")
    finish = {"owner_id": ada.ids["ada"], "media_id": made.media.id}
    assert await refusal(finish_upload(ada.backends, **finish)) == (RefusalCode.INVALID, ("mediaId",))
    assert await put(made, content) == 200
    assert (await finish_upload(ada.backends, **finish)).state is MediaState.PENDING
    assert await process_next_upload(ada.backends) is ProcessingOutcome.READY
    media = (await find_media(ada.backends, [made.media.id], viewer_id=ada.ids["ada"]))[made.media.id]
    assert media is not None
    async with httpx.AsyncClient(timeout=20) as client:
        for address, kind in (
            (await _waited(find_address(ada.backends, media)), "image/jpeg"),
            (await _waited(find_thumbnail_address(ada.backends, media)), "image/webp"),
        ):
            assert address is not None
            answer = await client.get(address)
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert b"SECRET" not in answer.content
            assert (await client.get(address.partition("?")[0])).status_code >= 400
            assert (await client.get(address.replace("X-Amz-Expires=7200", "X-Amz-Expires=7201"))).status_code == 403
    assert await _waited(find_address(ada.backends, media)) == await _waited(find_address(ada.backends, media)), (
        "browsers know it again"
    )
    assert await keys(ada) == {media.public_key, media.thumbnail_key}
    await execute(ada, "UPDATE media SET collect_at = clock_timestamp()")
    assert await collect_media(ada.backends) == 1
    assert await keys(ada) == set()


async def test_addresses_that_were_altered_or_have_ended(ada: World) -> None:
    content = png()
    made, other = await offer(ada, content), await offer(ada, content)
    name, other_name = (one.offer.url.partition("?")[0].rpartition("/")[2] for one in (made, other))
    for url in (
        made.offer.url.replace(name, other_name),
        made.offer.url.replace("X-Amz-Expires=900", "X-Amz-Expires=90000"),
        made.offer.url[:-1] + ("0" if made.offer.url[-1] != "0" else "1"),
        made.offer.url.partition("?")[0],
    ):
        assert await put(made, content, url) >= 400, url
    short = await obstore.sign_async(bucket(ada)._store, "PUT", f"uploads/{name}", timedelta(seconds=1))
    await asyncio.sleep(2.1)
    assert await put(made, content, short) == 403
    assert await keys(ada) == set()
    assert await put(made, content) == 200


async def test_what_the_bucket_takes_and_we_do_not(ada: World) -> None:
    """It knows neither size nor type: both are seen when the upload is finished."""
    content = png()
    for sent in (content + b"x", content[:-1], b"<svg/>".ljust(len(content)), picture("JPEG").ljust(10_000_001)):
        made = await offer(ada, content)
        assert await put(made, sent) == 200
        finish = finish_upload(ada.backends, owner_id=ada.ids["ada"], media_id=made.media.id)
        assert await refusal(finish) == (RefusalCode.CONTENT_REJECTED, ("mediaId",))
        assert await keys(ada) == set()


async def test_what_is_sent_again_after_it_was_finished_is_swept(ada: World) -> None:
    content = png()
    made = await offer(ada, content)
    await put(made, content)
    await finish_upload(ada.backends, owner_id=ada.ids["ada"], media_id=made.media.id)
    assert await process_next_upload(ada.backends) is ProcessingOutcome.READY
    assert await put(made, b"again") == 200
    assert len(await keys(ada)) == 3
    assert await sweep_uploads(ada.backends) == 0
    found = await bucket(ada).find_old_uploads(older_than_seconds=-60, most=10)
    assert found == [key for key in await keys(ada) if key.startswith("uploads/")]
