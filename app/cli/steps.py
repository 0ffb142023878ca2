"""What `tidings dev` does with the servers once they run."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from app.cli.servers import load_settings
from app.stack.urls import ServerUrls

DEMO_USERS = 500
DEMO_POSTS = 5_000
DEMO_SEED = 1
DEMO_USERNAME = "demo"
TOKEN_LIFE = timedelta(days=7)
_TIMEOUT_SECONDS = 10.0


async def migrate(database_url: str) -> None:
    """Brings the database to the newest schema."""
    from migrations.run import is_current, upgrade

    # Most starts have nothing to do, and then nothing heavy is imported.
    if not await is_current(database_url):
        await upgrade(database_url)


async def seed_demo_world(urls: ServerUrls) -> None:
    """Gives an empty database a generated world; does nothing to any other."""
    connection = await asyncpg.connect(urls.database_url, timeout=_TIMEOUT_SECONDS)
    try:
        is_new = not await connection.fetchval("SELECT EXISTS (SELECT FROM users)", timeout=_TIMEOUT_SECONDS)
    finally:
        await connection.close(timeout=_TIMEOUT_SECONDS)
    if is_new:
        from services.demo.generate_world import generate_world

        await generate_world(
            urls.database_url,
            users=DEMO_USERS,
            posts=DEMO_POSTS,
            seed=DEMO_SEED,
            celebrity_threshold=load_settings().celebrity_threshold,
        )


async def development_token(urls: ServerUrls) -> tuple[str, str]:
    """The development user's name and a token for it."""
    settings = load_settings()
    if not settings.is_development or settings.hs256_secret is None:
        return "", ""
    connection = await asyncpg.connect(urls.database_url, timeout=_TIMEOUT_SECONDS)
    try:
        external_id = await connection.fetchval(
            "SELECT external_id FROM users WHERE lower(username) = $1", DEMO_USERNAME, timeout=_TIMEOUT_SECONDS
        )
    finally:
        await connection.close(timeout=_TIMEOUT_SECONDS)
    if external_id is not None:
        from app.development_account import mint_token

        return DEMO_USERNAME, mint_token(settings, external_id, DEMO_USERNAME, ttl=TOKEN_LIFE)
    from app.development_account import mint_token_for
    from db.database import Database

    database = Database(urls.database_url, pool_size=2, timeout_seconds=_TIMEOUT_SECONDS)
    try:
        return DEMO_USERNAME, await mint_token_for(database, settings, DEMO_USERNAME, ttl=TOKEN_LIFE)
    finally:
        await database.close()
