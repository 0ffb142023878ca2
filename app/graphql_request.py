"""The four members of a GraphQL request, the same over HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.request_json import BadRequestError, is_unicode


@dataclass(frozen=True, slots=True)
class GraphqlRequest:
    """A request whose members have the right types; nothing else is known of it yet."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None

    @classmethod
    def read(cls, members: Mapping[str, Any]) -> GraphqlRequest:
        """Raises BadRequestError. Members that nobody knows are ignored, as the GraphQL-over-HTTP draft asks."""
        query, name = members.get("query"), members.get("operationName")
        variables, extensions = members.get("variables"), members.get("extensions")
        if not isinstance(query, str):
            raise BadRequestError("query must be a string")
        if not isinstance(name, str | None):
            raise BadRequestError("operationName must be a string or null")
        if not isinstance(variables, dict | None):
            raise BadRequestError("variables must be an object or null")
        if not isinstance(extensions, dict | None):
            raise BadRequestError("extensions must be an object or null")
        if not is_unicode(query) or not is_unicode(name or ""):
            raise BadRequestError("a lone surrogate is not text")
        # An empty name is what forms send for none.
        return cls(query, name or None, variables)
