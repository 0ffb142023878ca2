"""The peers on Node: installed when they are first wanted, left out where Node or the registry is not there."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg

from bench.feed.variant import PAGE_SIZE, Variant
from cache import keys
from domain.ids import MAX_ID, to_global_id

_FOLDER = Path(__file__).resolve().parent.parent / "peers" / "node"
_INSTALL_SECONDS = 600.0
_OLDEST_NODE = 20
_GRAFAST_QUERY = (
    "query($viewer:BigInt!,$below:BigInt!,$size:Int!,$n:Int!){feed(viewer:$viewer,below:$below,size:$size,first:$n){"
    "edges{cursor node{rowId text createdAt likeCount commentCount viewerHasLiked(viewer:$viewer) "
    "author{rowId username displayName avatarUrl}}} pageInfo{hasNextPage endCursor}}}"
)


def find_node_peers() -> list[Variant]:
    """All of them, or none, and a word why."""
    problem = _prepare()
    if problem:
        print(f"Node peers are left out: {problem}", file=sys.stderr)
        return []
    return [
        _node("mercurius-valkey", "Mercurius with JIT on the same Valkey, bodies in memory", keeps_pages=True),
        _node("mercurius-pull", "Mercurius with JIT, PostgreSQL by LATERAL"),
        _node("apollo-loaders", "Apollo Server with DataLoader, PostgreSQL by LATERAL"),
        _node("postgraphile", "PostGraphile 5 on a function with LATERAL", grafast=True),
    ]


async def make_grafast_schema(database_url: str) -> None:
    """The views and the function that PostGraphile is shown."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute((_FOLDER / "postgraphile.sql").read_text(encoding="utf-8"), timeout=30.0)
    finally:
        await connection.close()


def make_ready(variants: list[Variant], database_url: str) -> None:
    """What the database must have before they start."""
    if any(variant.name == "postgraphile" for variant in variants):
        asyncio.run(make_grafast_schema(database_url))


def _prepare() -> str:
    """Installs what is missing. Why there are no Node peers; empty where there are."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "node and npm are not there"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    if int(re.findall(r"\d+", version)[0]) < _OLDEST_NODE:
        return f"Node {version} is too old"
    if (_FOLDER / "node_modules" / ".package-lock.json").exists():
        return ""
    print("installing the Node peers", flush=True)
    try:
        subprocess.run([npm, "install"], cwd=_FOLDER, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        return "npm did not end in time"
    except subprocess.CalledProcessError as error:
        return f"npm failed: {error.stderr.strip()[-500:]}"
    return ""


def _node(name: str, title: str, *, keeps_pages: bool = False, grafast: bool = False) -> Variant:
    # Each listens at PORT of its environment.
    variant = Variant(
        name,
        title,
        ("node", f"{name.replace('-', '_')}.js"),
        keeps_pages=keeps_pages,
        environment={"NODE_ENV": "production", "GRAPHILE_ENV": "production", "TIMELINE_OF_0": keys.timeline(0)},
        folder=_FOLDER,
    )
    if not grafast:
        return variant
    return Variant(
        name,
        title,
        variant.command,
        query=_GRAFAST_QUERY,
        environment=variant.environment,
        folder=_FOLDER,
        variables=_grafast_variables,
        read_page=_read_grafast_page,
    )


def _grafast_variables(viewer_id: int, after: str | None) -> dict[str, Any]:
    return {"viewer": str(viewer_id), "below": after or str(MAX_ID), "size": PAGE_SIZE + 1, "n": PAGE_SIZE}


def _read_grafast_page(answer: Any) -> Any:
    """Its own ids are other ones; its cursors belong to its own way of paging, so the last number goes on."""
    feed = answer["data"]["feed"]
    edges = []
    for edge in feed["edges"]:
        node = edge["node"]
        author = {**node["author"], "id": to_global_id("User", int(node["author"]["rowId"]))}
        edges.append({"node": {**node, "id": to_global_id("Post", int(node["rowId"])), "author": author}})
    end = feed["edges"][-1]["node"]["rowId"] if edges else None
    return {"edges": edges, "pageInfo": {"hasNextPage": feed["pageInfo"]["hasNextPage"], "endCursor": end}}
