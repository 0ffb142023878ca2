"""`/livez` and `/readyz`: for whoever starts processes and sends them traffic."""

from __future__ import annotations

import asyncio

from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response as HttpResponse

from app.answers import json_answer
from app.web_state import WebState, web_state
from db.heartbeats import LATE_SECONDS, load_heartbeat_ages
from domain.errors import UnavailableError
from migrations.run import current_revision

_ROLES = ("relay", "worker")


async def livez(_request: Request) -> HttpResponse:
    """The process runs and its loop turns."""
    return json_answer({"status": "alive"})


async def readyz(request: Request) -> HttpResponse:
    """200, or 503 with `reasons` where requests should go elsewhere. `degraded` names what is missing without stopping us."""
    state = web_state(request)
    reasons, degraded = await asyncio.gather(_reasons(state), _degraded(state))
    if state.is_draining():
        reasons.append("draining")
    status = "unavailable" if reasons else "ready"
    return json_answer({"status": status, "reasons": reasons, "degraded": degraded}, status=503 if reasons else 200)


async def _reasons(state: WebState) -> list[str]:
    try:
        revision = await state.deadline.run(current_revision(state.backends.database))
    except UnavailableError:
        return ["database"]
    # Revisions are numbered. A database ahead of this code is that of the next release, which is made to suit this one too.
    return ["migrations"] if revision is None or revision < state.newest_revision else []


async def _degraded(state: WebState) -> list[str]:
    redis, roles = await asyncio.gather(_is_redis_away(state), _silent_roles(state))
    return [*(["redis"] if redis else []), *roles]


async def _is_redis_away(state: WebState) -> bool:
    try:
        return not await state.deadline.run(state.backends.redis.is_reachable())
    except UnavailableError:
        return True


async def _heartbeat_ages(state: WebState) -> dict[str, float]:
    async with state.backends.database.reading() as session:
        return await load_heartbeat_ages(session)


async def _silent_roles(state: WebState) -> list[str]:
    try:
        ages = await state.deadline.run(_heartbeat_ages(state))
    except (UnavailableError, DBAPIError):  # away, or not migrated yet: nobody knows
        return list(_ROLES)
    return [role for role in _ROLES if ages.get(role, LATE_SECONDS) >= LATE_SECONDS]
