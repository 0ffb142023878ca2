"""The environment as a file: `.env.example`, written from the settings so that the two cannot disagree."""

from __future__ import annotations

import inspect
import re
import textwrap
from datetime import timedelta
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from settings import Settings

_WIDTH = 100
_HEADING = re.compile(r"\s*# -{3,} (.+)")
_FIELD = re.compile(r"\s*([a-z][a-z0-9_]*): ")
_INTRODUCTION = """\
Every setting of Tidings, with its default; an empty value means what its comment says.
Written by `tidings config show --example > .env.example`; a test compares it with settings.py."""


def render_env_example() -> str:
    """The text of `.env.example`: every field of Settings with its description and default, in the order of the source.

    Durations are in seconds, lists are separated by commas. A shell and `docker run --env-file` both read it.
    """
    headings = _headings()
    blocks = [_comment(_INTRODUCTION)]
    for name, field in Settings.model_fields.items():
        heading = f"{f'# ---- {headings[name]} '.ljust(_WIDTH, '-')}\n\n" if name in headings else ""
        blocks.append(f"{heading}{_comment(_describe(field))}{_variable(name)}={_text(field.default)}\n")
    return "\n".join(blocks)


def _variable(name: str) -> str:
    return f"{Settings.model_config.get('env_prefix', '')}{name}".upper()


def _headings() -> dict[str, str]:
    """The comment lines that divide the source of Settings, by the first field after each; pydantic drops them."""
    headings: dict[str, str] = {}
    pending = None
    for line in inspect.getsource(Settings).splitlines():
        if heading := _HEADING.match(line):
            pending = heading.group(1)
        elif pending and (field := _FIELD.match(line)) and field.group(1) in Settings.model_fields:
            headings[field.group(1)] = pending
            pending = None
    return headings


def _describe(field: FieldInfo) -> str:
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return "; ".join(part for part in (" | ".join(map(str, choices)), field.description) if part)


def _comment(text: str) -> str:
    lines = [line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph, _WIDTH)]
    return "".join(f"# {line}\n" for line in lines)


def _text(value: Any) -> str:
    """A default as it is written in the environment, so that reading it gives the default again."""
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case timedelta():
            seconds = value.total_seconds()
            return str(int(seconds) if seconds.is_integer() else seconds)
        case tuple():
            return ",".join(value)
    return str(value)
