from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.timeline_differences import TimelineDifference, TimelineFault, compare_slice

_IDS = st.sets(st.integers(1, 60), max_size=30)


def _say(entries: list[int], *, is_whole: bool, due: set[int], belonging: set[int] | None = None) -> dict[str, list[int]]:
    found = compare_slice(entries, is_whole=is_whole, due=due, belonging=due if belonging is None else belonging)
    return {difference.fault.value: list(difference.post_ids) for difference in found}


@given(due=_IDS, leftovers=_IDS, floor=st.integers(0, 61))
def test_a_contiguous_slice_with_leftovers_is_right(due: set[int], leftovers: set[int], floor: int) -> None:
    present = due | leftovers
    whole = sorted(present, reverse=True)
    assert _say(whole, is_whole=True, due=due, belonging=present) == {}
    assert _say([post_id for post_id in whole if post_id >= floor], is_whole=False, due=due, belonging=present) == {}


@given(due=_IDS, lost=_IDS, strangers=_IDS, is_whole=st.booleans())
def test_whatever_a_reader_would_miss_or_should_not_meet_is_named(
    due: set[int], lost: set[int], strangers: set[int], is_whole: bool
) -> None:
    there = due - lost
    strangers -= due
    entries = sorted(there | strangers, reverse=True)
    found = compare_slice(entries, is_whole=is_whole, due=due, belonging=due)
    named = {fault: {p for one in found if one.fault is fault for p in one.post_ids} for fault in TimelineFault}
    assert named[TimelineFault.FOREIGN] == strangers
    missing = named[TimelineFault.MISSING] | named[TimelineFault.FALSELY_WHOLE]
    if is_whole:
        assert missing == due - there
        return
    # What is left without the entries below it, and with the missing ones, is a contiguous newest slice.
    below = named[TimelineFault.BELOW_SLICE]
    rest = there - below
    assert below <= there
    assert rest | missing == {post_id for post_id in due if rest and post_id >= min(rest)}
    assert not rest or not below or max(below) < min(rest)


def test_of_two_readings_the_one_that_names_fewer_posts() -> None:
    due = set(range(1, 31))
    assert _say([30, 29, 27, 26, 25], is_whole=False, due=due) == {"missing": [28]}
    assert _say([30, 29, 28, 27, 3], is_whole=False, due=due) == {"below the slice": [3]}
    assert _say([30, 29, 28, 26], is_whole=False, due=due) == {"below the slice": [26]}
    assert _say([30, 28, 27, 26, 9, 2], is_whole=False, due=due) == {"missing": [29], "below the slice": [9, 2]}
    assert _say([30, 29], is_whole=True, due={30, 29, 28}) == {"falsely whole": [28]}
    assert _say([], is_whole=True, due={30, 29}) == {"missing": [30, 29]}


def test_a_foreign_entry_far_below_moves_no_floor() -> None:
    found = compare_slice([30, 29, 1], is_whole=False, due=set(range(2, 31)), belonging=set(range(2, 31)))
    assert found == [TimelineDifference(TimelineFault.FOREIGN, (1,))]
