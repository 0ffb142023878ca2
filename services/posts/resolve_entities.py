"""Finds mentions, hashtags and links in a text, and the accounts that are mentioned."""

from __future__ import annotations

from typing import Any

from db.database import ReadSession
from db.users import load_users_by_username
from domain.text import find_entities
from services.posts.text_entities import entity_rows, mentioned_names


async def resolve_entities(session: ReadSession, body: str) -> list[dict[str, Any]]:
    """The entities as they are stored with the post. One statement where somebody is mentioned, none otherwise."""
    spans = find_entities(body)
    names = mentioned_names(spans)
    users = await load_users_by_username(session, names) if names else {}
    return entity_rows(spans, {name: user.id for name, user in users.items()})
