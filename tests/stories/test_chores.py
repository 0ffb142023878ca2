"""The relay's chores go on, each by itself, whatever happens to one of them."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from domain.errors import UnavailableError
from services.backends import Backends
from workers import chores
from workers.chores import ChoreBoard, RegularChore, RungChore


@pytest.mark.parametrize("failure", [UnavailableError("away"), ValueError("a mistake")])
async def test_a_look_that_fails_ends_nothing(backends: Backends, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    monkeypatch.setattr(chores, "_LOOK_SECONDS", 0.01)
    looks, sent = 0, asyncio.Event()

    async def waits(_: Backends) -> float | None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise failure
        return 0.0

    board = ChoreBoard(backends, [RungChore("one", waits, sent.set)], [])
    await _until(board, sent)


async def test_a_turn_that_fails_ends_nothing(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> None:
    turns, sent = 0, asyncio.Event()

    async def take_turn(*_: object, **__: object) -> bool:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise ValueError("a mistake")
        return True

    monkeypatch.setattr(chores, "take_turn", take_turn)
    board = ChoreBoard(backends, [], [RegularChore("one", 0.02, sent.set)])
    await _until(board, sent)


async def _until(board: ChoreBoard, sent: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(board.run())
    try:
        async with asyncio.timeout(20):
            while not sent.is_set():
                assert not task.done(), task.exception()
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
