"""Effects under an idempotency key: done once, answered as often as it is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256

from db.database import ReadSession, WriteSession
from db.idempotency_keys import FirstResult, KeyOwner, find_first_result, insert_first_result, try_lock_key
from domain.errors import RefusalCode, RefusedError, refused
from domain.text import TextProblem, check_line

MAX_KEY_LENGTH = 255
"""Code points."""
_FIELD = "idempotencyKey"
_PROBLEMS = {
    TextProblem.BLANK: (RefusalCode.BLANK, "must not be blank"),
    TextProblem.TOO_LONG: (RefusalCode.TOO_LONG, f"is too long (at most {MAX_KEY_LENGTH} characters)"),
    TextProblem.INVALID: (RefusalCode.INVALID, "holds control characters"),
}


class OnceOperation(StrEnum):
    """What a key belongs to, besides its user: the same key may be used for each."""

    CREATE_POST = "create_post"
    SHARE_POST = "share_post"
    ADD_COMMENT = "add_comment"


class Once:
    """One operation under a key. `first_result`: the id that was made the first time; None: do it now, and `remember`."""

    def __init__(self, first_result: int | None, *, owner: KeyOwner | None = None, request_hash: bytes = b"") -> None:
        self.first_result = first_result
        self._owner = owner
        self._request_hash = request_hash

    async def remember(self, session: WriteSession, result_id: int) -> None:
        """Writes the result in the transaction of the effect; does nothing where there is no key."""
        if self._owner is not None:
            await insert_first_result(session, self._owner, FirstResult(self._request_hash, result_id))


async def begin_once(
    session: WriteSession, *, user_id: int, operation: OnceOperation, key: str | None, request: Mapping[str, object]
) -> Once:
    """First thing in the transaction. `request`: the whole input without the key, with its defaults filled in.

    Raises RefusedError: BLANK, TOO_LONG (255 characters) or INVALID for a key, IDEMPOTENCY_MISMATCH where it was used with
    another input, IDEMPOTENCY_CONFLICT where the same operation is under way in another transaction (nobody waits for it).
    """
    if key is None:
        return Once(None)
    owner, request_hash = own_key(user_id, operation, key), hash_request(request)
    has_lock = await try_lock_key(session, owner)
    # Also where somebody else holds the lock: perhaps only to find what is found here.
    found = await find_same_request(session, owner, request_hash)
    if found is None and not has_lock:
        raise under_way()
    return Once(found, owner=owner, request_hash=request_hash)


def own_key(user_id: int, operation: OnceOperation, key: str) -> KeyOwner:
    """The key in its form. Raises RefusedError: BLANK, TOO_LONG, INVALID."""
    problem = check_line(key, MAX_KEY_LENGTH)
    if problem is not None:
        code, message = _PROBLEMS[problem]
        raise refused(code, f"the idempotency key {message}", _FIELD)
    return KeyOwner(user_id, operation.value, key)


async def find_same_request(session: ReadSession, owner: KeyOwner, request_hash: bytes) -> int | None:
    """The id of the first result, if there is one. Raises RefusedError IDEMPOTENCY_MISMATCH where the input was another."""
    found = await find_first_result(session, owner)
    if found is None:
        return None
    if found.request_hash != request_hash:
        message = "this idempotency key was used with another input"
        raise refused(RefusalCode.IDEMPOTENCY_MISMATCH, message, _FIELD)
    return found.result_id


def under_way() -> RefusedError:
    """The same request is being carried out at this moment."""
    message = "a request with this idempotency key is under way; send it again in a moment"
    return refused(RefusalCode.IDEMPOTENCY_CONFLICT, message, _FIELD)


def hash_request(request: Mapping[str, object]) -> bytes:
    """SHA-256 of the input as JSON with sorted names; texts count as they are, code point by code point."""
    return sha256(json.dumps(request, sort_keys=True, separators=(",", ":")).encode()).digest()
