"""What is measured: a process that answers the feed query."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.authentication.development_token import mint_development_token
from bench.feed.world import external_id_of
from bench.peers.reading import VIEWER_HEADER
from settings import DEVELOPMENT_JWT_SECRET

PAGE_SIZE = 20
QUERY = (
    "query($n:Int,$after:String){feed(first:$n,after:$after){edges{cursor node{id text createdAt likeCount commentCount "
    "viewerHasLiked author{id username displayName avatarUrl}}} pageInfo{hasNextPage endCursor}}}"
)
_TOKEN_LIFE = timedelta(hours=6)


def _variables(viewer_id: int, after: str | None) -> dict[str, Any]:
    return {"n": PAGE_SIZE, "after": after}


def _read_page(answer: Any) -> Any:
    return answer["data"]["feed"]


@dataclass(frozen=True, slots=True)
class Variant:
    """`command`: of its process, with {port}. `environment`: beside the servers' addresses. `has_pages`: not static bytes.

    `keeps_pages`: keeps something in memory between requests, and so is asked for everybody's page once before it is measured.
    `has_token`: authenticates as Tidings does, otherwise it believes a header. `read_page`: its answer in Tidings' form.
    """

    name: str
    title: str
    command: tuple[str, ...]
    path: str = "/graphql"
    query: str = QUERY
    has_token: bool = False
    has_pages: bool = True
    keeps_pages: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    variables: Callable[[int, str | None], dict[str, Any]] = _variables
    read_page: Callable[[Any], Any] = _read_page

    def request(self, viewer_id: int, after: str | None = None) -> bytes:
        """A whole HTTP request for a page of that viewer's feed."""
        body = json.dumps({"query": self.query, "variables": self.variables(viewer_id, after)}).encode()
        who = f"Authorization: Bearer {_token(viewer_id)}" if self.has_token else f"{VIEWER_HEADER}: {viewer_id}"
        lines = [f"POST {self.path} HTTP/1.1", "Host: bench", "Accept: application/json", "Content-Type: application/json", who]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _token(viewer_id: int) -> str:
    subject = external_id_of(viewer_id)
    return mint_development_token(DEVELOPMENT_JWT_SECRET, subject, username=subject, ttl=_TOKEN_LIFE)
