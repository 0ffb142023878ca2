"""Which errors of PostgreSQL and its drivers say that the server is away, and the one error that they become."""

from __future__ import annotations

import asyncpg
from sqlalchemy import exc

from db.presence import Presence
from domain.errors import UnavailableError


class translated_errors:  # noqa: N801 - reads as a function where it is used
    """Around what asks the server: whatever says that it is away becomes UnavailableError. `presence` is told to look."""

    def __init__(self, presence: Presence | None) -> None:
        self._presence = presence

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is not None and is_unavailability(error):
            if self._presence is not None:
                self._presence.doubt()
            raise UnavailableError("the database did not answer in time") from error


_UNAVAILABLE_SQLSTATES = (
    "08",  # connection exceptions
    "53",  # too many connections, out of memory, disk full
    "57",  # shutdown, cancelled by statement_timeout, starting up
    "25006",  # a server that became a read-only standby
    "25P03",  # idle in transaction too long
    "40",  # serialization failure, deadlock
    "55P03",  # lock not available
)


def is_unavailability(error: BaseException) -> bool:
    """Whether an error says that the server is away, too busy or too slow: trying again later may succeed."""
    if isinstance(error, UnavailableError):
        return False
    if isinstance(error, exc.TimeoutError):
        return True
    if isinstance(error, exc.DBAPIError):
        if error.connection_invalidated:
            return True
        cause: BaseException | None = error
        while cause is not None:
            if _is_driver_unavailability(cause):
                return True
            cause = cause.__cause__
        return False
    return _is_driver_unavailability(error)


def is_refusal(error: BaseException) -> bool:
    """Whether PostgreSQL itself has refused a statement for what is in it: certainly nothing of it has happened."""
    return isinstance(error, asyncpg.PostgresError) and not is_unavailability(error)


def _is_driver_unavailability(error: BaseException) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return bool(error.sqlstate) and error.sqlstate.startswith(_UNAVAILABLE_SQLSTATES)
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)
