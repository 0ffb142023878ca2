"""A world in a folder: PostgreSQL and Valkey with what was made once, kept from one run to the next."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from pydantic import SecretStr

from app.stack.servers import EmbeddedServers
from bench.feed.warm import warm_timelines
from bench.feed.world import make_world
from bench.feed.world_shape import WorldSize
from bootstrap import open_backends
from migrations.run import upgrade
from settings import Settings

_FORMAT = 1
"""Grows with every change to what a world contains."""
_SEED = 1
_LEAST_WARM = 0.9
"""Share of the timelines; the others are rebuilt by their first reads."""


class WorldError(Exception):
    """The folder cannot be used; the message says why."""


@contextmanager
def kept_world(folder: Path, size: WorldSize) -> Iterator[EmbeddedServers]:
    """Servers with the world of that size in `folder`; made first where it is not there. Timelines are warm.

    Raises WorldError for a folder with something else in it: nothing is ever deleted.
    """
    description = folder / "world.json"
    wanted = {"format": _FORMAT, "seed": _SEED, **asdict(size)}
    is_new = not description.exists()
    if is_new and folder.exists() and any(folder.iterdir()):
        raise WorldError(f"{folder} holds no finished world: give another folder, or remove it")
    if not is_new and json.loads(description.read_text()) != wanted:
        raise WorldError(f"{folder} holds another world ({description.read_text()}): give another folder, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    with EmbeddedServers(folder, broker=False) as servers:
        began = time.monotonic()
        asyncio.run(upgrade(servers.urls.database_url))
        if is_new:
            asyncio.run(make_world(servers.urls.database_url, size, seed=_SEED))
            description.write_text(json.dumps(wanted))
            print(f"world of {size.users:,} accounts made in {time.monotonic() - began:.0f} s")
        began = time.monotonic()
        warm = asyncio.run(_warm(servers))
        if warm < _LEAST_WARM * size.users:
            raise WorldError(f"only {warm:,} of {size.users:,} timelines could be built")
        print(f"{warm:,} timelines are warm after {time.monotonic() - began:.0f} s")
        yield servers


def settings_of(servers: EmbeddedServers) -> Settings:
    """Of a process on these servers, limits on use left out."""
    urls = servers.urls
    return Settings(database_url=SecretStr(urls.database_url), redis_url=SecretStr(urls.redis_url), limits="off")


async def _warm(servers: EmbeddedServers) -> int:
    async with open_backends(settings_of(servers), is_background=True) as backends:
        return await warm_timelines(backends, servers.urls.database_url)
