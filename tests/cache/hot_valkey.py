"""A Valkey that tests may stop, kill and fill up, and clients of it that leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app.stack.valkey import EmbeddedValkey
from cache.client import RedisClient

OpenClient = Callable[..., RedisClient]


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(tmp_path_factory.mktemp("hot"), "hot", persistent=False)
    server.start()
    yield server
    os.kill(server.pid, signal.SIGCONT)
    server.stop()


@pytest.fixture
async def open_client(valkey: EmbeddedValkey) -> AsyncIterator[OpenClient]:
    """Makes clients, by default of that server with two seconds' patience. Afterwards nothing of them is left: no task, no
    future with a failure that nobody took."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    before = asyncio.all_tasks()
    clients: list[RedisClient] = []

    def open_one(url: str | None = None, *, timeout_seconds: float = 2.0) -> RedisClient:
        clients.append(RedisClient(url or valkey.url, timeout_seconds=timeout_seconds))
        return clients[-1]

    yield open_one
    for client in clients:
        await client.close()
    clients.clear()
    await asyncio.sleep(0)
    gc.collect(1)
    loop.set_exception_handler(None)
    assert complaints == []
    assert {task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()} == set()


@pytest.fixture
async def client(open_client: OpenClient) -> RedisClient:
    client = open_client()
    await client.redis.flushall()
    return client


def trust_again(client: RedisClient) -> None:
    """Ends the pause after a failure."""
    client._closed_until = 0.0


@contextmanager
def stopped(valkey: EmbeddedValkey) -> Iterator[None]:
    """A server that hangs."""
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
