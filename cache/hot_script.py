"""A Lua script asked over a hot connection, by its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

Part = str | bytes | int | float
"""Of a command."""


class HotScript:
    """One script. `call` asks: `RedisClient.call`, which knows what to do where the server does not have it yet."""

    def __init__(self, call: Callable[..., Awaitable[Any]], source: str) -> None:
        self._call = call
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, *, keys: Sequence[Part] = (), args: Sequence[Part] = ()) -> Any:
        """The script's answer. Raises CacheUnavailableError."""
        return await self._call("EVALSHA", self.digest, len(keys), *keys, *args)

    def command(self, keys: Sequence[Part], args: Sequence[Part]) -> tuple[Part, ...]:
        """The same, to be asked together with others by `call_many`."""
        return ("EVALSHA", self.digest, len(keys), *keys, *args)
