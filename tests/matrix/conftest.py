"""One world for all tests of the matrix."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.stack.servers import EmbeddedServers
from tests.matrix.command import matrix_settings
from tests.matrix.stage import Stage
from tests.real_data.own_database import own_database, urls_of

_REDIS_NUMBER = 5


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stage(servers: EmbeddedServers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with own_database(servers.urls.database_url) as database_url:
        urls = urls_of(servers.urls, database_url, redis_number=_REDIS_NUMBER)
        async with Stage.open(matrix_settings(urls.database_url, urls.redis_url)) as made:
            yield made
