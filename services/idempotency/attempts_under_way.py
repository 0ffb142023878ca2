"""Which keys are at work in this process: whoever comes with the same one is told so without a connection to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from db.idempotency_keys import KeyOwner


class AttemptsUnderWay:
    """The keys of the requests that are being carried out. The truth is the database's lock; this spares asking for it."""

    def __init__(self) -> None:
        self._owners: set[KeyOwner] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._owners

    @contextmanager
    def hold(self, owner: KeyOwner) -> Iterator[bool]:
        """Whether this is the only attempt under the key; then it is until the block ends."""
        if owner in self._owners:
            yield False
            return
        self._owners.add(owner)
        try:
            yield True
        finally:
            self._owners.discard(owner)
