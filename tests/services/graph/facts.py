"""What the database says after a use case."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from db import users
from domain.errors import RefusalCode, RefusedError
from domain.moderation import ModerationChange
from domain.records import Relation
from services.moderation.moderate_account import moderate_account
from tests.world import World


async def query(world: World, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    async with world.backends.database.reading() as session:
        return [tuple(row) for row in await session.execute(text(statement), parameters)]


async def execute(world: World, statement: str, **parameters: Any) -> None:
    async with world.backends.database.writing() as session:
        await session.execute(text(statement), parameters)


async def relation(world: World, viewer: str, other: str) -> Relation:
    async with world.backends.database.reading() as session:
        return (await users.load_relations(session, world.ids[viewer], [world.ids[other]]))[world.ids[other]]


@dataclass(frozen=True)
class Versions:
    graph: int
    audience: int


async def versions(world: World, name: str) -> Versions:
    (row,) = await query(world, "SELECT graph_version, audience_version FROM users WHERE id = :id", id=world.ids[name])
    return Versions(*row)


async def counts(world: World, name: str) -> tuple[int, int]:
    """(followers, following)"""
    (row,) = await query(world, "SELECT follower_count, following_count FROM users WHERE id = :id", id=world.ids[name])
    return row[0], row[1]


async def kept_until(world: World, viewer: str, author: str) -> int | None:
    rows = await query(
        world,
        "SELECT until_id FROM kept_follows WHERE viewer_id = :viewer AND author_id = :author",
        viewer=world.ids[viewer],
        author=world.ids[author],
    )
    return rows[0][0] if rows else None


async def suspend(world: World, name: str) -> None:
    assert await moderate_account(world.backends, username=name, change=ModerationChange.SUSPEND)


async def restore(world: World, name: str) -> None:
    assert await moderate_account(world.backends, username=name, change=ModerationChange.RESTORE)


async def make_private(world: World, name: str) -> None:
    await execute(world, "UPDATE users SET is_private = true WHERE id = :id", id=world.ids[name])


async def refusal(work: Awaitable[object]) -> tuple[RefusalCode, tuple[str, ...] | None]:
    """Code and field of the one refusal that the work ends with."""
    with pytest.raises(RefusedError) as raised:
        await work
    (only,) = raised.value.refusals
    return only.code, only.field
