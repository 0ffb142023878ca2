"""What `tidings dev` does with the servers once they run."""

from __future__ import annotations

from datetime import timedelta

from app.cli.servers import load_settings, pointing_to
from app.stack.urls import ServerUrls

DEMO_USERS = 500
DEMO_POSTS = 5_000
DEMO_SEED = 1
DEMO_USERNAME = "demo"
TOKEN_LIFE = timedelta(days=7)


async def migrate(database_url: str) -> None:
    """Brings the database to the newest schema."""
    from migrations.run import upgrade

    await upgrade(database_url)


async def seed_demo_world(urls: ServerUrls) -> None:
    """Gives an empty database a generated world; does nothing to any other."""
    from db.database import Database
    from db.totals import is_empty
    from services.demo.generate_world import generate_world

    database = Database(urls.database_url, pool_size=2, timeout_seconds=10)
    try:
        async with database.reading() as session:
            is_new = await is_empty(session)
    finally:
        await database.close()
    if is_new:
        await generate_world(
            urls.database_url,
            users=DEMO_USERS,
            posts=DEMO_POSTS,
            seed=DEMO_SEED,
            celebrity_threshold=load_settings().celebrity_threshold,
        )


async def development_token(urls: ServerUrls) -> tuple[str, str]:
    """The development user's name and a token for it."""
    from app.development_account import mint_token_for
    from db.database import Database

    settings = pointing_to(load_settings(), urls)
    if not settings.is_development or settings.hs256_secret is None:
        return "", ""
    database = Database(urls.database_url, pool_size=2, timeout_seconds=10)
    try:
        return DEMO_USERNAME, await mint_token_for(database, settings, DEMO_USERNAME, ttl=TOKEN_LIFE)
    finally:
        await database.close()
