"""Statements that are sent as they are: for what is one or two statements and is asked for hundreds of times a second.

A session of SQLAlchemy costs several times what such a statement does, in its own books about connections, statements and rows.
Here its pool and its compiler are used, the latter once for each statement; the rest is the driver's.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy import TextClause
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]


class Rows:
    """What a statement has answered."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def first(self) -> Any:
        """The first row; None where there is none."""
        return self._rows[0] if self._rows else None

    def scalars(self) -> list[Any]:
        """The first value of each row."""
        return [row[0] for row in self._rows]

    def scalar(self) -> Any:
        """The first value; None where there is none."""
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        """The one value of the one row."""
        ((value,),) = self._rows
        return value


async def fetch(connection: asyncpg.Connection, statement: TextClause, parameters: Mapping[str, Any]) -> Rows:
    """Runs a statement in a transaction of its own. Raises what the driver raises."""
    query, names = _compiled(statement)
    return Rows(await connection.fetch(query, *[parameters[name] for name in names]))


@functools.lru_cache(maxsize=1_000)
def _compiled(statement: TextClause) -> tuple[str, tuple[str, ...]]:
    """The text with $1, $2 …, and the names of these."""
    compiled = statement.compile(dialect=_DIALECT)
    return str(compiled), tuple(compiled.positiontup or ())
