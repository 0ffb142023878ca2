"""PostgreSQL and Valkey for the whole test run: real servers, in a folder of their own, gone afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from app.stack.servers import EmbeddedServers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """The running servers; addresses in `servers.urls`. Not durable: a test run has nothing to lose in a power cut."""
    folder = tmp_path_factory.mktemp("servers")
    with EmbeddedServers(folder, durable=False) as running:
        yield running
    shutil.rmtree(folder)
