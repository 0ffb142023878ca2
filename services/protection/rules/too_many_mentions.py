"""Nobody calls half the town in one text."""

from __future__ import annotations

from services.protection.publication import Publication

MAX_MENTIONS = 50


class TooManyMentions:
    """Refuses more than MAX_MENTIONS different names in one text."""

    name = "too_many_mentions"

    async def find_fault(self, publication: Publication) -> str | None:
        if publication.mention_count <= MAX_MENTIONS:
            return None
        return f"a text mentions at most {MAX_MENTIONS} people"
