"""Windows cover all of the time below an id, once, and soon."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.ids import TIME_SHIFT
from domain.search_periods import windows_below

YEARS_MS = 60 * 365 * 86_400_000
_SHIFTS = (21, 25, 29, 33)


@given(newest=st.integers(0, YEARS_MS), age=st.integers(0, YEARS_MS), walked=st.integers(0, YEARS_MS), place=st.floats(0, 1))
def test_every_instant_lies_in_a_window(newest: int, age: int, walked: int, place: float) -> None:
    oldest = max(0, newest - age)
    windows = list(windows_below(newest << TIME_SHIFT, walked_ms=walked, oldest_id=oldest << TIME_SHIFT))
    # At the top level 8 years each; below it few, since they grow.
    assert len(windows) <= 16
    assert all(0 < len(window.periods) <= 33 for window in windows)
    assert [window.lowest_ms for window in windows] == sorted({window.lowest_ms for window in windows}, reverse=True)
    assert windows[-1].lowest_ms <= oldest
    instant = oldest + int((newest - oldest) * place)
    post_id = instant << TIME_SHIFT
    # As the SQL function of migration 0005 numbers them.
    numbers = {level << 24 | post_id >> (TIME_SHIFT + shift) for level, shift in enumerate(_SHIFTS)}
    holding = [window for window in windows if numbers & set(window.periods)]
    assert holding
    assert holding[0].lowest_ms <= instant
