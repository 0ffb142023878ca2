"""Which truth a cached timeline was made from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimelineVersion:
    """`database`: a short text that no other database shares; `graph`: the viewer's graph version in it."""

    database: str
    graph: int
