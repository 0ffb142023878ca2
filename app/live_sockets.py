"""The open sockets of this process, and what they share."""

from __future__ import annotations

from typing import Protocol

from app.admission import Admission
from app.socket_messages import CloseCode, CloseError
from app.socket_output import Flushes
from app.timer_wheel import TimerWheel

MAX_SOCKETS_PER_USER = 5


class UserSocket(Protocol):
    """A socket on which somebody has signed in."""

    def end(self, close: CloseError) -> None:
        """Closes it; a second time changes nothing."""


class LiveSockets:
    """Open sockets by account. The limit holds for one process."""

    def __init__(self) -> None:
        self.wheel = TimerWheel()
        self.flushes = Flushes()
        self.admission = Admission()
        self._open: dict[int, set[UserSocket]] = {}

    def enter(self, user_id: int, socket: UserSocket, *, has_limits: bool) -> bool:
        """Keeps one more; False where that would be one too many."""
        sockets = self._open.get(user_id)
        if sockets is None:
            self._open[user_id] = {socket}
            return True
        if has_limits and len(sockets) >= MAX_SOCKETS_PER_USER:
            return False
        sockets.add(socket)
        return True

    def leave(self, user_id: int, socket: UserSocket) -> None:
        """Forgets one that was kept."""
        sockets = self._open.get(user_id)
        if sockets is not None:
            sockets.discard(socket)
            if not sockets:
                del self._open[user_id]

    def close_user(self, user_id: int, code: CloseCode, reason: str) -> int:
        """Closes all sockets of an account that are open here, at once; returns how many there were."""
        sockets = tuple(self._open.get(user_id, ()))
        for socket in sockets:
            socket.end(CloseError(code, reason))
        return len(sockets)
