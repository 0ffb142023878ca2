"""Who is measured: one process each, by the same requests, on the same data."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from app.authentication.development_token import mint_development_token
from bench.feed.world import external_id_of
from bench.peers.reading import VIEWER_HEADER
from bench.peers.ruled_endpoint import PATH as RULED_PATH
from settings import DEVELOPMENT_JWT_SECRET

PAGE_SIZE = 20
QUERY = (
    "query($n:Int,$after:String){feed(first:$n,after:$after){edges{cursor node{id text createdAt likeCount commentCount "
    "viewerHasLiked author{id username displayName avatarUrl}}} pageInfo{hasNextPage endCursor}}}"
)
_TOKEN_LIFE = timedelta(hours=6)


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
    read_page: Callable[[dict[str, object]], object] = lambda answer: answer["data"]["feed"]  # type: ignore[index]

    def request(self, viewer_id: int, after: str | None = None) -> bytes:
        """A whole HTTP request for a page of that viewer's feed."""
        body = json.dumps({"query": self.query, "variables": {"n": PAGE_SIZE, "after": after}}).encode()
        who = f"Authorization: Bearer {_token(viewer_id)}" if self.has_token else f"{VIEWER_HEADER}: {viewer_id}"
        lines = [f"POST {self.path} HTTP/1.1", "Host: bench", "Accept: application/json", "Content-Type: application/json", who]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _token(viewer_id: int) -> str:
    subject = external_id_of(viewer_id)
    return mint_development_token(DEVELOPMENT_JWT_SECRET, subject, username=subject, ttl=_TOKEN_LIFE)


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments, "--port", "{port}")


_TIDINGS_ENVIRONMENT = {"TIDINGS_LIMITS": "off", "TIDINGS_LOG_LEVEL": "warning"}

TIDINGS = Variant(
    "tidings",
    "**Tidings**: all rules on, limits on use off",
    _python("app.cli", "serve"),
    has_token=True,
    keeps_pages=True,
    environment=_TIDINGS_ENVIRONMENT,
)
OWN_VARIANTS = (
    TIDINGS,
    Variant(
        "ruled",
        "hand-written endpoint with the same authentication, visibility and cursors",
        _python("bench.peers.ruled_endpoint"),
        path=RULED_PATH,
        has_token=True,
        keeps_pages=True,
        environment=_TIDINGS_ENVIRONMENT,
    ),
    Variant(
        "same-reads",
        "bare hand-written endpoint with the same reads, no rules",
        _python("bench.peers.same_reads_endpoint"),
        keeps_pages=True,
        environment=_TIDINGS_ENVIRONMENT,
    ),
    Variant(
        "fewest-reads",
        "bare hand-written endpoint with the fewest reads, no rules",
        _python("bench.peers.fewest_reads_endpoint"),
        keeps_pages=True,
    ),
    Variant("static", "static bytes on bare ASGI", _python("bench.peers.static_answer"), has_pages=False),
    Variant(
        "strawberry",
        "plain Strawberry: async field resolvers, aiodataloader, redis-py, asyncpg",
        _python("bench.peers.strawberry_loaders"),
    ),
    Variant(
        "strawberry-caches",
        "… with parser and validation caches",
        _python("bench.peers.strawberry_loaders", "--document-caches"),
    ),
)
