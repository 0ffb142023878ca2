"""Hashtags by id and by name, and which of them the viewer follows. They are the same for everybody."""

from __future__ import annotations

from collections.abc import Iterable

from db.hashtags import load_followed_among, load_hashtags, load_hashtags_by_name
from domain.records import HashtagRecord
from services.backends import Backends
from services.hashtags.hashtag_name import to_hashtag_name


async def find_hashtag(backends: Backends, name: str) -> HashtagRecord | None:
    """The hashtag of a name in any spelling; None where nobody has ever used or followed it."""
    normalised = to_hashtag_name(name)
    return (await find_hashtags_by_name(backends, [normalised])).get(normalised) if normalised is not None else None


async def find_hashtags_by_name(backends: Backends, names: Iterable[str]) -> dict[str, HashtagRecord]:
    """Those that exist, by normalised name."""
    async with backends.database.at_once() as session:
        return await load_hashtags_by_name(session, names)


async def find_hashtags(backends: Backends, hashtag_ids: Iterable[int]) -> dict[int, HashtagRecord]:
    """Those that exist, by id."""
    async with backends.database.at_once() as session:
        return await load_hashtags(session, hashtag_ids)


async def find_followed(backends: Backends, hashtag_ids: Iterable[int], *, viewer_id: int) -> set[int]:
    """Which of the hashtags the viewer follows."""
    async with backends.database.at_once() as session:
        return await load_followed_among(session, viewer_id, hashtag_ids)
