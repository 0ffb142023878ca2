"""The program that decodes is bounded, and nothing is left of it."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any

import pytest

from services.media import clean_picture as module
from services.media.clean_picture import CannotBeDecodedError, DecoderFailedError, clean_picture
from tests.pictures import picture, png_of

LARGE = picture("PNG", (6_000, 5_000))


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Whatever is started; none of it may be told anything by its environment."""
    found: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def noted(*arguments: Any, **named: Any) -> subprocess.Popen[bytes]:
        assert named["env"] == {}
        found.append(start(*arguments, **named))
        return found[-1]

    monkeypatch.setattr("services.media.clean_picture.subprocess.Popen", noted)
    return found


async def test_too_little_memory_is_a_refusal(children: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MEMORY_BYTES", 120_000_000)
    with pytest.raises((CannotBeDecodedError, DecoderFailedError)):
        await clean_picture(LARGE, "image/png")
    assert children[0].poll() is not None


async def test_one_that_does_not_end_is_ended(children: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WALL_SECONDS", 0.05)
    with pytest.raises(DecoderFailedError):
        await clean_picture(LARGE, "image/png")
    assert children[0].poll() is not None


async def test_whoever_is_cancelled_leaves_no_process(children: list[subprocess.Popen[bytes]]) -> None:
    task = asyncio.create_task(clean_picture(LARGE, "image/png"))
    while not children:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10):
        while children[0].poll() is None:
            await asyncio.sleep(0.01)
    assert children[0].returncode == -9


async def test_what_the_head_hides_is_judged_again() -> None:
    """The decoder trusts nobody who measured before it."""
    for content in (png_of(20_000, 20), png_of(9_000, 9_000)):
        with pytest.raises(CannotBeDecodedError):
            await clean_picture(content, "image/png")
