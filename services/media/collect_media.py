"""Use cases of workers: what nobody needs any more goes, row and content."""

from __future__ import annotations

from db import media_collection
from db.media import load_awaited_keys
from services.backends import Backends
from services.media.media_rules import SLACK
from services.media.media_store import UPLOAD_KEY

_BATCH = 20
_SWEEP = 1_000


async def collectable_seconds(backends: Backends) -> float | None:
    """How long ago the first one could have gone; None where there is none, or no store."""
    if backends.media.store is None:
        return None
    async with backends.database.reading() as session:
        return await media_collection.collectable_seconds(session)


async def collect_media(backends: Backends) -> int:
    """Up to 20 media whose time has come; how many rows were looked at. Raises UnavailableError.

    The content goes before the rows: an attempt that breaks off is made again, and leaves nothing that nobody names.
    """
    store = backends.media.store
    if store is None:
        return 0
    async with backends.database.writing() as session:
        collected = await media_collection.collect_media(session, most=_BATCH)
        await store.delete(collected.keys)
    return collected.looked_at


async def sweep_uploads(backends: Backends) -> int:
    """Deletes up to 1,000 uploads that broke off, were sent again after they were finished, or belong to nothing; how many.

    Raises UnavailableError.
    """
    store = backends.media.store
    if store is None:
        return 0
    old = (backends.media.upload_ttl + SLACK).total_seconds()
    found = await store.find_old_uploads(older_than_seconds=old, most=_SWEEP)
    ids = [int(parts[1]) for parts in map(UPLOAD_KEY.fullmatch, found) if parts is not None]
    async with backends.database.reading() as session:
        awaited = await load_awaited_keys(session, ids)
    dead = [key for key in found if key not in awaited]
    await store.delete(dead)
    return len(dead)
