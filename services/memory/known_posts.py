"""Posts with their authors, from memory where the truth says at this moment that they are still what is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import compress, repeat
from operator import is_, is_not
from typing import Any, cast

from db.database import Database
from db.post_versions import Changes, KnownPost, load_changed_posts
from domain.engagement import ViewerMarks
from domain.records import UserRecord
from services.memory.gathered_marks import AskedMarks, marks_of
from services.memory.gathered_reads import GatheredReads
from services.memory.two_generations import TwoGenerations

_Key = int | AskedMarks
"""A post by its id, or marks."""


class KnownPosts:
    """The posts and authors that one process remembers, at most `size` of each.

    A record that has not changed is the same object each time, a post as long as its author has not either: what was made from
    it may be kept with it.
    """

    def __init__(self, database: Database, *, size: int) -> None:
        self._database = database
        self._posts: TwoGenerations[int, KnownPost] = TwoGenerations(size)
        self._authors: TwoGenerations[int, tuple[int, UserRecord]] = TwoGenerations(size)
        self._run: datetime | None = None
        self._reads: GatheredReads[_Key, Any] = GatheredReads(self._check)

    async def find(self, post_ids: Iterable[int]) -> Mapping[int, KnownPost | None]:
        """As they are at a moment after this call; None for those that do not exist. Nothing is filtered.

        Others may be in the answer as well. Raises UnavailableError.
        """
        return cast("Mapping[int, KnownPost | None]", await self._reads.begin(post_ids))

    async def find_with_marks(
        self, post_ids: Sequence[int], viewer_id: int
    ) -> tuple[Mapping[int, KnownPost | None], Mapping[int, ViewerMarks]]:
        """The same, and at the same moment what the viewer has done with each of them."""
        asked = (viewer_id, tuple(post_ids))
        found: Mapping[Any, Any] = await self._reads.begin([*post_ids, asked])
        return found, found[asked]

    async def close(self) -> None:
        await self._reads.close()

    async def _check(self, keys: Sequence[_Key]) -> dict[Any, Any]:
        classes = [*map(type, keys)]
        post_ids: list[int] = [*compress(cast("Any", keys), map(is_, classes, repeat(int)))]
        marks: list[AskedMarks] = [*compress(cast("Any", keys), map(is_not, classes, repeat(int)))]
        known: list[KnownPost | None] = self._posts.get_many(post_ids)
        before = self._run
        changes = await self._load(post_ids, known, marks)
        if changes.run != before:
            # Another server, or the same one started anew: versions of before say nothing of its rows.
            if before is not None:
                known = [None] * len(known)
                changes = await self._load(post_ids, known, marks)
            if changes.run != self._run:
                self._forget(changes.run)
        found: dict[Any, Any] = dict(zip(post_ids, known, strict=True))
        for post_id, now in changes.posts.items():
            if now is not None and changes.run == self._run:
                now = self._renew(found[post_id], now)
            # Otherwise the server has changed meanwhile: an answer of the moment all the same, and nothing to remember.
            found[post_id] = now
        for asked in marks:
            found[asked] = marks_of(asked, changes.marks)
        return found

    async def _load(self, post_ids: Sequence[int], known: Sequence[KnownPost | None], marks: Sequence[AskedMarks]) -> Changes:
        async with self._database.at_once() as session:
            return await load_changed_posts(session, post_ids, known, marks=marks)

    def _forget(self, run: datetime) -> None:
        self._posts.clear()
        self._authors.clear()
        self._run = run

    def _renew(self, known: KnownPost | None, now: KnownPost) -> KnownPost:
        remembered = self._authors.get(now.author.id)
        if remembered is not None and remembered[0] == now.author_version:
            author = remembered[1]
        else:
            author = now.author
            self._authors.put(author.id, (now.author_version, author))
        post = known.post if known is not None and known.is_same_post(now) else now.post
        renewed = KnownPost(post.by(author), author, now.version, now.author_version, now.flight)
        self._posts.put(post.id, renewed)
        return renewed
