"""Real data sets, imported whole, and the real processes on them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from app.stack.servers import EmbeddedServers
from tests.real_data.congress import Congress, imported_congress


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def congress(servers: EmbeddedServers) -> AsyncIterator[Congress]:
    async with imported_congress(servers.urls) as world:
        yield world
