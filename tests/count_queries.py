"""How many SQL statements something sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from db import at_once
from services.backends import Backends


@dataclass
class CountedQueries:
    """The statements so far, in order."""

    statements: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.statements)


@contextmanager
def count_queries(backends: Backends) -> Iterator[CountedQueries]:
    """Counts what is sent through the backends' database while the block runs. The pool's own pings do not count, nor does a
    bell that rings by itself after an earlier write."""
    counted = CountedQueries()
    engine = backends.database.engine.sync_engine

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "pg_notify" not in statement:
            counted.statements.append(statement)

    fetch = at_once.fetch

    async def noted(connection: Any, statement: Any, parameters: Any) -> Any:
        note(None, None, str(statement))
        return await fetch(connection, statement, parameters)

    event.listen(engine, "before_cursor_execute", note)
    at_once.fetch = noted
    try:
        yield counted
    finally:
        at_once.fetch = fetch
        event.remove(engine, "before_cursor_execute", note)
