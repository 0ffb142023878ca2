"""A system, authors, and a crowd that follows all of them: what the measurements of live events begin with."""

from __future__ import annotations

import asyncio
import itertools
import resource
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.live.crowd import Crowd, gathered_crowd
from bench.live.people import Person, make_people
from bench.live.posting import Publisher
from bench.live.process_figures import metric
from bench.live.system import LiveSystem, running_live_system

_NEVER = str(10**9)
_SUBSCRIBED_SECONDS = 120.0
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Posted:
    """A post by its number, and when its mutation was answered (monotonic seconds)."""

    number: int
    answered_at: float


class Gathering:
    """`readers` follow every one of `authors`."""

    def __init__(self, system: LiveSystem, crowd: Crowd, publisher: Publisher, people: dict[str, Person], authors: int) -> None:
        self.system, self.crowd, self.publisher = system, crowd, publisher
        everybody = list(people.values())
        self._authors, self.readers = everybody[:authors], everybody[authors:]
        self._numbers = itertools.count()

    async def connect(self, readers: int, *, at_a_time: int = 32) -> float:
        """So many more subscribers, and a post that all of them have got. Returns the seconds until they were connected."""
        fresh = [reader.token for reader in self.readers[:readers]]
        before = await metric(self.system.address, "tidings_live_subscribers") or 0
        seconds = await self.crowd.connect(fresh, at_a_time=at_a_time)
        deadline = time.monotonic() + _SUBSCRIBED_SECONDS
        while (await metric(self.system.address, "tidings_live_subscribers") or 0) < before + readers:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not everybody is subscribed: {await self.crowd.report()}")
            await asyncio.sleep(_POLL_SECONDS)
        return seconds

    async def post(self, padding: int = 0) -> Posted:
        """One post. `padding`: bytes added to its text."""
        number = next(self._numbers)
        author = self._authors[number % len(self._authors)]
        await self.publisher.post(author, f"<{number:06}> A post of some words, as people write them.{' x' * (padding // 2)}")
        return Posted(number, time.monotonic())

    async def post_steadily(self, *, rate: float, seconds: float, padding: int = 0) -> list[Posted]:
        """At fixed instants, whether or not those before are answered."""
        began = time.monotonic()

        async def one(step: int) -> Posted:
            await asyncio.sleep(max(0.0, began + step / rate - time.monotonic()))
            return await self.post(padding)

        return list(await asyncio.gather(*(one(step) for step in range(int(seconds * rate)))))

    async def post_at_once(self, posts: int, *, at_a_time: int) -> list[Posted]:
        """As fast as they are answered."""
        turn = asyncio.Semaphore(at_a_time)

        async def one() -> Posted:
            async with turn:
                return await self.post()

        return list(await asyncio.gather(*(one() for _ in range(posts))))

    async def wait_for(self, posted: list[Posted], *, readers: int, within_seconds: float) -> dict[str, float]:
        """Until so many readers have all of these once, or the time is over; what `Crowd.check` says in the end."""
        first, last = min(one.number for one in posted), max(one.number for one in posted) + 1
        deadline = time.monotonic() + within_seconds
        while True:
            found = await self.crowd.check(first, last)
            if found["complete"] >= readers or time.monotonic() > deadline:
                return found
            await asyncio.sleep(_POLL_SECONDS)

    async def lateness(self, posted: list[Posted]) -> list[float]:
        """Seconds from the answer to the arrival, of every post at every reader."""
        arrivals = await self.crowd.arrivals(min(one.number for one in posted), max(one.number for one in posted) + 1)
        return [at - one.answered_at for one in posted for at in arrivals[one.number]]


@asynccontextmanager
async def gathering(
    *, readers: int, subscription: str, authors: int = 8, is_pulled: bool = False, has_poster: bool = True
) -> AsyncIterator[Gathering]:
    """Nobody is connected yet. `has_poster`: posts are made through an API process beside the one that is measured."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    environment = {
        "TIDINGS_LIMITS": "off",
        "TIDINGS_CELEBRITY_THRESHOLD": "1" if is_pulled else _NEVER,
        "TIDINGS_FANOUT_WRITES_PER_SECOND": _NEVER,
    }
    roles = ("serve", "relay", "worker 1", *(("poster",) if has_poster else ()))
    with tempfile.TemporaryDirectory(prefix="tidings-live-") as folder:
        async with running_live_system(Path(folder), environment=environment, roles=roles) as system:
            author_names = [f"author{number}" for number in range(authors)]
            reader_names = [f"reader{number}" for number in range(readers)]
            follows = itertools.product(reader_names, author_names)
            people = await make_people(system.urls.database_url, [*author_names, *reader_names], follows)
            people = {name: people[name] for name in (*author_names, *reader_names)}
            async with (
                asyncpg.create_pool(system.urls.database_url, min_size=1, max_size=4) as database,
                gathered_crowd(system.address, subscription) as crowd,
            ):
                publisher = Publisher(system.poster_address if has_poster else system.address, database)
                try:
                    yield Gathering(system, crowd, publisher, people, authors)
                finally:
                    await publisher.aclose()
