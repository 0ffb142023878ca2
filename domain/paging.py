"""Page arguments, checked once for every list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from domain.errors import InvalidArgumentError

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

T = TypeVar("T")


class PageInfo(NamedTuple):
    """Relay's PageInfo. Cursors are sealed strings; None where the page has no entry and nothing was examined."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Edge(Generic[T]):
    """One entry of a list with the cursor to go on from."""

    cursor: str
    node: T


@dataclass(frozen=True, slots=True)
class Connection(Generic[T]):
    """One page of a list."""

    edges: list[Edge[T]]
    page_info: PageInfo

    @property
    def nodes(self) -> list[T]:
        return [edge.node for edge in self.edges]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A checked wish for a page: `size` entries older than `after`, or, where `backward`, newer than `before`."""

    size: int
    cursor: str | None
    backward: bool = False


def check_page_size(value: int | None, *, name: str = "first", default: int = DEFAULT_PAGE_SIZE) -> int:
    """The page size: `default` when left out or null. Raises InvalidArgumentError when negative or over 100."""
    if value is None:
        return default
    if value < 0 or value > MAX_PAGE_SIZE:
        raise InvalidArgumentError(f"{name} must be between 0 and {MAX_PAGE_SIZE}")
    return value


def forward_page(first: int | None, after: str | None) -> PageRequest:
    """The arguments of a list that is read in one direction only."""
    return PageRequest(check_page_size(first), after)


def two_way_page(first: int | None, after: str | None, last: int | None, before: str | None) -> PageRequest:
    """The arguments of a list that is read in both directions.

    Raises InvalidArgumentError where arguments of the two directions are mixed: such a page would have no defined end.
    """
    backward = last is not None or before is not None
    if backward and (first is not None or after is not None):
        raise InvalidArgumentError("use first with after, or last with before, not both")
    if backward:
        return PageRequest(check_page_size(last, name="last"), before, backward=True)
    return PageRequest(check_page_size(first), after)
