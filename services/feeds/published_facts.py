"""What one batch of publications is judged by, for all watchers at once.

Thousands of sockets wait for the same few posts. What the visibility rule needs is loaded for all of them together, and when it
has become too old to be acted on (a slow reader, a busy process) it is loaded again once, by whoever notices first: if every
watcher asked for itself, being late would make everybody later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from db.audiences import load_audiences
from db.database import Database, ReadSession
from db.follows import load_followers_among
from db.posts import load_posts_for_many
from domain.audience import AudienceRule
from domain.cursors import CursorSealer
from domain.feed import FeedEntry
from domain.records import PostRecord, Relation, UserRecord
from services.feeds.feed_entry import entry_for, foretell_delivery

JUDGED_SECONDS = 0.5
"""Age at which facts are too old to judge by: live events promise to hide within a second what is hidden."""


class PublishedFacts:
    """Posts, their authors, and which of the watching viewers follow whom. `load` or `refresh` come before anything else."""

    def __init__(self, post_ids: Iterable[int], viewer_ids: Iterable[int], *, rule: AudienceRule) -> None:
        self._rule = rule
        self._post_ids = set(post_ids)
        self._viewer_ids = list(viewer_ids)
        self._posts: dict[int, tuple[PostRecord, UserRecord]] = {}
        self._followers: dict[int, set[int]] = {}
        self._followed: dict[int, set[int]] = {}
        self._shared: dict[tuple[int, bool], dict[int, Any]] = {}
        self._judged_at = 0.0
        self._lock = asyncio.Lock()

    async def load(self, session: ReadSession) -> None:
        """Three statements, and one for undecided posts, however many watchers there are."""
        judged_at = time.monotonic()
        posts = await load_posts_for_many(session, self._post_ids)
        undecided = [post_id for post_id, (post, _) in posts.items() if post.delivery is None]
        if undecided:
            audiences = await load_audiences(session, undecided, writes_per_second=self._rule.writes_per_second)
            posts |= {
                post_id: (foretell_delivery(posts[post_id][0], audience, self._rule), posts[post_id][1])
                for post_id, audience in audiences.items()
            }
        authors = list({author.id for _, author in posts.values()})
        followers = await load_followers_among(session, authors, self._viewer_ids)
        followed = await load_followers_among(session, self._viewer_ids, authors)
        self._posts, self._followers, self._followed, self._judged_at = posts, followers, followed, judged_at
        self._shared = {}

    async def refresh(self, database: Database) -> None:
        """Loads again what is too old; once, however many ask. Raises UnavailableError."""
        if time.monotonic() - self._judged_at <= JUDGED_SECONDS:
            return
        async with self._lock:
            if time.monotonic() - self._judged_at > JUDGED_SECONDS:
                async with database.reading() as session:
                    await self.load(session)

    def receivers(self, post_id: int) -> set[int]:
        """Those of the viewers whom the post may concern: its author, and who follows them."""
        if post_id not in self._posts:
            return set()
        author_id = self._posts[post_id][1].id
        followers = self._followers.get(author_id, set())
        return {*followers, author_id} if author_id in self._viewer_ids else followers

    def entry(self, sealer: CursorSealer, post_id: int, *, viewer_id: int) -> FeedEntry | None:
        """The post as an entry of the viewer's feed, or None where a rule keeps it out."""
        if post_id not in self._posts:
            return None
        post, author = self._posts[post_id]
        follows = viewer_id in self._followers.get(author.id, ())
        relation = Relation(follows=follows, is_followed_by=author.id in self._followed.get(viewer_id, ()))
        return entry_for(sealer, post, author, relation, viewer_id=viewer_id)

    def shared(self, post_id: int, *, viewer_id: int) -> dict[int, Any]:
        """One object for all receivers whose entries of the post differ in cursors alone; a new one after each loading."""
        is_own = post_id in self._posts and self._posts[post_id][1].id == viewer_id
        return self._shared.setdefault((post_id, is_own), {})
