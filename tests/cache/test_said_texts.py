"""Texts that are said over and over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count

import pytest

from cache.said_texts import SaidTexts
from services.backends import Backends

_owners = count(1)


@pytest.fixture
def said(backends: Backends) -> SaidTexts:
    return SaidTexts(backends.redis)


HOUR = timedelta(hours=1)


def fresh() -> int:
    """An author who has said nothing yet: all tests share one Redis."""
    return 7_000_000 + 2 * next(_owners)


async def test_a_text_is_said_so_often_and_no_more(said: SaidTexts) -> None:
    author = fresh()

    async def say(text: str, attempt: str = "") -> bool:
        return await said.note(author, digest=text, attempt=attempt, limit=3, window=HOUR)

    assert [await say("a") for _ in range(5)] == [True, True, True, False, False]
    assert await say("b")
    # The same request again is answered as it was, and counts once.
    assert [await say("c", "k1") for _ in range(9)] == [True] * 9
    assert [await say("c", "k2"), await say("c"), await say("c", "k3"), await say("c", "k2")] == [True, True, False, True]
    assert await said.note(author + 1, digest="a", attempt="", limit=3, window=HOUR)


async def test_what_is_older_than_the_window_does_not_count(said: SaidTexts) -> None:
    author = fresh()
    second = timedelta(seconds=1)
    assert [await said.note(author, digest="a", attempt="", limit=1, window=second) for _ in range(2)] == [True, False]
    await asyncio.sleep(2.05)
    assert await said.note(author, digest="a", attempt="", limit=1, window=second)


async def test_fifty_at_once_say_it_as_often_as_one_may(said: SaidTexts) -> None:
    author = fresh()
    answers = await asyncio.gather(*(said.note(author, digest="a", attempt="", limit=5, window=HOUR) for _ in range(50)))
    assert answers.count(True) == 5
