"""Feed preferences: what is kept, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import RefusalCode, RefusedError
from domain.feed import FeedOrder
from domain.preferences import MAX_MUTED_WORDS, NO_PREFERENCES, FeedPreferences, check_muted_words
from services.preferences.load_preferences import load_preferences
from services.preferences.update_preferences import update_preferences
from tests.services.graph.facts import query, refusal
from tests.world import World


async def update(world: World, **changes: Any) -> FeedPreferences:
    everything = {"default_order": None, "muted_words": None, "hide_shares": None, "hide_seen": None} | changes
    changed = await update_preferences(world.backends, viewer_id=world.ids["ada"], **everything)
    assert await load_preferences(world.backends, viewer_id=world.ids["ada"]) == changed
    return changed


async def test_what_is_left_out_stays(world: World) -> None:
    await world.add("ada")
    assert await update(world) == NO_PREFERENCES
    assert await update(world, default_order=FeedOrder.RANKED) == FeedPreferences(FeedOrder.RANKED)
    assert await update(world, muted_words=["b", "a"]) == FeedPreferences(FeedOrder.RANKED, ("b", "a"))
    assert await update(world, hide_shares=True, hide_seen=True) == FeedPreferences(FeedOrder.RANKED, ("b", "a"), True, True)
    assert await update(world, muted_words=[], hide_seen=False) == FeedPreferences(FeedOrder.RANKED, (), True, False)
    assert await update(world, default_order=FeedOrder.LATEST, hide_shares=False) == NO_PREFERENCES
    assert await query(world, "SELECT settings::text FROM users") == [("{}",)]


async def test_a_refusal_changes_nothing(world: World) -> None:
    await world.add("ada")
    before = await update(world, muted_words=["a"])
    refused = await refusal(update(world, muted_words=["b", ""], hide_seen=True))
    assert refused == (RefusalCode.BLANK, ("mutedWords", "1"))
    assert await update(world) == before


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([], ()),
        ([" a ", "A", "b\n", "a"], ("a", "b")),
        (["Straße", "STRASSE"], ("Straße",)),
        (["two  words"], ("two  words",)),
        (["x" * 100, " " + "y" * 100 + " "], ("x" * 100, "y" * 100)),
        ([str(number) for number in range(200)] * 2, tuple(str(number) for number in range(200))),
    ],
)
def test_words_are_trimmed_and_kept_once(words: list[str], kept: tuple[str, ...]) -> None:
    assert check_muted_words(words) == kept


@pytest.mark.parametrize(
    ("words", "code", "index"),
    [
        ([""], RefusalCode.BLANK, 0),
        (["a", " \t"], RefusalCode.BLANK, 1),
        (["\u200b"], RefusalCode.BLANK, 0),
        (["a", "b", "x" * 101], RefusalCode.TOO_LONG, 2),
        (["a\x00b"], RefusalCode.INVALID, 0),
        (["a\nb"], RefusalCode.INVALID, 0),
        (["\ud800"], RefusalCode.INVALID, 0),
        ([str(number) for number in range(201)], RefusalCode.LIMIT_REACHED, 200),
        (["A", "a"] + [str(number) for number in range(201)], RefusalCode.LIMIT_REACHED, 201),
    ],
)
def test_words_that_are_refused(words: list[str], code: RefusalCode, index: int) -> None:
    with pytest.raises(RefusedError) as raised:
        check_muted_words(words)
    (only,) = raised.value.refusals
    assert (only.code, only.field) == (code, ("mutedWords", str(index)))


@given(st.lists(st.text(max_size=110), max_size=210))
def test_what_is_kept_is_kept_again(words: list[str]) -> None:
    try:
        kept = check_muted_words(words)
    except RefusedError:
        return
    assert check_muted_words(kept) == kept
    assert len(kept) <= MAX_MUTED_WORDS
    assert FeedPreferences.from_settings(FeedPreferences(muted_words=kept).to_settings()).muted_words == kept
