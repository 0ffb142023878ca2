"""What can be wrong with a cached timeline, and how a slice is compared with the truth. Pure: the facts are given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class TimelineFault(StrEnum):
    """The word for each kind of difference, as operators read it."""

    MISSING = "missing"
    """A pushed post within the slice that a reader would not find."""
    FOREIGN = "foreign"
    """An entry that no rule brings here: of somebody not followed, pulled, undecided, or of no post at all."""
    TWICE = "twice"
    """More than one element for one post."""
    OUT_OF_ORDER = "out of order"
    """An entry that does not stand at its own time."""
    BELOW_SLICE = "below the slice"
    """Entries of a cut timeline below a gap that is larger than they are: a reader takes the gap for the truth."""
    FALSELY_WHOLE = "falsely whole"
    """The marker says that nothing lies below the last entry, but these posts do."""
    CUT_BUT_EMPTY = "cut but empty"
    """A cut timeline without entries: where it ends is not known."""
    NO_ID = "no id"
    """An element that is no entry and no marker in its place."""
    NO_MARKER = "no marker"
    UNREADABLE_MARKER = "unreadable marker"
    ENDLESS_BUILDING = "building without end"
    """A building mark that outlives every builder: nobody else may build meanwhile."""
    WRONG_TYPE = "wrong type"
    """The key is no sorted set: every command on it fails."""


@dataclass(frozen=True, slots=True)
class TimelineDifference:
    """One kind of fault in one timeline. `post_ids`, newest first, or `elements` where they are no ids, may be empty."""

    fault: TimelineFault
    post_ids: tuple[int, ...] = ()
    elements: tuple[str, ...] = ()


def compare_slice(
    entries: Sequence[int], *, is_whole: bool, due: Collection[int], belonging: Collection[int]
) -> list[TimelineDifference]:
    """Compares the entries of a warm timeline with what should be in it.

    `due`: pushed posts that must be there, if they lie within the slice. `belonging`: those of the entries that may be there;
    more than is due, since posts that were deleted or hidden meanwhile are left behind and filtered when read.
    """
    right = sorted((post_id for post_id in entries if post_id in belonging), reverse=True)
    foreign = [post_id for post_id in entries if post_id not in belonging]
    there = set(entries)
    floor = 0 if is_whole else (right[-1] if right else None)
    missing = sorted((p for p in due if p not in there and floor is not None and p >= floor), reverse=True)
    below: list[int] = []
    beneath: list[int] = []
    if is_whole and right:
        beneath = [post_id for post_id in missing if post_id < right[-1]]
        missing = missing[: len(missing) - len(beneath)]
    elif not is_whole:
        right, missing, below = _without_what_lies_below(right, missing)
    found = [
        (TimelineFault.MISSING, missing),
        (TimelineFault.FOREIGN, sorted(foreign, reverse=True)),
        (TimelineFault.BELOW_SLICE, below),
        (TimelineFault.FALSELY_WHOLE, beneath),
    ]
    return [TimelineDifference(fault, tuple(post_ids)) for fault, post_ids in found if post_ids]


def _without_what_lies_below(right: list[int], missing: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Entries below a gap at least as large as they are do not belong to the slice, and the gap is then no gap.

    Of the two ways to say the same, the one that names fewer posts. Everything newest first.
    """
    below: list[int] = []
    while missing:
        lower = [post_id for post_id in right if post_id < missing[-1]]
        upper = right[: len(right) - len(lower)]
        gap = [post_id for post_id in missing if not upper or post_id < upper[-1]]
        if len(lower) > len(gap):
            break
        below = lower + below
        right, missing = upper, missing[: len(missing) - len(gap)]
    return right, missing, below
