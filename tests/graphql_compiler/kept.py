"""What records keep of what was rendered of them."""

from __future__ import annotations

from typing import Any

from graphql_compiler.rendering import FIRST_PART


def kept_tuples(record: Any) -> list[tuple[Any, ...]]:
    """The chain of a record."""
    kept, chain = getattr(record, "rendered_json", None), []
    while kept is not None:
        chain.append(kept)
        kept = kept[1]
    return chain


def kept_parts(record: Any) -> list[Any]:
    """All that was rendered."""
    return [part for kept in kept_tuples(record) for part in kept[FIRST_PART:]]
