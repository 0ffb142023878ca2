from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.memory.two_generations import TwoGenerations


@given(st.integers(2, 12), st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(1, 4))))
def test_it_forgets_the_old_and_never_tells_what_was_not_put(size: int, steps: list[tuple[bool, int, int]]) -> None:
    memory: TwoGenerations[int, tuple[int, int]] = TwoGenerations(size, weigh=lambda value: value[1])
    newest: dict[int, tuple[int, int]] = {}
    for number, (is_put, key, weight) in enumerate(steps):
        if is_put:
            memory.put(key, (number, weight))
            newest.pop(key, None)
            newest[key] = (number, weight)
        found = memory.get(key)
        assert found in {None, newest.get(key)}
        if is_put:
            assert found == newest[key], "what was put just now is there"
        kept = [newest[key] for key in newest if memory._young.get(key) or memory._old.get(key)]
        heaviest = max((weight for _, weight in kept), default=0)
        assert sum(weight for _, weight in kept) <= size + 2 * heaviest
        assert len(memory) == len(kept)


def test_what_is_asked_for_stays() -> None:
    memory: TwoGenerations[int, int] = TwoGenerations(100)
    for number in range(1, 1_000):
        memory.put(number, number)
        assert memory.get(1) == 1
        assert len(memory) <= 101
