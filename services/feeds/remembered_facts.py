"""Facts for the judge of reasons from what the process remembers, confirmed at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from db.post_versions import KnownPost
from domain.feed_rule import is_source
from domain.records import NO_RELATION, PostFacts, Relation
from services.memory.known_viewers import SeenViewer
from services.memory.memory import Memory


class NotRememberedError(Exception):
    """Too much would have to be looked at: the other way asks from the other side."""


def relation_at(sources: Mapping[int, Relation], author_id: int, as_of: datetime) -> Relation | None:
    """The viewer's relation to a source at that moment; None for anybody else."""
    relation = sources.get(author_id)
    if relation is not None and relation.muted_until is not None and relation.muted_until <= as_of:
        return replace(relation, is_muting=False, muted_until=None)
    return relation


class RememberedFacts:
    """`ReasonFacts` of one page for one viewer; asks for each post and account once."""

    def __init__(self, memory: Memory, seen: SeenViewer, found: Mapping[int, KnownPost | None]) -> None:
        """`found`: posts that the page has asked for already."""
        self._memory = memory
        self._viewer_id = seen.look.viewer_id
        self._sources = seen.known.sources
        self._as_of = seen.look.moment.as_of
        self._found = dict(found)
        self._relations: dict[int, Relation] = {self._viewer_id: NO_RELATION}

    async def posts(self, post_ids: Sequence[int]) -> Mapping[int, PostFacts]:
        known = await self._find(post_ids)
        roots = {one.post.shared_post_id for one in known if one.post.is_plain_share and one.post.shared_post_id is not None}
        known_roots = {one.post.id: one for one in await self._find(roots)}
        await self._relate([*known, *known_roots.values()])
        facts: dict[int, PostFacts] = {}
        for one in known:
            about = known_roots.get(one.post.shared_post_id or 0) if one.post.is_plain_share else None
            root = self._facts(about) if about is not None else None
            facts[one.post.id] = PostFacts(one.post, one.author, self._relations[one.author.id], root)
        return facts

    async def sibling_shares(self, root_ids: Sequence[int], *, from_viewer: bool) -> Sequence[PostFacts]:
        if from_viewer:
            raise NotRememberedError
        shares = await self._memory.facts.plain_shares(root_ids)
        ids = [
            share_id
            for root_id in root_ids
            for share_id, author_id in shares.get(root_id, ())
            if (relation := self._sources.get(author_id)) is not None and is_source(relation, share_id)
        ]
        known = await self._find(ids)
        await self._relate(known)
        return [self._facts(one) for one in known]

    async def followed_hashtags(self, post_ids: Iterable[int]) -> Mapping[int, tuple[int, ...]]:
        return await self._memory.facts.followed_hashtags(self._viewer_id, post_ids)

    async def day_ranks(self, post_ids: Sequence[int]) -> Mapping[int, int]:
        return await self._memory.facts.day_ranks(post_ids)

    async def _find(self, post_ids: Iterable[int]) -> list[KnownPost]:
        wanted = list(post_ids)
        missing = [post_id for post_id in wanted if post_id not in self._found]
        if missing:
            asked = await self._memory.posts.find(missing)
            self._found.update((post_id, asked[post_id]) for post_id in missing)
        return [one for post_id in wanted if (one := self._found[post_id]) is not None]

    async def _relate(self, known: Iterable[KnownPost]) -> None:
        strangers: dict[int, None] = {}
        for one in known:
            author_id = one.author.id
            if author_id not in self._relations:
                relation = relation_at(self._sources, author_id, self._as_of)
                if relation is not None:
                    self._relations[author_id] = relation
                else:
                    strangers[author_id] = None
        if strangers:
            found = await self._memory.facts.relations(self._viewer_id, strangers)
            self._relations |= dict.fromkeys(strangers, NO_RELATION) | found

    def _facts(self, known: KnownPost) -> PostFacts:
        return known.facts_for(self._relations[known.author.id])
