"""People by name at a running server, and what a mutation says to them."""

from __future__ import annotations

from typing import Any

import asyncpg

from domain.ids import from_global_id, to_global_id
from tests.app.web.running_server import RunningServer, token_for

UNKNOWN_ID = to_global_id("User", 4_611_686_018_427_387_904)


async def account(web: RunningServer, name: str) -> str:
    """The global id of the account, which is made where there is none."""
    found: str = (await web.data("{ viewer { id } }", token_for(name)))["viewer"]["id"]
    return found


async def mutate(web: RunningServer, viewer: str, mutation: str, selection: str = "", /, **fields: Any) -> Any:
    """The payload of one mutation whose input has these fields."""
    type_name = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {type_name}!) {{ {mutation}(input: $input) {{ {selection} {ERRORS} }} }}"
    return (await web.data(query, token_for(viewer), input=fields))[mutation]


async def done(web: RunningServer, viewer: str, mutation: str, selection: str = "", /, **fields: Any) -> Any:
    """The same, of one that is not refused."""
    payload = await mutate(web, viewer, mutation, selection, **fields)
    assert payload.pop("userErrors") == []
    return payload


async def refused(web: RunningServer, viewer: str, mutation: str, /, **fields: Any) -> tuple[str, list[str] | None]:
    """Code and field of the one refusal."""
    (only,) = (await mutate(web, viewer, mutation, **fields))["userErrors"]
    return only["code"], only["field"]


async def execute(web: RunningServer, statement: str, *values: object) -> None:
    """Past the server, into its database."""
    connection = await asyncpg.connect(web.settings.database_url.get_secret_value(), timeout=10)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close(timeout=10)


def number_of(global_id: str) -> int:
    parts = from_global_id(global_id)
    assert parts is not None
    return parts[1]


ERRORS = "userErrors { code field message }"
