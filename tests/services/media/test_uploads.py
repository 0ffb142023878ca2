"""From the wish to upload to a picture that can be shown, and everything that is refused on the way."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from domain.errors import RefusalCode, RefusedError, UnavailableError
from domain.media import MediaRecord, MediaState
from services.media.clean_picture import DecoderFailedError
from services.media.create_upload import MAX_UNFINISHED, create_upload
from services.media.finish_upload import finish_upload
from services.media.process_upload import ProcessingOutcome, process_next_upload, waiting_seconds
from settings import Settings
from tests.databases import backends_with
from tests.pictures import files_of, folder_of, moving, picture, png, png_of, ready, send, upload
from tests.services.graph.facts import execute, query, refusal
from tests.world import World

JPEG = "image/jpeg"


@pytest.fixture
async def ada(world: World) -> World:
    await world.add("ada", "bob")
    return world


async def finish(world: World, media_id: int, owner: str = "ada") -> MediaRecord:
    return await finish_upload(world.backends, owner_id=world.ids[owner], media_id=media_id)


async def state_of(world: World, media_id: int) -> MediaState:
    ((state,),) = await query(world, "SELECT state FROM media WHERE id = :id", id=media_id)
    return MediaState(state)


async def served(world: World, media_id: int) -> tuple[bytes, bytes]:
    """The picture and its thumbnail, as they lie in the store."""
    ((key, small),) = await query(world, "SELECT public_key, thumbnail_key FROM media WHERE id = :id", id=media_id)
    root = folder_of(world).root
    return (root / key).read_bytes(), (root / small).read_bytes()


async def test_the_way_of_a_picture(ada: World) -> None:
    media_id = await upload(ada, "ada", png((900, 600)), alt_text="two halves")
    assert await waiting_seconds(ada.backends) is None
    finished = await finish(ada, media_id)
    assert (finished.state, finished.width, finished.height, finished.alt_text) == (MediaState.PENDING, 900, 600, "two halves")
    assert await finish(ada, media_id) == finished
    assert await waiting_seconds(ada.backends) is not None
    assert await process_next_upload(ada.backends) is ProcessingOutcome.READY
    assert await process_next_upload(ada.backends) is ProcessingOutcome.NOTHING
    assert await waiting_seconds(ada.backends) is None
    assert (await finish(ada, media_id)).state is MediaState.READY
    content, small = await served(ada, media_id)
    assert Image.open(io.BytesIO(content)).size == (900, 600)
    assert Image.open(io.BytesIO(small)).size == (320, 213)
    assert not any(name.startswith("uploads/") for name in files_of(ada))


async def test_nothing_of_the_original_but_its_pixels_is_kept(ada: World) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "SECRET CAMERA"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0), 29: "SECRET DATE"})
    original = picture("JPEG", (400, 200), exif=exif.tobytes(), comment=b"SECRET COMMENT", icc_profile=None, dpi=(300, 300))
    assert original.count(b"SECRET") == 3
    media_id = await ready(ada, "ada", original, JPEG)
    content, small = await served(ada, media_id)
    for result in (content, small):
        assert b"SECRET" not in result
        assert b"Exif" not in result
        image = Image.open(io.BytesIO(result))
        assert not image.getexif()
        assert image.height == 2 * image.width, "turned"
    ((width, height),) = await query(ada, "SELECT width, height FROM media")
    assert (width, height) == (200, 400)
    # Turned to the right: what was on the left is on top.
    colour = Image.open(io.BytesIO(content)).convert("RGB").getpixel((100, 10))
    assert isinstance(colour, tuple)
    assert colour[0] > 200 > 60 > colour[2]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("png", picture("PNG", mode="RGBA")),
        ("png", picture("PNG", mode="I;16")),
        ("png", picture("PNG", mode="1")),
        ("gif", picture("GIF")),
        ("gif", moving("GIF", 4)),
        ("webp", moving("WEBP", 4)),
        ("webp", picture("WEBP", mode="RGBA")),
        ("jpeg", picture("JPEG", mode="L")),
        ("jpeg", picture("JPEG", mode="CMYK")),
    ],
)
async def test_kinds_of_pictures(ada: World, kind: str, content: bytes) -> None:
    media_id = await ready(ada, "ada", content, f"image/{kind}")
    assert await state_of(ada, media_id) is MediaState.READY
    result, small = await served(ada, media_id)
    before, after = Image.open(io.BytesIO(content)), Image.open(io.BytesIO(result))
    assert (after.format, after.size) == (before.format, before.size)
    assert getattr(after, "n_frames", 1) == getattr(before, "n_frames", 1)
    assert Image.open(io.BytesIO(small)).format == "WEBP"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"<html><script>alert(1)</script></html>", JPEG),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "image/png"),
        (picture("JPEG")[:-200], JPEG),
        (picture("PNG"), JPEG),
        (png_of(50_000, 50_000), "image/png"),
        (png_of(6_000, 6_000), "image/png"),
        (moving("GIF", 301), "image/gif"),
    ],
    ids=["html", "svg", "cut off", "another type", "sides", "ratio", "frames"],
)
async def test_what_is_no_picture_is_rejected_and_deleted(ada: World, content: bytes, content_type: str) -> None:
    media_id = await upload(ada, "ada", content, content_type)
    for _ in range(2):
        assert await refusal(finish(ada, media_id)) == (RefusalCode.CONTENT_REJECTED, ("mediaId",))
    assert await state_of(ada, media_id) is MediaState.REJECTED
    assert files_of(ada) == []


async def test_what_the_walk_does_not_see_is_rejected_by_the_decoder(ada: World) -> None:
    for content in (png_of(900, 900, b"\0" * 5_000), png_of(30, 30, b"\0" * 20)):
        media_id = await upload(ada, "ada", content)
        await finish(ada, media_id)
        assert await process_next_upload(ada.backends) is ProcessingOutcome.REJECTED
        assert await state_of(ada, media_id) is MediaState.REJECTED
    assert files_of(ada) == []


async def test_a_polyglot_loses_its_other_half(ada: World) -> None:
    media_id = await ready(ada, "ada", picture("JPEG") + b"<script>alert(1)</script>PK\x03\x04", JPEG)
    for result in await served(ada, media_id):
        assert b"script" not in result


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"content_type": "image/svg+xml"}, (RefusalCode.INVALID, ("contentType",))),
        ({"content_type": "video/mp4"}, (RefusalCode.INVALID, ("contentType",))),
        ({"content_type": "IMAGE/PNG\r\nx: y"}, (RefusalCode.INVALID, ("contentType",))),
        ({"byte_size": 0}, (RefusalCode.INVALID, ("byteSize",))),
        ({"byte_size": -5}, (RefusalCode.INVALID, ("byteSize",))),
        ({"byte_size": 10_000_001}, (RefusalCode.TOO_LONG, ("byteSize",))),
        ({"alt_text": "x" * 1_001}, (RefusalCode.TOO_LONG, ("altText",))),
        ({"alt_text": "a\0b"}, (RefusalCode.INVALID, ("altText",))),
    ],
)
async def test_wishes_that_are_refused(ada: World, fields: dict[str, object], expected: object) -> None:
    wish: dict[str, Any] = {"content_type": "image/png", "byte_size": 10_000_000, "alt_text": " "} | fields
    assert await refusal(create_upload(ada.backends, owner_id=ada.ids["ada"], **wish)) == expected
    assert await query(ada, "SELECT id FROM media") == []


async def test_uploads_that_are_awaited_are_bounded(ada: World) -> None:
    async def wish() -> None:
        await create_upload(ada.backends, owner_id=ada.ids["ada"], content_type="image/png", byte_size=1, alt_text=None)

    for _ in range(MAX_UNFINISHED):
        await wish()
    assert await refusal(wish()) == (RefusalCode.LIMIT_REACHED, None)
    await execute(ada, "UPDATE media SET state = 'REJECTED' WHERE id = (SELECT min(id) FROM media)")
    await wish()


async def test_finishing_what_is_not_there(ada: World) -> None:
    made = await create_upload(ada.backends, owner_id=ada.ids["ada"], content_type="image/png", byte_size=100, alt_text=None)
    for owner, expected in (("ada", RefusalCode.INVALID), ("bob", RefusalCode.NOT_FOUND)):
        assert await refusal(finish(ada, made.media.id, owner)) == (expected, ("mediaId",))
    assert await state_of(ada, made.media.id) is MediaState.PENDING


async def test_many_finish_at_once(ada: World) -> None:
    good, bad = await upload(ada, "ada", png()), await upload(ada, "ada", b"no picture")
    found = await asyncio.gather(*(finish(ada, good) for _ in range(10)))
    assert len({one.public_key for one in found}) == 1
    refused = await asyncio.gather(*(finish(ada, bad) for _ in range(10)), return_exceptions=True)
    assert all(isinstance(one, RefusedError) and one.refusals[0].code is RefusalCode.CONTENT_REJECTED for one in refused)


async def test_content_that_changes_after_it_was_finished(ada: World) -> None:
    """Into a bucket a signed address can be used again."""
    content = png()
    media_id = await upload(ada, "ada", content)
    await finish(ada, media_id)
    ((key,),) = await query(ada, "SELECT upload_key FROM media")
    await send(ada, key, b"x" * len(content))
    assert await process_next_upload(ada.backends) is ProcessingOutcome.REJECTED


@pytest.mark.parametrize("step", ["read_upload", "put_public", "delete", "mark", "decode"])
async def test_a_worker_that_dies_at_any_step_is_followed_by_another(
    ada: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    media_id = await upload(ada, "ada", png())
    await finish(ada, media_id)

    class DiedError(Exception):
        pass

    async def die(*_arguments: object, **_named: object) -> None:
        raise DiedError

    with monkeypatch.context() as patched:
        if step == "mark":
            patched.setattr("services.media.process_upload.media.mark_ready", die)
        elif step == "decode":
            patched.setattr("services.media.process_upload.clean_picture", die)
        else:
            patched.setattr(folder_of(ada), step, die)
        with pytest.raises(DiedError):
            await process_next_upload(ada.backends)
    expected = MediaState.READY if step == "delete" else MediaState.PENDING
    assert await state_of(ada, media_id) is expected
    # Its lease ends some time.
    await execute(ada, "UPDATE media SET next_attempt_at = clock_timestamp()")
    await process_next_upload(ada.backends)
    assert await state_of(ada, media_id) is MediaState.READY
    assert len([name for name in files_of(ada) if name.startswith("public/")]) == 2


async def test_what_fails_again_and_again_is_rejected(ada: World, monkeypatch: pytest.MonkeyPatch) -> None:
    media_id = await upload(ada, "ada", png())
    await finish(ada, media_id)

    async def fail(*_arguments: object) -> None:
        raise DecoderFailedError("killed")

    monkeypatch.setattr("services.media.process_upload.clean_picture", fail)
    outcomes = []
    for _ in range(6):
        outcomes.append(await process_next_upload(ada.backends))
        assert await process_next_upload(ada.backends) is ProcessingOutcome.NOTHING
        await execute(ada, "UPDATE media SET next_attempt_at = clock_timestamp()")
    assert outcomes == [ProcessingOutcome.POSTPONED] * 5 + [ProcessingOutcome.REJECTED]


async def test_a_store_that_is_away_rejects_nothing(ada: World, monkeypatch: pytest.MonkeyPatch) -> None:
    media_id = await upload(ada, "ada", png())
    await finish(ada, media_id)

    async def away(*_arguments: object, **_named: object) -> None:
        raise UnavailableError("away")

    with monkeypatch.context() as patched:
        patched.setattr(folder_of(ada), "read_upload", away)
        assert await process_next_upload(ada.backends) is ProcessingOutcome.POSTPONED
    await execute(ada, "UPDATE media SET next_attempt_at = clock_timestamp()")
    assert await process_next_upload(ada.backends) is ProcessingOutcome.READY


async def test_without_a_store_nothing_is_taken(settings: Settings, ada: World) -> None:
    assert ada.backends.media.upload_ttl == timedelta(minutes=15)
    desk = ada.backends.media
    assert (desk.upload_ttl, desk.upload_limit) == (timedelta(minutes=15), 10_000_000)
    async with backends_with(settings, media_url=SecretStr("")) as bare:
        wish = create_upload(bare, owner_id=ada.ids["ada"], content_type="image/png", byte_size=1, alt_text=None)
        assert await refusal(wish) == (RefusalCode.NOT_ALLOWED, None)
        assert await waiting_seconds(bare) is None
        assert await process_next_upload(bare) is ProcessingOutcome.NOTHING
