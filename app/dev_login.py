"""Signing in without a password, for development: `POST /dev/login` and the page of GraphiQL."""

from __future__ import annotations

import re
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response as HttpResponse

from app.answers import json_answer, refusal
from app.authentication.development_token import mint_development_token
from app.request_json import BadRequestError, check_is_json, parse_object, read_body
from app.web_state import WebState, web_state
from db.users import load_users_by_username
from domain.errors import UnavailableError
from schema.errors import UNAVAILABLE
from services.accounts.provision_account import provision_account

DEMO_USERNAME = "demo"
TOKEN_TTL = timedelta(hours=12)
_USERNAME = re.compile(r"[A-Za-z0-9_]{1,50}")


async def sign_in(state: WebState, username: str) -> str | None:
    """A token for the account of that name, which is made where there is none; None where tokens cannot be minted.

    Only for development. Raises UnavailableError.
    """
    settings = state.settings
    if not settings.is_development or settings.hs256_secret is None:
        return None
    database = state.backends.database
    async with database.reading() as session:
        account = (await load_users_by_username(session, [username])).get(username.lower())
    if account is None:
        account = await provision_account(
            database, external_id=username, preferred_username=username, name=None, avatar_url=None
        )
    return mint_development_token(
        settings.hs256_secret,
        account.external_id,
        username=account.username,
        ttl=TOKEN_TTL,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )


async def dev_login(request: Request) -> HttpResponse:
    """`POST /dev/login {"username"}` → `{"token"}`. Outside development there is no such path."""
    state = web_state(request)
    if not state.settings.is_development or state.settings.hs256_secret is None:
        return HttpResponse("Not Found", 404, media_type="text/plain")
    try:
        check_is_json(request)
        username = parse_object(await read_body(request)).get("username")
        if not isinstance(username, str) or not _USERNAME.fullmatch(username):
            raise BadRequestError("username must be 1 to 50 letters, digits or underscores")
        token = await state.deadline.run(sign_in(state, username))
    except BadRequestError as problem:
        return refusal(str(problem), status=problem.status)
    except UnavailableError as problem:
        return refusal(str(problem), UNAVAILABLE, status=503)
    return json_answer({"token": token})
