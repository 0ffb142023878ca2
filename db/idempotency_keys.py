"""First results under idempotency keys: rows of the transactions whose effects they name."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import text

from db.database import ReadSession, WriteSession


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """Whose key it is and what for: the same key of another account, or for another operation, is another one."""

    user_id: int
    operation: str
    key: str


@dataclass(frozen=True, slots=True)
class FirstResult:
    """What was made under a key. `request_hash`: SHA-256 of the input that it was made from."""

    request_hash: bytes
    result_id: int


_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(CAST(:lock AS bigint))")
_FIND = text(
    "SELECT request_hash, result_id FROM idempotency_keys WHERE user_id = :user_id AND operation = :operation AND key = :key"
)
_INSERT = text(
    """
    INSERT INTO idempotency_keys (user_id, operation, key, request_hash, result_id)
    VALUES (:user_id, :operation, :key, :request_hash, :result_id)
    """
)
_DELETE_OLD = text(
    """
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM idempotency_keys WHERE created_at < clock_timestamp() - make_interval(secs => :seconds) LIMIT :size
    ))
    """
)
_LOCK_PERSON = b"tidings-once"


async def try_lock_key(session: WriteSession, owner: KeyOwner) -> bool:
    """Holds the key until the transaction ends. False at once where another transaction holds it: nobody waits."""
    return bool((await session.execute(_TRY_LOCK, {"lock": _lock_number(owner)})).scalar_one())


async def find_first_result(session: ReadSession, owner: KeyOwner) -> FirstResult | None:
    """What is committed under the key. In a statement behind the lock's: that one's snapshot may be older than the lock."""
    row = (await session.execute(_FIND, _parameters(owner))).first()
    return FirstResult(bytes(row[0]), int(row[1])) if row is not None else None


async def insert_first_result(session: WriteSession, owner: KeyOwner, result: FirstResult) -> None:
    """Under the key's lock, in the transaction that makes the result."""
    row = {**_parameters(owner), "request_hash": result.request_hash, "result_id": result.result_id}
    await session.execute(_INSERT, row)


async def delete_old_keys(session: WriteSession, *, older_than_seconds: float, size: int) -> int:
    """Deletes up to `size` keys of that age; how many it were."""
    result = await session.execute(_DELETE_OLD, {"seconds": older_than_seconds, "size": size})
    return int(result.rowcount)  # type: ignore[attr-defined]


def _parameters(owner: KeyOwner) -> dict[str, object]:
    return {"user_id": owner.user_id, "operation": owner.operation, "key": owner.key}


def _lock_number(owner: KeyOwner) -> int:
    # Of 64 bits: two keys that share a number refuse one another once in a blue moon, and are repeated; nothing else.
    name = f"{owner.user_id}\0{owner.operation}\0{owner.key}".encode()
    return int.from_bytes(blake2b(name, digest_size=8, person=_LOCK_PERSON).digest(), signed=True)
