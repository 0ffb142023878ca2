"""One rendering of an event for all who receive it.

A post by somebody with a thousand connected followers is one event with a thousand receivers, who mostly run the same
operation. Where the operation asks for nothing that depends on the viewer, the answer differs in the two sealed cursors alone:
it is executed once, with marks in the cursors' places, and each receiver's own cursors are put in as text. Everything else is
executed for each.

Whether a viewer may see the event has been judged before, for each viewer; nothing here decides that.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from services.feeds.wire_events import Beat, ChangedPost, NewPost, RemovedPost, ResetFeed, WireEvent

# Unguessable, so that no text that somebody wrote can hold them; hexadecimal, so that JSON does not change them.
_EVENT_MARK = secrets.token_hex(16)
_EDGE_MARK = secrets.token_hex(16)
_MARKS = re.compile(f"({_EVENT_MARK}|{_EDGE_MARK})".encode())


class Template:
    """An answer as JSON with places for the receiver's cursors."""

    __slots__ = ("_marks", "_parts")

    def __init__(self, response: dict[str, Any]) -> None:
        pieces = _MARKS.split(orjson.dumps(response))
        self._parts = pieces[::2]
        self._marks = [mark == _EDGE_MARK.encode() for mark in pieces[1::2]]

    def fill(self, event_cursor: str, edge_cursor: Callable[[], str]) -> bytes:
        """The answer for one receiver. `edge_cursor` is only called where the operation asks for it."""
        parts = self._parts
        if len(parts) == 2 and not self._marks[0]:
            return b"".join((parts[0], event_cursor.encode(), parts[1]))
        filled = [parts[0]]
        for is_edge, part in zip(self._marks, parts[1:], strict=True):
            filled += (edge_cursor() if is_edge else event_cursor).encode(), part
        return b"".join(filled)


def with_marks(event: WireEvent) -> WireEvent:
    """The event as it is executed for all: marks where cursors go."""
    if isinstance(event, NewPost):
        return replace(event, cursor=_EVENT_MARK, edge=event.edge.with_cursor(_EDGE_MARK))
    return replace(event, cursor=_EVENT_MARK)


def likeness(event: WireEvent) -> object:
    """Equal for events of one batch whose answers differ in cursors alone."""
    if isinstance(event, NewPost | ChangedPost):
        return id(event.shared)
    if isinstance(event, RemovedPost):
        return ("removed", event.post_id)
    if isinstance(event, ResetFeed):
        return ("reset", event.reason)
    assert isinstance(event, Beat), "the only one left"
    return "beat"


class Beats:
    """Rendered heartbeats of the operations in use, at most `size`: they are needed when there is no time to render."""

    def __init__(self, size: int = 1_000) -> None:
        self._size = size
        self._known: OrderedDict[int, tuple[object, Template | None]] = OrderedDict()

    def find(self, operation: object) -> tuple[bool, Template | None]:
        """Whether it is known, and what it is."""
        known = self._known.get(id(operation))
        return (True, known[1]) if known is not None and known[0] is operation else (False, None)

    def keep(self, operation: object, template: Template | None) -> None:
        # The operation is kept beside the rendering: its address stands for it only as long as it lives.
        self._known[id(operation)] = (operation, template)
        while len(self._known) > self._size:
            self._known.popitem(last=False)
