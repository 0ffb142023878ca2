"""Opens the store that `TIDINGS_MEDIA_URL` names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from obstore.store import S3Store

from domain.upload_addresses import UploadSigner
from services.media.bucket_store import BucketStore
from services.media.folder_store import FolderStore
from services.media.media_store import MediaStore

if TYPE_CHECKING:
    from obstore.store import S3Config

_BUCKET_OPTIONS = {"endpoint", "region", "access_key_id", "secret_access_key", "token"}


def open_media_store(
    media_url: str, *, cdn_url: str, public_url: str, secret: bytes, upload_ttl: timedelta, timeout_seconds: float
) -> MediaStore | None:
    """`file:///folder` or `s3://bucket[/prefix][?endpoint=…&region=…]`; None for an empty address: nothing can be uploaded.

    What a bucket's address leaves out comes from the usual AWS_… variables. Nothing is connected to. Raises ValueError, without
    the address: it may hold a password.
    """
    if not media_url:
        return None
    parts = urlsplit(media_url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        root = Path(unquote(parts.path))
        return FolderStore(root, signer=UploadSigner(secret), upload_ttl=upload_ttl, base_url=public_url, cdn_url=cdn_url)
    if parts.scheme != "s3" or not parts.hostname:
        raise ValueError("TIDINGS_MEDIA_URL must begin with file:/// or s3://")
    given = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    unknown = given.keys() - _BUCKET_OPTIONS
    if unknown:
        raise ValueError(f"TIDINGS_MEDIA_URL has options that are not known: {', '.join(sorted(unknown))}")
    endpoint = given.get("endpoint", "")
    options: S3Config = {
        **given,  # type: ignore[typeddict-item]
        # Named hosts for buckets need names in DNS: so only where nothing is said of another server.
        "virtual_hosted_style_request": not endpoint,
    }
    timeout = timedelta(seconds=timeout_seconds)
    store = S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config=options,
        client_options={"timeout": timeout, "allow_http": endpoint.startswith("http:")},
        retry_config={"max_retries": 2, "retry_timeout": timeout},
    )
    return BucketStore(store, upload_ttl=upload_ttl, cdn_url=cdn_url, timeout_seconds=timeout_seconds)
