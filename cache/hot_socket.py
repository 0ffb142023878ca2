"""One socket to a Redis or Valkey server that everybody in the process asks over, by RESP 2.

What is asked within one turn of the event loop goes out in one write; replies come in the order of the questions. Whoever stops
waiting leaves the stream as it is: the reply is read and dropped. Nothing is raised into the futures: what is no reply comes as
an `Unanswered`, so that a failure that nobody waits for any more leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis

MOST_UNANSWERED = 1_024
"""Commands on the way. What is asked beyond waits in line: so the time of the oldest one is the server's, not the crowd's."""
MOST_IN_LINE_BYTES = 64 << 20
"""Commands not yet written; what comes on top is refused."""
_MOST_AT_ONCE_BYTES = 256 << 10
"""Of one write, and what the transport may hold back before it says stop; a longer command goes alone."""
_SECOND_LOOK_SECONDS = 0.02
"""A loop that was held up sees its timers and what has arrived at the same time: before a server counts as hung, what is there
is read."""
_INCOMPLETE = object()


class Unanswered(Exception):  # noqa: N818 - no error yet: it stands where a reply would
    """Why there is no reply. Whether the command was carried out is not known."""


class HotSocket(asyncio.Protocol):
    """Asked from one event loop. `timeout_seconds`: within which a written command must be answered, and a waiting one written.

    `on_end(socket, has_failed)` is called once; `has_failed` where somebody was waiting for the server, and it was not us who
    ended it.
    """

    def __init__(self, *, timeout_seconds: float, on_end: Callable[[HotSocket, bool], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self.loop.create_future()
        """Done when the socket is closed for good."""
        self._timeout_seconds = timeout_seconds
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(notEnoughData=_INCOMPLETE)
        self._line: deque[tuple[asyncio.Future[Any], int, bytes, float]] = deque()
        """Asked and not written: future, number of replies (0: one, as it is), the commands, when it was asked."""
        self._line_bytes = 0
        self._sent: deque[tuple[asyncio.Future[Any], int, float]] = deque()
        """Written and not answered: future, number of replies, when it was written."""
        self._unanswered = 0
        self._replies: list[Any] = []
        """Of the first in `_sent`, where it waits for several."""
        self._is_flush_due = False
        self._is_paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._suspects: float | None = None
        """Written or asked until then: overdue at the first look."""
        self._end: Unanswered | None = None

    @property
    def is_ended(self) -> bool:
        return self._end is not None

    def ask(self, packed: bytes, replies: int = 0) -> asyncio.Future[Any]:
        """The reply to a packed command, or the list of those to so many `replies` that are packed together; an `Unanswered`
        where there is none. Error replies are `hiredis.ReplyError`s among them."""
        answer = self.loop.create_future()
        if self._end is not None:
            answer.set_result(self._end)
        elif self._line and self._line_bytes + len(packed) > MOST_IN_LINE_BYTES:
            answer.set_result(Unanswered("too much waits for Redis already"))
        else:
            self._line.append((answer, replies, packed, self.loop.time()))
            self._line_bytes += len(packed)
            if not self._is_flush_due:
                self._is_flush_due = True
                self.loop.call_soon(self._flush)
        return answer

    def end(self, reason: str, *, has_failed: bool = False) -> None:
        """Closes the socket at once. Whoever waits is told the reason."""
        if self._end is not None:
            return
        self._end = Unanswered(reason)
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        elif not self.lost.done():
            self.lost.set_result(None)
        waiting = [entry[0] for entry in self._sent] + [entry[0] for entry in self._line]
        self._sent.clear()
        self._line.clear()
        for answer in waiting:
            _give(answer, self._end)
        self._on_end(self, has_failed and bool(waiting))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_MOST_AT_ONCE_BYTES)
        if self._end is not None:
            # Given up while it was being opened.
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(str(exc) if exc else "the server closed the connection", has_failed=True)
        if not self.lost.done():
            self.lost.set_result(None)

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        if self._line:
            self._flush()

    def data_received(self, data: bytes) -> None:
        if self._end is not None:
            return
        sent, gets = self._sent, self._reader.gets
        try:
            self._reader.feed(data)
            while (reply := gets()) is not _INCOMPLETE:
                if not sent:
                    self.end(f"the server said unasked: {reply!r}", has_failed=True)
                    return
                self._unanswered -= 1
                answer, replies, _ = sent[0]
                if not replies:
                    sent.popleft()
                    _give(answer, reply)
                    continue
                self._replies.append(reply)
                if len(self._replies) == replies:
                    sent.popleft()
                    gathered, self._replies = self._replies, []
                    _give(answer, gathered)
        except hiredis.HiredisError as error:
            self.end(f"the server's answer is not understood: {error}", has_failed=True)
            return
        if self._line and not self._is_flush_due:
            self._flush()

    def _flush(self) -> None:
        self._is_flush_due = False
        if self._end is not None or self._transport is None:
            return
        line, sent = self._line, self._sent
        now = self.loop.time()
        while line and not self._is_paused and self._unanswered < MOST_UNANSWERED:
            parts: list[bytes] = []
            size = 0
            while line and size < _MOST_AT_ONCE_BYTES and self._unanswered < MOST_UNANSWERED:
                answer, replies, packed, _ = line.popleft()
                size += len(packed)
                self._line_bytes -= len(packed)
                if answer.done():
                    # Whoever asked has gone away: nothing needs to be done any more.
                    continue
                parts.append(packed)
                sent.append((answer, replies, now))
                self._unanswered += replies or 1
            if parts:
                self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))
        if self._timer is None and sent:
            self._wind_timer()

    def _wind_timer(self) -> None:
        """To the moment at which the oldest one would be overdue."""
        oldest = min([queue[0][-1] for queue in (self._sent, self._line) if queue])
        self._timer = self.loop.call_at(oldest + self._timeout_seconds, self._look_at_the_oldest)

    def _look_at_the_oldest(self) -> None:
        self._timer = None
        suspects, self._suspects = self._suspects, None
        if not (self._sent or self._line):
            return
        overdue = self.loop.time() - self._timeout_seconds
        if suspects is None and min([queue[0][-1] for queue in (self._sent, self._line) if queue]) <= overdue:
            self._suspects = overdue
            self._timer = self.loop.call_later(_SECOND_LOOK_SECONDS, self._look_at_the_oldest)
            return
        if suspects is not None:
            if self._sent and self._sent[0][-1] <= suspects:
                self.end(f"no answer within {self._timeout_seconds} s", has_failed=True)
                return
            while self._line and self._line[0][-1] <= suspects:
                answer, _, packed, _ = self._line.popleft()
                self._line_bytes -= len(packed)
                _give(answer, Unanswered(f"too many wait for Redis: not asked within {self._timeout_seconds} s"))
        if self._sent or self._line:
            self._wind_timer()


def _give(answer: asyncio.Future[Any], reply: Any) -> None:
    if not answer.done():
        answer.set_result(reply)
