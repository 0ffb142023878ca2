"""A bounded memory that forgets what was not asked for lately.

Two generations: what is new or was asked for goes to the young one; when that is full it becomes the old one, and what the old
one held is forgotten. So a hit costs one look into a dictionary, which an exact order of use would double.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class TwoGenerations(Generic[K, V]):
    """Remembers at least the newest half of `size`, and at most `size`, counted by what `weigh` says of each value (or one)."""

    def __init__(self, size: int, *, weigh: Callable[[V], int] | None = None) -> None:
        self._half = max(1, size // 2)
        self._weigh = weigh or (lambda _: 1)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._weight = 0

    def get(self, key: K) -> V | None:
        """What is remembered."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def get_many(self, keys: Iterable[K]) -> list[V | None]:
        """What is remembered of each."""
        wanted = list(keys)
        found = [*map(self._young.get, wanted)]
        return found if all(found) else [one or self.get(key) for one, key in zip(found, wanted, strict=True)]

    def put(self, key: K, value: V) -> None:
        """Remembers a value in the place of an earlier one."""
        self._old.pop(key, None)
        former = self._young.get(key)
        self._weight += self._weigh(value) - (self._weigh(former) if former is not None else 0)
        self._young[key] = value
        if self._weight > self._half:
            self._old, self._young, self._weight = self._young, {}, 0

    def clear(self) -> None:
        self._young, self._old, self._weight = {}, {}, 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
