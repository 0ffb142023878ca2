"""Whether what somebody writes may be published, by the rules of this deployment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.text import find_entities
from services.backends import Backends
from services.posts.text_entities import mentioned_names
from services.protection.check_publication import Publication, PublicationKind, check_publication, forget_publication


@asynccontextmanager
async def admitted_words(
    backends: Backends, kind: PublicationKind, *, author_id: int, body: str | None, idempotency_key: str | None = None
) -> AsyncIterator[None]:
    """Around the transaction that publishes, after the form of the text was checked. Asks nobody where there are no words.

    `idempotency_key`: what makes two requests the same one. Raises RefusedError CONTENT_REJECTED, UnavailableError. What is not
    published in the end counts as no repetition.
    """
    if not body:
        yield
        return
    # Most texts mention nobody, and finding out costs more than the rules.
    mention_count = len(mentioned_names(find_entities(body))) if "@" in body else 0
    publication = Publication(kind, author_id, body, mention_count, idempotency_key)
    await check_publication(backends, publication)
    try:
        yield
    except Exception:
        await forget_publication(backends, publication)
        raise
