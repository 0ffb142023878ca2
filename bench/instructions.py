"""How much Python is executed: instructions of the interpreter, which are the same on a busy machine as on an idle one.

Counted are all of this thread's while the block lasts, tasks and callbacks of the loop included; what C does is not.
Monitoring (PEP 669) from Python 3.12 on, tracing by opcode before.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

_TOOL = 4
"""Of the six that may monitor; the lower ones are spoken for (PEP 669)."""


class Instructions:
    """`by_file`: how many so far, by the file that their code stands in."""

    def __init__(self) -> None:
        self.by_file: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return self.by_file.total()


@contextmanager
def counted_instructions() -> Iterator[Instructions]:
    """Counts what is executed within. Debuggers and coverage must be off. Raises ValueError where somebody else monitors."""
    with _monitored() if sys.version_info >= (3, 12) else _traced() as found:
        yield found


@contextmanager
def _monitored() -> Iterator[Instructions]:
    found = Instructions()
    by_file = found.by_file
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]

    def note(code: CodeType, _offset: int) -> None:
        by_file[code.co_filename] += 1

    monitoring.use_tool_id(_TOOL, "instructions")
    try:
        monitoring.register_callback(_TOOL, monitoring.events.INSTRUCTION, note)
        monitoring.set_events(_TOOL, monitoring.events.INSTRUCTION)
        yield found
    finally:
        monitoring.set_events(_TOOL, 0)
        monitoring.register_callback(_TOOL, monitoring.events.INSTRUCTION, None)
        monitoring.free_tool_id(_TOOL)


@contextmanager
def _traced() -> Iterator[Instructions]:
    found = Instructions()
    by_file = found.by_file

    def begin(frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return note

    def note(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "opcode":
            by_file[frame.f_code.co_filename] += 1
        return note

    former = sys.gettrace()
    sys.settrace(begin)
    try:
        yield found
    finally:
        sys.settrace(former)
