"""Tidings and those whom it is compared with: by the same requests, on the same data."""

from __future__ import annotations

import sys

from bench.feed.node_peers import find_node_peers
from bench.feed.python_peers import find_ariadne
from bench.feed.variant import Variant
from bench.peers.ruled_endpoint import PATH as RULED_PATH


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
        "Strawberry with parser and validation caches",
        _python("bench.peers.strawberry_loaders", "--document-caches"),
    ),
)


def all_variants() -> list[Variant]:
    """Tidings first; peers only as far as what they need is installed, or can be (what is missing is told)."""
    return [*OWN_VARIANTS, *find_ariadne(), *find_node_peers()]
