"""Tokens for people on a developer's machine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.authentication.development_token import mint_development_token
from settings import Settings

if TYPE_CHECKING:
    from db.database import Database


async def mint_token_for(database: Database, settings: Settings, username: str, *, ttl: timedelta) -> str:
    """A token for the account of that name; an unknown name gets an account whose `sub` it is.

    Raises ValueError where there is no development key.
    """
    from db.users import load_users_by_username
    from services.accounts.provision_account import provision_account

    async with database.reading() as session:
        user = (await load_users_by_username(session, [username])).get(username.lower())
    if user is None:
        user = await provision_account(
            database, external_id=username, preferred_username=username, name=username, avatar_url=None
        )
    return mint_token(settings, user.external_id, user.username, ttl=ttl)


def mint_token(settings: Settings, subject: str, username: str, *, ttl: timedelta) -> str:
    """A token for a known account. Raises ValueError where there is no development key."""
    if settings.hs256_secret is None:
        raise ValueError("there is no development key")
    return mint_development_token(
        settings.hs256_secret,
        subject,
        username=username,
        ttl=ttl,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )
