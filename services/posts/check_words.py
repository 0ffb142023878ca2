"""Whether what somebody writes may be published, by the rules of this deployment."""

from __future__ import annotations

from domain.text import find_entities
from services.backends import Backends
from services.posts.text_entities import mentioned_names
from services.protection.check_publication import Publication, PublicationKind, check_publication


async def check_words(
    backends: Backends, kind: PublicationKind, *, author_id: int, body: str, idempotency_key: str | None = None
) -> None:
    """Call it after the form of the text was checked, before the transaction.

    `idempotency_key`: what makes two requests the same one. Raises RefusedError CONTENT_REJECTED, UnavailableError.
    """
    # Most texts mention nobody, and finding out costs more than the rules.
    mention_count = len(mentioned_names(find_entities(body))) if "@" in body else 0
    await check_publication(backends, Publication(kind, author_id, body, mention_count, idempotency_key))
