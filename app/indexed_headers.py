"""Headers that are looked up several times a request: by name, instead of walking through all of them each time."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope


class IndexedHeaders(Headers):
    """The headers of a request. Names in a scope are in lower case, by ASGI."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        values: dict[bytes, list[bytes]] = {}
        for name, value in self.raw:
            if name in values:
                values[name].append(value)
            else:
                values[name] = [value]
        self._values = values

    def getlist(self, key: str) -> list[str]:
        found = self._values.get(key.lower().encode("latin-1"))
        return [value.decode("latin-1") for value in found] if found is not None else []

    def __getitem__(self, key: str) -> str:
        return self._values[key.lower().encode("latin-1")][0].decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower().encode("latin-1") in self._values
