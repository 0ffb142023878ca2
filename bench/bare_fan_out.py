"""What Valkey alone takes: batches of ZADD and trim by a script without marker, log and progress, packed beforehand."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import hiredis

from cache import keys
from cache.packing import pack
from cache.timelines import TRIM_SLACK, member_of, score_of

_SCRIPT = b"""
local member, score, most, cap = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], score, member)
  if redis.call('ZCARD', KEYS[i]) > most then
    redis.call('ZREMRANGEBYRANK', KEYS[i], cap + 1, -1)
  end
end
return #KEYS
"""
_UNDER_WAY = 4
"""Batches that wait in the server's own buffer: it is never without one."""


class BareFanOut:
    """One blocking socket. `cap`: entries that a trim leaves, beside the first element."""

    def __init__(self, url: str, *, cap: int, batch: int) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 6_379), timeout=10)
        self._reader = hiredis.Reader()
        self._cap = cap
        self._batch = batch
        assert self._ask(pack(("AUTH", unquote(parts.password or "")))) == b"OK"
        self._digest = self._ask(pack(("SCRIPT", "LOAD", _SCRIPT)))

    def deliver(self, viewer_ids: Sequence[int], post_id: int) -> float:
        """Seconds that it took."""
        arguments = (member_of(post_id), score_of(post_id), self._cap + TRIM_SLACK + 1, self._cap)
        commands: list[bytes] = []
        for start in range(0, len(viewer_ids), self._batch):
            names = [keys.timeline(viewer) for viewer in viewer_ids[start : start + self._batch]]
            commands.append(pack(("EVALSHA", self._digest, len(names), *names, *arguments)))
        began, answered = time.perf_counter(), 0
        for number, command in enumerate(commands):
            self._socket.sendall(command)
            if number >= _UNDER_WAY:
                answered += self._read()
        for _ in commands[-_UNDER_WAY:]:
            answered += self._read()
        took = time.perf_counter() - began
        assert answered == len(viewer_ids)
        return took

    def close(self) -> None:
        self._socket.close()

    def _ask(self, command: bytes) -> bytes:
        self._socket.sendall(command)
        reply: bytes = self._read()  # type: ignore[assignment]
        return reply

    def _read(self) -> int:
        while (reply := self._reader.gets()) is False:
            self._reader.feed(self._socket.recv(65_536))
        assert not isinstance(reply, Exception), reply
        return reply  # type: ignore[no-any-return]
