"""Facts that nobody remembers, for many requests in one statement each. All methods raise UnavailableError."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from db.database import Database, ReadSession
from db.facts_of_many import (
    Asked,
    OwnPost,
    Pair,
    load_followed_hashtags_of_many,
    load_own_posts_of_many,
    load_plain_shares,
    load_relations_of_many,
    load_tagged_ids_of_many,
)
from db.feed_facts import load_day_ranks
from domain.records import Relation
from services.memory.gathered_reads import GatheredReads

K = TypeVar("K")
V = TypeVar("V")


class GatheredFacts:
    """What the rule asks of pages that are not made of posts by followed authors alone, at a moment after the question."""

    def __init__(self, database: Database) -> None:
        def gathered(load: Callable[[ReadSession, Sequence[K]], Awaitable[Mapping[K, V]]]) -> GatheredReads[K, V]:
            async def read(keys: list[K]) -> Mapping[K, V]:
                async with database.at_once() as session:
                    return await load(session, keys)

            return GatheredReads(read)

        self._relations: GatheredReads[Pair, Relation] = gathered(load_relations_of_many)
        self._hashtags: GatheredReads[Pair, tuple[int, ...]] = gathered(load_followed_hashtags_of_many)
        self._shares: GatheredReads[int, list[Pair]] = gathered(load_plain_shares)
        self._day_ranks: GatheredReads[int, int] = gathered(load_day_ranks)
        self._tagged: GatheredReads[Asked, list[int]] = gathered(load_tagged_ids_of_many)
        self._own_posts: GatheredReads[Pair, OwnPost] = gathered(load_own_posts_of_many)

    async def relations(self, viewer_id: int, user_ids: Iterable[int]) -> dict[int, Relation]:
        """How the viewer stands to the accounts, by account; those that do not exist are missing."""
        return await _of_viewer(self._relations, viewer_id, user_ids)

    async def followed_hashtags(self, viewer_id: int, post_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
        """The hashtags of each post that the viewer follows; posts without any are missing."""
        return await _of_viewer(self._hashtags, viewer_id, post_ids)

    async def plain_shares(self, root_ids: Sequence[int]) -> Mapping[int, list[Pair]]:
        """Existing shares without words, (id, who shared it), by what they share; and perhaps those of other posts."""
        return await self._shares.ask(root_ids)

    async def day_ranks(self, post_ids: Sequence[int]) -> dict[int, int]:
        """How many posts and shares, deleted ones too, the author made earlier on the same UTC day."""
        found = await self._day_ranks.ask(post_ids)
        return {post_id: found[post_id] for post_id in post_ids if post_id in found}

    async def tagged_ids(self, viewer_id: int, *, below: int, size: int) -> Sequence[int]:
        """The newest posts with hashtags that the viewer follows, below an id, newest first, at most `size`."""
        asked = (viewer_id, below, size)
        return (await self._tagged.ask([asked]))[asked]

    async def own_post(self, viewer_id: int, post_id: int) -> OwnPost | None:
        """A post of the viewer's own; None where it is none."""
        asked = (viewer_id, post_id)
        return (await self._own_posts.ask([asked])).get(asked)

    async def close(self) -> None:
        for reads in (self._relations, self._hashtags, self._shares, self._day_ranks, self._tagged, self._own_posts):
            await reads.close()


async def _of_viewer(reads: GatheredReads[Pair, V], viewer_id: int, keys: Iterable[int]) -> dict[int, V]:
    asked = list(keys)
    found = await reads.ask([(viewer_id, key) for key in asked])
    return {key: found[viewer_id, key] for key in asked if (viewer_id, key) in found}
