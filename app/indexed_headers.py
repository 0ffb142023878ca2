"""Headers that are looked up several times a request: by name, instead of walking through all of them each time."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope


class IndexedHeaders(Headers):
    """The headers of a request. Names in a scope are in lower case, by ASGI."""

    def __init__(self, scope: Scope) -> None:
        self._list = scope["headers"]
        first: dict[bytes, bytes] = dict(self._list)
        self._repeated: dict[bytes, list[bytes]] = {}
        if len(first) < len(self._list):
            first.clear()
            for name, value in self._list:
                if name in first:
                    self._repeated.setdefault(name, [first[name]]).append(value)
                else:
                    first[name] = value
        self._first = first

    def text(self, name: bytes) -> str:
        """All values of that name as one list, in the order in which they came; empty where there are none. `name`: in lower
        case."""
        if self._repeated and name in self._repeated:
            return b",".join(self._repeated[name]).decode("latin-1")
        value = self._first.get(name)
        return value.decode("latin-1") if value is not None else ""

    def getlist(self, key: str) -> list[str]:
        name = key.lower().encode("latin-1")
        if name in self._repeated:
            return [value.decode("latin-1") for value in self._repeated[name]]
        value = self._first.get(name)
        return [value.decode("latin-1")] if value is not None else []

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower().encode("latin-1")].decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower().encode("latin-1") in self._first
