"""Entries of the log: one line each, and nothing of what users wrote."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy.exc import IntegrityError

from domain.errors import UnavailableError
from logs import configure_logs, describe
from settings import Settings


@pytest.fixture(autouse=True)
def logging_of_the_test_run() -> Iterator[None]:
    """Comes back after each test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "uvicorn.error", "websockets")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_every_entry_is_one_line(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure_logs(Settings.model_validate({"log_format": log_format}))
    structlog.get_logger("ours").warning("area.happened", text="one\ntwo\x1b[31m\u2028three")
    try:
        raise KeyError("what a user wrote")
    except KeyError:
        logging.getLogger("theirs").exception("failed\nforged: line")
    text = capsys.readouterr().err
    lines = text.splitlines()
    assert len(lines) == 2
    assert "area.happened" in lines[0]
    assert "KeyError" in lines[1]
    assert "test_logs.py" in lines[1]
    assert "what a user wrote" not in text
    assert "\x1b" not in text


def test_level_counts(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_level="warning"))
    structlog.get_logger("ours").info("area.happened")
    assert capsys.readouterr().err == ""


def test_drivers_are_named_and_not_quoted() -> None:
    cause = IntegrityError("INSERT secret statement", {"text": "secret"}, ValueError("secret value"))
    error = UnavailableError("the database did not answer in time")
    error.__cause__ = cause
    text = describe(error)
    assert text.startswith("UnavailableError: the database did not answer in time at ")
    assert "caused by IntegrityError" in text
    assert "secret" not in text
