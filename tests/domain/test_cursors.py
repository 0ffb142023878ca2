from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.cursors import CursorScope, CursorSealer

_IDS = st.integers(-(2**63), 2**63 - 1)


@given(st.text(max_size=20), st.integers(0, 2**63 - 1), _IDS, st.lists(_IDS, max_size=2))
def test_cursors_that_are_sealed_together_are_those_that_are_sealed_alone(
    kind: str, viewer_id: int, first: int, rest: list[int]
) -> None:
    scope = CursorScope(kind.replace("\0", ""), viewer_id)
    sealer = CursorSealer(b"secret")
    cursor = sealer.sealer_of_ids(scope, *rest)(first)
    assert cursor == sealer.seal_ids(scope, first, *rest)
    assert sealer.open_ids(scope, cursor, count=1 + len(rest)) == (first, *rest)
