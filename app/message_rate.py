"""How many messages a socket may send."""

from __future__ import annotations

MESSAGES_PER_SECOND = 100.0
BURST_MESSAGES = 500.0


class MessageRate:
    """A bucket that holds BURST_MESSAGES and is refilled with MESSAGES_PER_SECOND."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = BURST_MESSAGES
        self._at = 0.0

    def admits(self, now: float) -> bool:
        """Takes one; False where none is left. `now` is in seconds from any start."""
        self._left = min(BURST_MESSAGES, self._left + (now - self._at) * MESSAGES_PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
