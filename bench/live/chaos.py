"""A run in which everything is cut while posts are made, and what every subscriber had at its end."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg

from bench.live.people import Person, make_people
from bench.live.posting import Made, Publisher
from bench.live.process_figures import resident_bytes
from bench.live.subscribers import NodeSubscriber, PythonSubscriber, Subscription
from bench.live.system import LiveSystem, RedisReturn, running_live_system
from bench.live.verdict import Verdict, judge

PUSHED = ("ann", "ben", "cat", "dan")
STAR, TAGGER, SHARER, STRANGER = "star", "tagger", "sharer", "stranger"
HASHTAG = "chaos"
_CROWD = 40
"""Followers of the star besides the subscribers: so many more than the threshold that it is pulled."""
_PUBSUB_KILL_SECONDS = 2.0
_SAY_SECONDS = 10.0
_ARRIVAL_SECONDS = 60.0
_QUIET_SECONDS = 2.0
"""After the last event that was waited for: what comes twice may come then."""


@dataclass(frozen=True, slots=True)
class ChaosPlan:
    """`rate`: posts a second. `cut_seconds`: between two cuts of a socket, in the mean."""

    posts: int
    subscribers: int
    node_subscribers: int
    rate: float
    seed: int
    subscription: str
    redis_return: RedisReturn
    cut_seconds: float

    @property
    def names(self) -> list[str]:
        return [f"s{number:02}" for number in range(self.subscribers + self.node_subscribers)]

    @property
    def environment(self) -> dict[str, str]:
        return {"TIDINGS_CELEBRITY_THRESHOLD": str(len(self.names) + _CROWD // 2)}


@dataclass(frozen=True, slots=True)
class ChaosOutcome:
    """`began`: monotonic seconds. `seconds`: for the posts. `api_bytes`: RSS of the API at the end.
    `lost_answers`: mutations whose outcome was found in the database."""

    verdicts: Mapping[str, Verdict]
    posts: int
    began: float
    seconds: float
    pubsub_kills: int
    api_seconds: float
    redis_seconds: float
    api_bytes: int
    lost_answers: int
    log_text: str


async def run_chaos(
    plan: ChaosPlan, folder: Path, *, database_url: str = "", say: Callable[[str], None] = lambda line: None
) -> ChaosOutcome:
    """`say` is told now and then how far it is.

    Raises RuntimeError where the run itself is at fault: the database has other posts than were answered."""
    async with running_live_system(
        folder, environment=plan.environment, redis_return=plan.redis_return, database_url=database_url
    ) as system:
        people = await _make_world(plan, system.urls.database_url)
        async with asyncpg.create_pool(system.urls.database_url, min_size=1, max_size=4) as database:
            publisher = Publisher(system.address, database)
            try:
                return await _Run(plan, system, people, publisher, database, say).run()
            finally:
                await publisher.aclose()


async def _make_world(plan: ChaosPlan, database_url: str) -> dict[str, Person]:
    crowd = [f"crowd{number}" for number in range(_CROWD)]
    authors = [*PUSHED, STAR, SHARER]
    follows = list(itertools.product(plan.names, authors)) + [(name, STAR) for name in crowd]
    return await make_people(database_url, [*plan.names, *crowd, *authors, TAGGER, STRANGER], follows)


@asynccontextmanager
async def _repeated(seconds: float, act: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def go_on() -> None:
        while True:
            await asyncio.sleep(seconds)
            await act()

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()


class _Run:
    def __init__(
        self,
        plan: ChaosPlan,
        system: LiveSystem,
        people: dict[str, Person],
        publisher: Publisher,
        database: asyncpg.Pool,
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._plan, self._system, self._people = plan, system, people
        self._publisher, self._database = publisher, database
        self._chance = random.Random(plan.seed)
        self._made: dict[str, Made] = {}
        self._pubsub_kills = 0
        self._authors = [*PUSHED, STAR, TAGGER, SHARER]
        self._strange: list[str] = []

    async def run(self) -> ChaosOutcome:
        for name in self._plan.names:
            await self._publisher.follow_hashtag(self._people[name], HASHTAG)
        # For the sharer: nobody who subscribes has them in the feed before they are shared.
        for number in range(-(-self._plan.posts // len(self._authors))):
            self._strange.append(await self._publisher.post(self._people[STRANGER], f"Far away, {number}."))
        subscribers = {name: await self._subscriber(number, name) for number, name in enumerate(self._plan.names)}
        await asyncio.gather(*(one.start() for one in subscribers.values()))
        began = time.monotonic()
        async with (
            asyncio.TaskGroup() as group,
            _repeated(_PUBSUB_KILL_SECONDS, self._kill_bells),
            _repeated(_SAY_SECONDS, partial(self._say_progress, subscribers, began)),
        ):
            restarts = group.create_task(self._restart())
            tickets = iter(range(self._plan.posts))
            await asyncio.gather(*(self._write(author, tickets, began) for author in self._authors))
            seconds = time.monotonic() - began
            api_seconds, redis_seconds = await restarts
            await self._arrival(subscribers)
        for one in subscribers.values():
            await one.stop()
        await self._check_made()
        return ChaosOutcome(
            {name: judge(one.record, self._made) for name, one in subscribers.items()},
            len(self._made),
            began,
            seconds,
            self._pubsub_kills,
            api_seconds,
            redis_seconds,
            resident_bytes(self._system.api_pid),
            self._publisher.lost_answers,
            self._system.log_text,
        )

    async def _subscriber(self, number: int, name: str) -> PythonSubscriber | NodeSubscriber:
        viewer = self._people[name]
        fresh_cursor = partial(self._publisher.event_cursor, viewer)
        subscription = Subscription(
            address=self._system.address,
            token=viewer.token,
            field=self._plan.subscription,
            after=await fresh_cursor(),
            cut_seconds=self._plan.cut_seconds,
            seed=self._plan.seed * 1_000 + number,
            fresh_cursor=fresh_cursor,
        )
        return PythonSubscriber(subscription) if number < self._plan.subscribers else NodeSubscriber(subscription)

    async def _write(self, name: str, tickets: Iterator[int], began: float) -> None:
        """One author: each post after the answer to the one before."""
        author = self._people[name]
        for order, ticket in enumerate(tickets):
            await asyncio.sleep(max(0.0, began + ticket / self._plan.rate - time.monotonic()))
            if name == SHARER and self._strange:
                global_id = await self._publisher.share(author, self._strange.pop())
            else:
                words = f"Number {ticket}." + (f" #{HASHTAG}" if name == TAGGER else "")
                global_id = await self._publisher.post(author, words)
            self._made[global_id] = Made(global_id, name, order, time.monotonic())

    async def _restart(self) -> tuple[float, float]:
        """The API after a third of the posts, Redis after two thirds. Returns the seconds of their absences."""
        await self._until(self._plan.posts // 3)
        if self._plan.redis_return is RedisReturn.STALE:
            await self._system.keep_redis_dump()
        api_seconds = await self._system.restart_api()
        await self._until(2 * self._plan.posts // 3)
        return api_seconds, await self._system.restart_redis()

    async def _until(self, posts: int) -> None:
        while len(self._made) < posts:
            await asyncio.sleep(0.02)

    async def _kill_bells(self) -> None:
        self._pubsub_kills += await self._system.kill_pubsub()

    async def _say_progress(self, subscribers: Mapping[str, PythonSubscriber | NodeSubscriber], began: float) -> None:
        least = min(len(one.record.posts) for one in subscribers.values())
        resets = sum(one.record.resets for one in subscribers.values())
        self._say(f"{time.monotonic() - began:4.0f} s: {len(self._made):,} posts made, {least:,} at the last, {resets} resets")

    async def _arrival(self, subscribers: Mapping[str, PythonSubscriber | NodeSubscriber]) -> None:
        """Until everybody has everything, while sockets go on being cut.

        Where that is not enough, what is only late is told from what is lost: nobody is cut any more.
        """
        if not await self._have_all(subscribers):
            self._say("not everybody has everything: no more cuts")
            for one in subscribers.values():
                one.leave_alone()
            await self._have_all(subscribers)
        await asyncio.sleep(_QUIET_SECONDS)

    async def _have_all(self, subscribers: Mapping[str, PythonSubscriber | NodeSubscriber]) -> bool:
        deadline = time.monotonic() + _ARRIVAL_SECONDS
        while time.monotonic() < deadline:
            if all(len(set(one.record.posts)) >= len(self._made) for one in subscribers.values()):
                return True
            await asyncio.sleep(0.1)
        return False

    async def _check_made(self) -> None:
        authors = [self._people[name].id for name in self._authors]
        count = await self._database.fetchval("SELECT count(*) FROM posts WHERE author_id = ANY($1)", authors)
        if count != len(self._made):
            raise RuntimeError(f"{count} posts are in the database, {len(self._made)} were answered")
