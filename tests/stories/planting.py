"""How a mistake is planted: into a statement or a script."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from cache.scripts import source
from tests.world import World

Patch = pytest.MonkeyPatch


def change_sql(patch: Patch, module: Any, name: str, old: str, new: str) -> None:
    statement = getattr(module, name)
    parts = statement if isinstance(statement, tuple) else (statement,)
    assert all(old in part.text for part in parts), f"{old!r} is no longer in {name}"
    changed = tuple(text(part.text.replace(old, new)) for part in parts)
    patch.setattr(module, name, changed if isinstance(statement, tuple) else changed[0])


def change_script(world: World, attribute: str, name: str | tuple[str, ...], old: str, new: str) -> None:
    script = source(*((name,) if isinstance(name, str) else name))
    assert old in script, f"{old!r} is no longer in {name}.lua"
    setattr(world.backends.timelines, attribute, world.backends.redis.hot_script(script.replace(old, new)))
