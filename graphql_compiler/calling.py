"""Calls resolvers that have to be waited for."""

from __future__ import annotations

import asyncio
from typing import Any

from graphql_compiler.answers import Call
from graphql_compiler.info import make_info
from graphql_compiler.passing import passes_on
from graphql_compiler.run import Pending, Run
from graphql_compiler.shape import Position


@passes_on
async def same(task: asyncio.Future[Any]) -> Any:
    """What a future gives that somebody else waits for too."""
    return await asyncio.shield(task)


@passes_on
def called(run: Run, answer: Call, position: Position, pending: Pending) -> Any:
    """What the resolver returns: usually a coroutine."""
    _, _, parent, place = pending
    arguments: dict[str, Any] = {}
    if answer.arguments is not None:
        arguments.update(answer.arguments.of(run, position, place))
    for name in answer.root_names:
        arguments[name] = parent
    if answer.info_name is not None:
        arguments[answer.info_name] = make_info(run, position, place)
    return answer.function(parent, **arguments) if answer.takes_self else answer.function(**arguments)
