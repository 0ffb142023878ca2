"""What commands do with the servers once they run."""

from __future__ import annotations

from app.stack.urls import ServerUrls


async def migrate(database_url: str) -> None:
    """Brings the database to the newest schema."""


async def seed_demo_world(urls: ServerUrls) -> None:
    """Gives an empty database a generated world; does nothing to any other."""


async def development_token(urls: ServerUrls) -> tuple[str, str]:
    """The development user's name and a token for it."""
    return "", ""
