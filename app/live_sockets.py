"""How many sockets each account has open in this process."""

from __future__ import annotations

from collections import Counter

MAX_SOCKETS_PER_USER = 5


class LiveSockets:
    """Counts open sockets by account. The limit holds for one process."""

    def __init__(self) -> None:
        self._open: Counter[int] = Counter()

    def enter(self, user_id: int, *, has_limits: bool) -> bool:
        """Counts one more; False where that would be one too many."""
        if has_limits and self._open[user_id] >= MAX_SOCKETS_PER_USER:
            return False
        self._open[user_id] += 1
        return True

    def leave(self, user_id: int) -> None:
        """Forgets one that was counted."""
        self._open[user_id] -= 1
        if self._open[user_id] <= 0:
            del self._open[user_id]
