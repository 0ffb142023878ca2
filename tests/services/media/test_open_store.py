"""Which store an address means, and where clients are sent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from app import serve
from services.media.bucket_store import BucketStore
from services.media.folder_store import FolderStore
from services.media.media_store import PUBLIC_KEY, MediaStore, make_public_key
from services.media.open_store import open_media_store
from settings import Settings

KEY = f"public/aa/{'a' * 26}.jpg"
BUCKET = "s3://bucket/prefix?endpoint=http://127.0.0.1:9&region=here&access_key_id=key&secret_access_key=PASSWORD"


def opened(url: str, *, cdn_url: str = "", public_url: str = "https://tidings.example") -> MediaStore | None:
    return open_media_store(
        url, cdn_url=cdn_url, public_url=public_url, secret=b"x" * 32, upload_ttl=timedelta(minutes=15), timeout_seconds=1.0
    )


async def test_a_folder() -> None:
    store = opened("file:///a%20folder/of/media")
    assert isinstance(store, FolderStore)
    assert store.root == Path("/a folder/of/media")
    assert await store.public_address(KEY) == f"https://tidings.example/media/{KEY}"
    offer = await store.offer_upload(f"uploads/1-{'a' * 26}", content_type="image/png", byte_size=5)
    assert offer.url.startswith(f"https://tidings.example/media/upload/1-{'a' * 26}?size=5&type=image%2Fpng&expires=")


async def test_what_fronts_it() -> None:
    for url in ("file:///media", BUCKET):
        store = opened(url, cdn_url="https://cdn.example/pictures")
        assert store is not None
        assert await store.public_address(KEY) == f"https://cdn.example/pictures/{KEY}"


async def test_a_bucket_without_anything_in_front_gives_signed_addresses() -> None:
    store = opened(BUCKET)
    assert isinstance(store, BucketStore)
    address = await store.public_address(KEY)
    assert address.startswith(f"http://127.0.0.1:9/bucket/prefix/{KEY}?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert "PASSWORD" not in address
    assert await store.public_address(KEY) == address


@pytest.mark.parametrize("url", ["ftp://x/y", "file://host/folder", "s3:///nobucket", "/folder", f"{BUCKET}&pasword=SECRET"])
def test_what_is_no_store(url: str) -> None:
    with pytest.raises(ValueError) as raised:
        opened(url)
    assert "SECRET" not in str(raised.value)
    assert opened("") is None


def test_settings_of_media(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = SecretStr("file:///media")
    for wrong in ({"media_url": "/media"}, {"cdn_url": "cdn.example"}, {"public_url": "//x"}):
        with pytest.raises(ValidationError):
            Settings.model_validate(wrong)
    secret = SecretStr("s" * 32)
    with pytest.raises(ValidationError, match="TIDINGS_PUBLIC_URL"):
        Settings(env="production", jwt_secret=secret, media_url=folder)
    named = Settings(env="production", jwt_secret=secret, media_url=folder, public_url="https://tidings.example/")
    assert named.public_url == "https://tidings.example"
    monkeypatch.setenv("TIDINGS_PUBLIC_URL", "")
    assert serve._with_own_address(named, "0.0.0.0", 80) == named
    assert serve._with_own_address(Settings(), "0.0.0.0", 81).public_url == "http://127.0.0.1:81"


def test_names_of_what_is_served() -> None:
    keys = {make_public_key("webp") for _ in range(100)}
    assert len(keys) == 100
    assert all(PUBLIC_KEY.fullmatch(key) for key in keys)
