"""Which run of the server the connections of a client belong to.

Every connection asks for it before anything else and never outlives it. Where several are open, they may belong to different
runs for a moment: the newest question that was answered counts, and whoever hears of another run afterwards is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

QUESTION: Sequence[str] = ("INFO", "server")
"""Its answer says which run the server is in."""
_LENGTH = 12
"""Enough of the 40 hexadecimal digits to tell runs apart, short enough for the timeline's compact encoding."""


class EarlierRunError(Exception):
    """The connection belongs to another run than one that asked after it: it must not be used."""


class ServerRun:
    """The run that the newest connection belongs to. `id` is empty before the first one.

    `on_change`: is called with the new run before anybody can have a reply of it.
    """

    def __init__(self) -> None:
        self.id = ""
        self.on_change: Callable[[str], None] | None = None
        self._questions = 0
        self._answered = 0

    def ask(self) -> int:
        """Note it before the question is sent."""
        self._questions += 1
        return self._questions

    def learn(self, question: int, reply: bytes | str) -> str:
        """The run that the reply to a `question` names; from now on it is the client's.

        Raises ValueError where the reply names none, EarlierRunError where a later question has had another answer: a late
        answer of a server that is gone, or of another server, must not make older timelines pass for current ones.
        """
        found = _read(reply)
        if question < self._answered and found != self.id:
            raise EarlierRunError("another connection has reached a newer run of the server meanwhile")
        self._answered = max(self._answered, question)
        if found != self.id:
            self.id = found
            if self.on_change is not None:
                self.on_change(found)
        return found


def _read(reply: bytes | str) -> str:
    text = reply.decode() if isinstance(reply, bytes) else reply
    for line in text.splitlines():
        if line.startswith("run_id:"):
            return line.removeprefix("run_id:").strip()[:_LENGTH]
    raise ValueError("the server does not say which run it is")
