"""Tests of cursors that are sealed as blocks, many at a time. Others are tested where they are used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cursors import CursorScope, CursorSealer
from domain.errors import InvalidCursorError

_IDS = st.integers(-(2**63), 2**63 - 1)
_KINDS = st.text(max_size=20).map(lambda kind: kind.replace("\0", ""))


@given(_KINDS, st.integers(0, 2**63 - 1), st.lists(_IDS, max_size=30))
def test_each_block_opens_in_its_scope_and_in_no_other(kind: str, viewer_id: int, ids: list[int]) -> None:
    scope = CursorScope(kind, viewer_id)
    sealer = CursorSealer(b"secret")
    cursors = sealer.seal_blocks(scope, ids)
    assert [sealer.open_block(scope, cursor) for cursor in cursors] == ids
    assert len(set(cursors)) == len(set(ids))
    assert all(len(cursor) == 32 and cursor.isalnum() for cursor in cursors)
    for cursor in cursors[:3]:
        for other in (CursorScope(kind + "x", viewer_id), CursorScope(kind, viewer_id + 1), CursorScope(kind, viewer_id, "x")):
            with pytest.raises(InvalidCursorError):
                sealer.open_block(other, cursor)
        with pytest.raises(InvalidCursorError):
            CursorSealer(b"another").open_block(scope, cursor)


@given(_IDS, st.integers(0, 31), st.sampled_from("0123456789abcdef"))
def test_one_that_was_changed_does_not_open(number: int, at: int, digit: str) -> None:
    scope = CursorScope("feed", 1)
    sealer = CursorSealer(b"secret")
    [cursor] = sealer.seal_blocks(scope, [number])
    changed = cursor[:at] + digit + cursor[at + 1 :]
    if changed == cursor:
        assert sealer.open_block(scope, changed) == number
    else:
        with pytest.raises(InvalidCursorError):
            sealer.open_block(scope, changed)


def test_what_is_no_block_is_left_to_others() -> None:
    scope = CursorScope("feed", 1)
    sealer = CursorSealer(b"secret")
    [cursor] = sealer.seal_blocks(scope, [17])
    spaced = f"{cursor[:15]}  {cursor[17:]}"
    for other in ("", cursor.upper(), cursor[:-1], cursor + "0", spaced, "é" * 32, sealer.seal_ids(scope, 17)):
        if other != cursor:
            assert sealer.open_block(scope, other) is None
    for other in (cursor.upper(), cursor[:-1], cursor + "0", spaced, "é" * 32):
        if other != cursor:
            with pytest.raises(InvalidCursorError):
                sealer.open_ids(scope, other)
