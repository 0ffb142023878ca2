"""Where the judge of reasons has its facts from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from db.database import ReadSession
from db.feed_facts import load_day_ranks, load_followed_hashtags, load_sibling_shares
from db.posts import load_posts
from domain.records import PostFacts


class ReasonFacts(Protocol):
    """Facts of now for one viewer. Methods raise UnavailableError."""

    async def posts(self, post_ids: Sequence[int]) -> Mapping[int, PostFacts]:
        """Those that exist, with their authors, the viewer's relation to them, and what shares without words are about."""

    async def sibling_shares(self, root_ids: Sequence[int], *, from_viewer: bool) -> Sequence[PostFacts]:
        """As `db.feed_facts.load_sibling_shares` says."""

    async def followed_hashtags(self, post_ids: Iterable[int]) -> Mapping[int, tuple[int, ...]]:
        """The hashtags of each post that the viewer follows; posts without any are missing."""

    async def day_ranks(self, post_ids: Sequence[int]) -> Mapping[int, int]:
        """How many posts and shares the author made earlier on the same UTC day."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """From PostgreSQL, each question a statement of one session."""

    session: ReadSession
    viewer_id: int

    async def posts(self, post_ids: Sequence[int]) -> Mapping[int, PostFacts]:
        return await load_posts(self.session, post_ids, viewer_id=self.viewer_id) if post_ids else {}

    async def sibling_shares(self, root_ids: Sequence[int], *, from_viewer: bool) -> Sequence[PostFacts]:
        return await load_sibling_shares(self.session, root_ids, viewer_id=self.viewer_id, from_viewer=from_viewer)

    async def followed_hashtags(self, post_ids: Iterable[int]) -> Mapping[int, tuple[int, ...]]:
        return await load_followed_hashtags(self.session, post_ids, viewer_id=self.viewer_id)

    async def day_ranks(self, post_ids: Sequence[int]) -> Mapping[int, int]:
        return await load_day_ranks(self.session, post_ids)
