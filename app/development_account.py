"""Tokens for people on a developer's machine."""

from __future__ import annotations

from datetime import timedelta

from app.authentication.development_token import mint_development_token
from db.database import Database
from db.users import load_users_by_username
from services.accounts.provision_account import provision_account
from settings import Settings


async def mint_token_for(database: Database, settings: Settings, username: str, *, ttl: timedelta) -> str:
    """A token for the account of that name; an unknown name gets an account whose `sub` it is.

    Raises ValueError where there is no development key.
    """
    if settings.hs256_secret is None:
        raise ValueError("there is no development key")
    async with database.reading() as session:
        user = (await load_users_by_username(session, [username])).get(username.lower())
    if user is None:
        user = await provision_account(
            database, external_id=username, preferred_username=username, name=username, avatar_url=None
        )
    return mint_development_token(
        settings.hs256_secret,
        user.external_id,
        username=user.username,
        ttl=ttl,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )
