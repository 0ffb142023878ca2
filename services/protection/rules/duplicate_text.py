"""Nobody says the same thing over and over."""

from __future__ import annotations

import contextlib
import hashlib
import unicodedata
from datetime import timedelta

from cache.said_texts import SaidTexts
from domain.errors import CacheUnavailableError
from services.protection.publication import Publication, PublicationKind

MAX_REPETITIONS = 10
SHORT_COMMENT = 20
"""Code points: what people say under one post after the other (\"Thanks!\") is no repetition."""
WINDOW = timedelta(hours=1)


class DuplicateText:
    """Refuses a text that its author has published MAX_REPETITIONS times within WINDOW, as posts, quotes or comments.

    Case, width, spaces and invisible characters make no difference; short comments do not count. Without Redis nothing is
    refused: repetition is a nuisance, not a danger, and budgets still hold.
    """

    name = "duplicate_text"

    def __init__(self, said: SaidTexts) -> None:
        self._said = said

    async def find_fault(self, publication: Publication) -> str | None:
        if _is_short_comment(publication):
            return None
        try:
            is_admitted = await self._said.note(
                publication.author_id,
                digest=_digest(normalise(publication.body)),
                attempt=_attempt(publication),
                limit=MAX_REPETITIONS,
                window=WINDOW,
            )
        except CacheUnavailableError:
            return None
        return None if is_admitted else f"the same text at most {MAX_REPETITIONS} times an hour"

    async def forget(self, publication: Publication) -> None:
        """So a server that was away for a moment makes no repetition of what its author tried again."""
        if not _is_short_comment(publication):
            with contextlib.suppress(CacheUnavailableError):
                await self._said.forget(
                    publication.author_id, digest=_digest(normalise(publication.body)), attempt=_attempt(publication)
                )


def _is_short_comment(publication: Publication) -> bool:
    return publication.kind is PublicationKind.COMMENT and len(publication.body) < SHORT_COMMENT


def _attempt(publication: Publication) -> str:
    key = publication.idempotency_key
    return _digest(f"{publication.kind}:{key}") if key is not None else ""


def normalise(body: str) -> str:
    """What two texts have in common that read the same: NFKC, case folded, without what cannot be seen, spaces as one."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", body).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) not in {"Cf", "Cc"} or c.isspace()).split())


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
