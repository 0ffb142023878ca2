"""A Lua script asked over a hot connection, by its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from cache.packing import Part, bulks


class PackedScript:
    """A question to a script as it goes over the wire."""

    __slots__ = ("digest", "packed")

    def __init__(self, digest: str, packed: bytes) -> None:
        self.digest = digest
        self.packed = packed

    def with_source(self, source: str) -> bytes:
        """The same for a server that does not have the script yet."""
        return self.packed.replace(bulks(("EVALSHA", self.digest)), bulks(("EVAL", source)), 1)


Command: TypeAlias = Sequence[Part] | PackedScript


class HotScript:
    """One script. `call` asks: `RedisClient.call`, which knows what to do where the server does not have it yet."""

    def __init__(self, call: Callable[..., Awaitable[Any]], source: str) -> None:
        self._call = call
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
        self._name = bulks(("EVALSHA", self.digest))

    async def __call__(self, *, keys: Sequence[Part] = (), args: Sequence[Part] = ()) -> Any:
        """The script's answer. Raises CacheUnavailableError."""
        return await self._call("EVALSHA", self.digest, len(keys), *keys, *args)

    def command(self, keys: Sequence[Part], args: Sequence[Part]) -> tuple[Part, ...]:
        """The same, to be asked together with others by `call_many`."""
        return ("EVALSHA", self.digest, len(keys), *keys, *args)

    def packed(self, keys: bytes, key_count: int, args: Sequence[Part], more: bytes = b"", more_count: int = 0) -> PackedScript:
        """The same for keys, and arguments after `args`, that are packed already (`bulks`): those that are asked for again and
        again need not be fetched from memory one by one."""
        count = 3 + key_count + len(args) + more_count
        head = b"*%d\r\n%b%b" % (count, self._name, bulks((key_count,)))
        return PackedScript(self.digest, b"".join((head, keys, bulks(args), more)))
