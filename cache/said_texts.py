"""What accounts have published within the last hour, by the digests of the texts. Lost, everything may be said anew."""

from __future__ import annotations

from datetime import timedelta

from cache import keys
from cache.client import RedisClient
from cache.scripts import source

_TEXTS_KEPT = 1_000
"""Different texts of an account within the window: more than its budgets let it publish."""


class SaidTexts:
    """The texts of all accounts. Methods raise CacheUnavailableError where Redis does not answer in time."""

    def __init__(self, client: RedisClient) -> None:
        self._note = client.hot_script(source("note_text"))
        self._forget = client.hot_script(source("forget_text"))

    async def note(self, author_id: int, *, digest: str, attempt: str, limit: int, window: timedelta) -> bool:
        """Counts a text; False, uncounted, where its author has published it `limit` times within the window.

        `digest` is of the text; `attempt` of what makes two requests the same one, empty where they are always two. Letters and
        digits.
        """
        arguments: list[str | int | bytes] = [digest, attempt, limit, int(window.total_seconds()), _TEXTS_KEPT]
        return bool(await self._note(keys=[keys.said_texts(author_id)], args=arguments))

    async def forget(self, author_id: int, *, digest: str, attempt: str) -> None:
        """Takes back what was counted last under this attempt."""
        await self._forget(keys=[keys.said_texts(author_id)], args=[digest, attempt])
