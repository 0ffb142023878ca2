"""Uploading and getting pictures over HTTP, from a folder."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest

import app.media
from domain.upload_addresses import UploadClaim, UploadSigner
from services.backends import Backends
from services.media.folder_store import FolderStore
from services.media.process_upload import process_next_upload
from tests.app.web.people_of_a_server import done, mutate, refused
from tests.app.web.running_server import RunningServer, token_for
from tests.pictures import picture, png

OFFER = "media { id state } uploadUrl uploadMethod uploadHeaders { name value }"
PNG = {"content-type": "image/png"}


async def offer(web: RunningServer, content: bytes, *, viewer: str = "ada", content_type: str = "image/png") -> Any:
    return await done(web, viewer, "createMediaUpload", OFFER, contentType=content_type, byteSize=len(content))


async def put(web: RunningServer, url: str, content: bytes | AsyncIterator[bytes], **headers: str) -> httpx.Response:
    return await web.http.put(
        url, content=content, headers=PNG | {name.replace("_", "-"): value for name, value in headers.items()}
    )


def root(web: RunningServer) -> Path:
    store = web.state.backends.media.store
    assert isinstance(store, FolderStore)
    return store.root


def uploads(web: RunningServer) -> list[str]:
    folder = root(web) / "uploads"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def shown(web: RunningServer, content: bytes, content_type: str = "image/png") -> Any:
    """The media of a picture that can be shown."""
    made = await offer(web, content, content_type=content_type)
    assert (await put(web, made["uploadUrl"], content, content_type=content_type)).status_code == 200
    await done(web, "ada", "finishMediaUpload", mediaId=made["media"]["id"])
    await process_next_upload(web.state.backends)
    node = "query ($id: ID!) { node(id: $id) { ... on Media { id state url thumbnailUrl } } }"
    return (await web.data(node, token_for("ada"), id=made["media"]["id"]))["node"]


async def test_the_whole_way(web: RunningServer) -> None:
    content = png((500, 400))
    made = await offer(web, content)
    assert (made["media"]["state"], made["uploadMethod"]) == ("PENDING", "PUT")
    assert made["uploadHeaders"] == [{"name": "Content-Type", "value": "image/png"}]
    media_id = made["media"]["id"]
    assert await refused(web, "ada", "finishMediaUpload", mediaId=media_id) == ("INVALID", ["mediaId"])
    # Twice: an answer may get lost.
    for _ in range(2):
        answer = await put(web, made["uploadUrl"], content)
        assert (answer.status_code, answer.content) == (200, b"")
        assert "set-cookie" not in answer.headers
    for viewer, given in (("eve", media_id), ("ada", "nonsense"), ("ada", "UG9zdDox")):
        assert await refused(web, viewer, "finishMediaUpload", mediaId=given) == ("NOT_FOUND", ["mediaId"])
    for _ in range(2):
        payload = await done(web, "ada", "finishMediaUpload", "media { state width url }", mediaId=media_id)
        assert payload["media"] == {"state": "PENDING", "width": 500, "url": None}
    assert (await put(web, made["uploadUrl"], content)).status_code == 409
    await process_next_upload(web.state.backends)
    post = await done(web, "ada", "createPost", "post { media { state url thumbnailUrl } }", text="", mediaIds=[media_id])
    (media,) = post["post"]["media"]
    assert media["state"] == "READY"
    for address in (media["url"], media["thumbnailUrl"]):
        assert (await web.http.get(address)).status_code == 200
    profile = await done(web, "ada", "updateProfile", "viewer { avatarUrl }", avatarMediaId=media_id)
    assert profile["viewer"]["avatarUrl"] == media["thumbnailUrl"]
    assert uploads(web) == []


async def test_how_pictures_are_served(web: RunningServer) -> None:
    media = await shown(web, picture("JPEG", (300, 200)), "image/jpeg")
    answer = await web.http.get(media["url"])
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "inline"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["etag"].startswith('"')
    head = await web.http.head(media["url"])
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(answer.content)))
    part = await web.http.get(media["url"], headers={"range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, answer.content[2:6])
    again = await web.http.get(media["url"], headers={"if-none-match": f'"x", {answer.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert (await web.http.get(media["thumbnailUrl"])).headers["content-type"] == "image/webp"
    assert (await web.http.post(media["url"])).status_code == 405


async def test_nothing_else_is_served(web: RunningServer) -> None:
    made = await offer(web, png())
    assert (await put(web, made["uploadUrl"], png())).status_code == 200
    (name,) = [one for one in uploads(web) if one in made["uploadUrl"]]
    secret = root(web) / "public" / "aa" / f"{'a' * 26}.svg"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("<svg/>")
    for path in (
        f"/media/uploads/{name}",
        f"/media/upload/{name}",
        f"/media/public/../uploads/{name}",
        f"/media/public/%2e%2e/uploads%2f{name}",
        "/media/public/aa/..%2f..%2f..%2fetc%2fpasswd",
        "/media/public/aa",
        "/media/public/",
        f"/media/public/aa/{'a' * 26}.svg",
        f"/media/public/aa/{'a' * 26}.png",
        f"/media/public/ab/{'a' * 26}.png",
        f"/media/public/aa/{'a' * 26}.png%00",
    ):
        assert (await web.http.get(path)).status_code in {404, 405}, path


async def test_addresses_that_were_altered_or_have_ended(web: RunningServer) -> None:
    content = png()
    url = (await offer(web, content))["uploadUrl"]
    other = urlsplit((await offer(web, content))["uploadUrl"]).path
    parts = dict(one.split("=", 1) for one in urlsplit(url).query.split("&"))
    for changed in ("size=1", "size=9999999", "type=image%2Fgif", "expires=99999999999", "signature=", "signature=%C3%A9",
                    f"signature={'0' * 64}"):  # fmt: skip
        name, _, value = changed.partition("=")
        query = "&".join(f"{one}={value if one == name else old}" for one, old in parts.items())
        answer = await put(web, f"{urlsplit(url).path}?{query}", content)
        assert answer.status_code == 403, changed
    assert (await put(web, f"{other}?{urlsplit(url).query}", content)).status_code == 403
    for query in ("", "size=-1&expires=1", "size=x&expires=1", f"size={'9' * 500}&expires=1&signature=0"):
        assert (await put(web, f"{urlsplit(url).path}?{query}", content)).status_code == 404
    signer = UploadSigner(web.settings.cursor_key)
    claim = UploadClaim(f"uploads/{urlsplit(url).path.rpartition('/')[2]}", "image/png", len(content), int(time.time()) - 1)
    ended = f"size={len(content)}&type=image%2Fpng&expires={claim.expires}&signature={signer.sign(claim)}"
    answer = await put(web, f"{urlsplit(url).path}?{ended}", content)
    assert (answer.status_code, "ended" in answer.text) == (403, True)
    assert unquote(parts["type"]) == "image/png"
    assert not any(urlsplit(url).path.endswith(name) for name in uploads(web))


async def chunks(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def test_more_or_less_than_announced(web: RunningServer) -> None:
    content = os.urandom(300_000)
    made = await offer(web, content)
    before = uploads(web)
    for sent, status in ((content + b"x", 413), (content[:-1], 400), (b"", 400)):
        assert (await put(web, made["uploadUrl"], sent)).status_code == status
        # The same without a length at the head: it is found out while reading.
        assert (await put(web, made["uploadUrl"], chunks(sent))).status_code == status
        assert uploads(web) == before
    assert (await put(web, made["uploadUrl"], content, content_type="image/jpeg")).status_code == 415
    assert (await put(web, made["uploadUrl"], content, content_encoding="gzip")).status_code == 415
    assert (await put(web, made["uploadUrl"], chunks(content))).status_code == 200
    assert len(uploads(web)) == len(before) + 1


async def test_ten_megabytes_and_no_byte_more(web: RunningServer) -> None:
    fields = {"contentType": "image/png", "byteSize": 10_000_001}
    assert await refused(web, "ada", "createMediaUpload", **fields) == ("TOO_LONG", ["byteSize"])
    content = os.urandom(10_000_000)
    made = await offer(web, content)
    before = uploads(web)
    assert (await put(web, made["uploadUrl"], chunks(content + b"x", 1_000_000))).status_code == 413
    assert uploads(web) == before
    assert (await put(web, made["uploadUrl"], content)).status_code == 200
    payload = await mutate(web, "ada", "finishMediaUpload", "media { state }", mediaId=made["media"]["id"])
    assert (payload["media"], payload["userErrors"][0]["code"]) == (None, "CONTENT_REJECTED")
    assert uploads(web) == before


async def send_part(web: RunningServer, made: Any, content: bytes, size: int) -> asyncio.StreamWriter:
    """Announces all and sends a part."""
    _, writer = await asyncio.open_connection("127.0.0.1", web.port)
    parts = urlsplit(made["uploadUrl"])
    head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content[:size])
    await writer.drain()
    return writer


async def until(web: RunningServer, expected: list[str], *, is_equal: bool = True) -> None:
    async with asyncio.timeout(10):
        while (uploads(web) == expected) is not is_equal:
            await asyncio.sleep(0.01)


async def test_an_upload_that_breaks_off_leaves_nothing(web: RunningServer) -> None:
    content = os.urandom(3_000_000)
    before = uploads(web)
    made = await offer(web, content)
    for size in (0, 1_500_000, 2_999_999):
        writer = await send_part(web, made, content, size)
        if size > 1_000_000:
            await until(web, before, is_equal=False)
        writer.transport.abort()
        await until(web, before)
    assert (await put(web, made["uploadUrl"], content)).status_code == 200


async def test_an_upload_that_stands_still_ends(web: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.media, "IDLE_SECONDS", 0.2)
    content = os.urandom(3_000_000)
    before, made = uploads(web), await offer(web, content)
    writer = await send_part(web, made, content, 2_000_000)
    await until(web, before, is_equal=False)
    await until(web, before)
    writer.close()


async def test_browsers_may_send_from_anywhere(web: RunningServer) -> None:
    made = await offer(web, png())
    asking = {"origin": "https://front.example", "access-control-request-method": "PUT",
              "access-control-request-headers": "content-type"}  # fmt: skip
    answer = await web.http.options(made["uploadUrl"], headers=asking)
    assert answer.status_code in {200, 204}
    assert "PUT" in answer.headers["access-control-allow-methods"]
    sent = await put(web, made["uploadUrl"], png(), origin="https://front.example")
    assert sent.headers["access-control-allow-origin"] in {"*", "https://front.example"}


async def test_uploads_belong_to_people(web: RunningServer) -> None:
    query = 'mutation { createMediaUpload(input: {contentType: "image/png", byteSize: 5}) { uploadUrl } }'
    answer = (await web.post({"query": query})).json()
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert isinstance(web.state.backends, Backends)
