"""Around a use case with an idempotency key: what was done before is answered from its result, and nothing else happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from db.database import WriteSession
from services.backends import Backends
from services.idempotency.run_once import (
    Once,
    OnceOperation,
    begin_once,
    find_same_request,
    hash_request,
    own_key,
    under_way,
)

T = TypeVar("T")


class AlreadyDoneError(Exception):
    """An effect finds, in its own transaction, that it was done before. Never leaves `answer_once`."""

    def __init__(self, result_id: int) -> None:
        super().__init__("done before, under the same idempotency key")
        self.result_id = result_id


class ResultGoneError(Exception):
    """What was made the first time is no longer there for the caller: deleted since, or hidden. Nothing is made again."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to do something once. `request`: as `begin_once` has it."""

    user_id: int
    operation: OnceOperation
    key: str | None
    request: Mapping[str, object]

    async def begin(self, session: WriteSession) -> Once:
        """First thing in the transaction of the effect, whose last is `remember`. Raises RefusedError, AlreadyDoneError."""
        once = await begin_once(session, user_id=self.user_id, operation=self.operation, key=self.key, request=self.request)
        if once.first_result is not None:
            raise AlreadyDoneError(once.first_result)
        return once


async def answer_once(
    backends: Backends,
    attempt: Attempt,
    *,
    do: Callable[[], Awaitable[T]],
    load_again: Callable[[int], Awaitable[T | None]],
) -> T:
    """What `do` makes, or what it made the first time, as it is now (`load_again` by its id).

    `do` begins its transaction with `attempt.begin`. What it asks before that (limits, rules for texts) is not asked for a
    repetition; and of several attempts at once in this process one alone goes on, so that what counts requests counts one.

    Raises RefusedError as `begin_once` does, and ResultGoneError.
    """
    if attempt.key is None:
        return await do()
    owner, request_hash = own_key(attempt.user_id, attempt.operation, attempt.key), hash_request(attempt.request)
    with backends.attempts.hold(owner) as is_alone:
        async with backends.database.reading() as session:
            first_result = await find_same_request(session, owner, request_hash)
        if first_result is None:
            if not is_alone:
                raise under_way()
            try:
                return await do()
            except AlreadyDoneError as done:
                # By another process, since the look above.
                first_result = done.result_id
    again = await load_again(first_result)
    if again is None:
        raise ResultGoneError
    return again
