"""Windows of time in which an index is asked for posts, so that no question costs more than what lies in its window.

A post lies in one *period* at each of four levels, 2^21 ms (35 minutes) to 2^33 ms (99 days) long. The SQL function
`search_periods` gives their numbers, which are indexed beside the words: a question about words within a few periods reads only
the parts of the index that speak of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.ids import TIME_SHIFT

_SHIFTS = (21, 25, 29, 33)
_LEVEL_BITS = 24
_MAX_PERIODS = 128
_FIRST_FACTOR = 16
"""The first window is this many times as long as what was walked before it..."""
_GROWTH = 8
"""...and each further one this many times as long as the one before."""


@dataclass(frozen=True, slots=True)
class Window:
    """The periods that cover the milliseconds from `lowest_ms` up to some instant."""

    periods: tuple[int, ...]
    lowest_ms: int


def windows_below(post_id: int, *, walked_ms: int, oldest_id: int) -> Iterator[Window]:
    """Windows that cover everything below `post_id` down to `oldest_id`, newest first, growing.

    They overlap by a period at most; whoever asks leaves out what lies at or above the id reached. `walked_ms`: how long a time
    some thousands of posts just below took, the measure of how dense they lie.
    """
    top_ms, oldest_ms = post_id >> TIME_SHIFT, oldest_id >> TIME_SHIFT
    span = max(1, walked_ms) * _FIRST_FACTOR
    while top_ms >= oldest_ms:
        window = _window(top_ms, span)
        yield window
        top_ms = window.lowest_ms - 1
        span *= _GROWTH


def _window(top_ms: int, span: int) -> Window:
    level = next((number for number, shift in enumerate(_SHIFTS) if span >> shift < _MAX_PERIODS), len(_SHIFTS) - 1)
    shift = _SHIFTS[level]
    newest = top_ms >> shift
    oldest = max(0, newest - min(_MAX_PERIODS - 1, span >> shift))
    return Window(tuple(level << _LEVEL_BITS | period for period in range(oldest, newest + 1)), oldest << shift)
