"""Before anything is measured: do all of them give the same pages?"""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from random import Random
from typing import Any

from app.stack.ports import LOOPBACK
from bench.feed.running import RunningVariant

_TIMEOUT_SECONDS = 30.0
_SEED = 7


class DifferentPagesError(Exception):
    """Two variants disagree; the message shows where."""


def check_same_pages(running: Sequence[RunningVariant], users: int, *, count: int) -> int:
    """Two pages each of `count` random viewers, compared with those of the first variant. How many entries were compared.

    Compared are ids, texts, instants, counts, likes, authors and whether there is more, in order; cursors are everybody's own.
    Raises DifferentPagesError.
    """
    viewers = [Random(_SEED).randrange(1, users + 1) for _ in range(count)]
    expected: list[Any] = []
    for one in running:
        if not one.variant.has_pages:
            continue
        pages = [page for viewer in viewers for page in _two_pages(one, viewer)]
        if not expected:
            expected = pages
        for number, (ours, theirs) in enumerate(zip(expected, pages, strict=True)):
            if ours != theirs:
                where = f"{one.variant.name} gives viewer {viewers[number // 2]} another page {number % 2 + 1}"
                raise DifferentPagesError(f"{where}:\n{_first_difference(ours, theirs)}")
    return sum(len(page["entries"]) for page in expected)


def _two_pages(one: RunningVariant, viewer: int) -> list[Any]:
    first, cursor = _read(one, viewer, None)
    second, _ = _read(one, viewer, cursor) if cursor is not None else (None, None)
    return [first, second or {"entries": []}]


def _read(one: RunningVariant, viewer: int, after: str | None) -> tuple[Any, str | None]:
    head, _, body = one.variant.request(viewer, after).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    connection = http.client.HTTPConnection(LOOPBACK, one.port, timeout=_TIMEOUT_SECONDS)
    connection.request("POST", one.variant.path, body, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    if response.status != HTTPStatus.OK:
        shown = text.decode(errors="replace")[:2_000]
        raise DifferentPagesError(f"{one.variant.name} answers viewer {viewer} with {response.status}:\n{shown}")
    answer = json.loads(text)
    if "errors" in answer:
        raise DifferentPagesError(f"{one.variant.name} answers viewer {viewer} with errors:\n{json.dumps(answer)[:2_000]}")
    page: Any = one.variant.read_page(answer)
    entries = [_entry(edge["node"]) for edge in page["edges"]]
    info = page["pageInfo"]
    return {"entries": entries, "more": info["hasNextPage"]}, info["endCursor"]


def _entry(node: dict[str, Any]) -> dict[str, Any]:
    fields = ("id", "text", "likeCount", "commentCount", "viewerHasLiked")
    author = {name: node["author"][name] for name in ("id", "username", "displayName", "avatarUrl")}
    instant = datetime.fromisoformat(node["createdAt"])
    return {**{name: node[name] for name in fields}, "createdAt": instant.timestamp(), "author": author}


def _first_difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    for place, (one, other) in enumerate(zip(ours["entries"], theirs["entries"], strict=False)):
        if one != other:
            return f"entry {place + 1}:\n{json.dumps(one)}\n{json.dumps(other)}"
    lengths = [f"{len(page['entries'])} entries, more: {page.get('more')}" for page in (ours, theirs)]
    return " and ".join(lengths)
