"""Posts of many requests in one statement, one transaction, one commit.

While a statement is under way, posts gather for the next one; the busier a process is, the more share one. What was sent is not
sent again where the answer is missing: it may have been written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from db.database import Database
from db.post_hashtags import create_hashtags
from db.publication import new_record
from db.publication_of_many import insert_published_posts, to_row
from db.unavailability import is_refusal
from db.users import load_users_by_username
from domain.errors import UnavailableError
from domain.records import LocationRecord, PostRecord, Visibility
from domain.text import find_entities
from services.memory.gathered_reads import GatheredReads
from services.posts.text_entities import entity_rows, hashtag_names, mentioned_names

_PATIENCE_SECONDS = 0.01
"""So long a round is waited for, before another goes beside it; twice as long for two, and so on."""
_MAX_POSTS = 100
_MAX_BYTES = 100_000
"""Of a round: nobody's ordinary post waits for very many long ones."""
_CLOSE_SECONDS = 1.0
_ALONE = 0
"""No id: not together with others, not even later."""


class _Waiting:
    """A post, and who waits for its id. None: it was passed over this time."""

    __slots__ = ("hashtags", "made", "row")

    def __init__(self, row: bytes, hashtags: Collection[str], made: asyncio.Future[int | None]) -> None:
        self.row = row
        self.hashtags = hashtags
        self.made = made


_Round = list[_Waiting]


class GatheredPosts:
    """The posts that a process is about to write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names: GatheredReads[str, int] = GatheredReads(self._find_ids)
        self._gathering: _Round = []
        self._handle: asyncio.Handle | None = None
        self._under_way: dict[asyncio.Task[None], _Round] = {}
        self._began_at = 0.0
        self._is_closed = False

    async def publish(
        self, *, author_id: int, body: str, visibility: Visibility, location: LocationRecord | None
    ) -> PostRecord | None:
        """The new post, committed with all that belongs to its publication.

        None where it could not be written together with others, and nothing has been: somebody holds the author's account or a
        hashtag, or PostgreSQL has refused one of those in the round. Publish it alone.

        Whoever is cancelled before the statement is sent has published nothing; afterwards that is open. Raises
        UnavailableError; whether the post is written is then unknown.
        """
        spans = find_entities(body)
        names = mentioned_names(spans)
        entities = entity_rows(spans, await self._names.ask(names) if names else {})
        # Made here: what cannot be written as JSON is nobody else's fault.
        row = to_row(author_id=author_id, body=body, entities=entities, visibility=visibility, location=location)
        hashtags = hashtag_names(entities)
        post_id = await self._join(row, hashtags)
        if post_id is None:
            if hashtags:
                await self._create(hashtags)
            # Once more: mostly it was a round beside it that held the same account or hashtag, and it has ended since.
            post_id = await self._join(row, hashtags)
        if not post_id:
            return None
        return new_record(post_id, author_id=author_id, body=body, entities=entities, visibility=visibility, location=location)

    async def close(self) -> None:
        """Waits a moment for what is under way. Whoever has no answer then is told that the outcome is unknown; what was not
        sent is not written, and nobody can publish any more."""
        self._is_closed = True
        if self._handle is not None:
            self._handle.cancel()
        under_way = dict(self._under_way)
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_CLOSE_SECONDS)
        for waiting in [*under_way.values(), self._gathering]:
            _fail(waiting, _about_to_end())
        self._gathering = []
        await self._names.close()

    def _join(self, row: bytes, hashtags: Collection[str]) -> asyncio.Future[int | None]:
        if self._is_closed:
            raise _about_to_end()
        # A future for each: cancelling one who waits must not cancel the others.
        made: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._gathering.append(_Waiting(row, hashtags, made))
        if self._handle is None:
            self._call()
        return made

    def _call(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._under_way:
            # Not at once: whoever comes within this turn of the loop comes along.
            self._handle = loop.call_soon(self._begin)
        else:
            # However long the server takes, nobody's own deadline begins much later; and it does not get more and more to do.
            self._handle = loop.call_at(self._began_at + _PATIENCE_SECONDS * len(self._under_way), self._begin)

    def _begin(self) -> None:
        self._handle = None
        waiting = self._take()
        if waiting:
            loop = asyncio.get_running_loop()
            self._began_at = loop.time()
            task = loop.create_task(self._run(waiting), name="gathered-posts")
            self._under_way[task] = waiting
            task.add_done_callback(self._ended)
        if self._gathering:
            self._call()

    def _take(self) -> _Round:
        """The next round, those who came first."""
        taken: _Round = []
        size = passed = 0
        for one in self._gathering:
            if not one.made.done():
                size += len(one.row)
                if taken and (len(taken) == _MAX_POSTS or size > _MAX_BYTES):
                    break
                taken.append(one)
            passed += 1
        del self._gathering[:passed]
        return taken

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        if self._gathering and not self._is_closed:
            if self._handle is not None:
                self._handle.cancel()
            if self._under_way:
                self._call()
            else:
                self._begin()

    async def _run(self, waiting: _Round) -> None:
        try:
            await self._write(waiting)
        except asyncio.CancelledError:
            _fail(waiting, _about_to_end())
            raise
        except Exception as error:
            if is_refusal(error):
                # For one of them; each finds out alone whether it is the one.
                _answer(waiting, dict.fromkeys(range(len(waiting)), _ALONE))
            else:
                _fail(waiting, error)

    async def _write(self, waiting: _Round) -> None:
        async with self._database.at_once() as session:
            # Looked at now: getting a connection may have taken a while.
            sent = [one for one in waiting if not one.made.done()]
            if not sent:
                return
            made = await insert_published_posts(session, [(one.row, one.hashtags) for one in sent])
        _answer(sent, made)

    async def _create(self, hashtags: Collection[str]) -> None:
        # By a statement of its own: whoever is making the same name is waited for.
        async with self._database.at_once() as session:
            await create_hashtags(session, hashtags)

    async def _find_ids(self, names: list[str]) -> Mapping[str, int]:
        async with self._database.at_once() as session:
            users = await load_users_by_username(session, names)
        return {name: user.id for name, user in users.items()}


def _answer(waiting: Sequence[_Waiting], made: Mapping[int, int]) -> None:
    for place, one in enumerate(waiting):
        if not one.made.done():
            one.made.set_result(made.get(place))


def _fail(waiting: Iterable[_Waiting], error: Exception) -> None:
    for one in waiting:
        if not one.made.done():
            # Each has its own: whoever raises one writes into it.
            told = UnavailableError(*error.args) if isinstance(error, UnavailableError) else error
            told.__cause__ = error.__cause__
            one.made.set_exception(told)
            one.made.exception()  # looked at: nobody is left to do so where one who waits is cancelled just now


def _about_to_end() -> UnavailableError:
    return UnavailableError("the process is about to end")
