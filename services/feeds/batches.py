"""Batches of about the same work, where one item may be a thousand times the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches_by_weight(items: Iterable[T], weight: Callable[[T], int], limit: int) -> Iterator[list[T]]:
    """The items in their order, as many together as weigh at most `limit`; a heavier one stands alone."""
    batch: list[T] = []
    total = 0
    for item in items:
        added = weight(item)
        if batch and total + added > limit:
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += added
    if batch:
        yield batch
