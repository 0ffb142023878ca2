"""Nobody says the same thing over and over."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import timedelta

from cache.said_texts import SaidTexts
from domain.errors import CacheUnavailableError
from services.protection.publication import Publication

MAX_REPETITIONS = 5
WINDOW = timedelta(hours=1)


class DuplicateText:
    """Refuses a text that its author has published MAX_REPETITIONS times within WINDOW, as posts, quotes or comments.

    Case, width, spaces and invisible characters make no difference. Without Redis nothing is refused: repetition is a nuisance,
    not a danger, and budgets still hold.
    """

    name = "duplicate_text"

    def __init__(self, said: SaidTexts) -> None:
        self._said = said

    async def find_fault(self, publication: Publication) -> str | None:
        key = publication.idempotency_key
        try:
            is_admitted = await self._said.note(
                publication.author_id,
                digest=_digest(normalise(publication.body)),
                attempt=_digest(f"{publication.kind}:{key}") if key is not None else "",
                limit=MAX_REPETITIONS,
                window=WINDOW,
            )
        except CacheUnavailableError:
            return None
        return None if is_admitted else f"the same text at most {MAX_REPETITIONS} times an hour"


def normalise(body: str) -> str:
    """What two texts have in common that read the same: NFKC, case folded, without what cannot be seen, spaces as one."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", body).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) not in {"Cf", "Cc"} or c.isspace()).split())


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
