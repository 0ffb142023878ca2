"""One log for everything: structlog and the standard library's loggers, to stderr, one line an entry, without secrets.

Messages of exceptions of drivers may quote what a user wrote or a server's address, so only their names and places are kept.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from settings import Settings

_MAX_TEXT = 2_000
_MAX_FRAMES = 12
_QUOTING_PACKAGES = ("sqlalchemy", "asyncpg", "redis", "pydantic", "pydantic_core", "httpx", "jwt", "builtins", "json")
"""Whose exceptions may carry values in their messages."""
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160), 0x2028, 0x2029)}


def configure_logs(settings: Settings) -> None:
    """Called once by each role's command."""
    level = getattr(logging, settings.log_level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_exception,
        _on_one_line,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Each request of the key server's client, each handshake, each step of a worker's start would be a line.
    for name in ("httpx", "httpcore", "uvicorn.error", "websockets", "dramatiq"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _describe_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replaces `exc_info` by `failure`: names and places, from the error to its first cause.

    Renderers would put an entry of the name `exception` on lines of its own.
    """
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event["failure"] = describe(error)
    return event


def describe(error: BaseException) -> str:
    """An exception and its causes in one line."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        parts.append(f"{_name(current)} at {_places(current.__traceback__)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return " caused by ".join(parts)


def _name(error: BaseException) -> str:
    kind = type(error)
    package = kind.__module__.partition(".")[0]
    if package in _QUOTING_PACKAGES:
        sqlstate = getattr(error, "sqlstate", None)
        return f"{kind.__name__}[{sqlstate}]" if sqlstate else kind.__name__
    return f"{kind.__name__}: {str(error)[:200]}"


def _places(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-_MAX_FRAMES:]
    return " > ".join(f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno}" for frame in frames) or "?"


def _on_one_line(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Escapes control characters, so that nobody can write a line of the log or move a terminal's cursor."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = value[:_MAX_TEXT].translate(_CONTROL)
    return event
