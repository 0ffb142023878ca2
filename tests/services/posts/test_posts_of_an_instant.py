"""Many posts at once leave exactly what they leave one by one, whatever else happens to the same accounts and hashtags."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from domain.errors import RefusedError
from domain.records import LocationRecord, PostRecord, Visibility
from services.backends import Backends
from services.engagement.like_post import like_post, unlike_post
from services.graph.follow_user import follow_user
from services.graph.unfollow_user import unfollow_user
from services.posts import publish_post as module
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.load_visible_posts import load_visible_posts
from services.posts.publish_post import publish_post
from services.posts.share_post import share_post
from settings import Settings
from tests.databases import backends_with
from tests.services.posts.true_counts import wrong_post_counts
from tests.world import World

PEOPLE = 6
STEPS = 25
WALKERS = 6
_PLACE = LocationRecord("Bern", 46.948, -7.44740000000001)
_NOWHERE = LocationRecord("somewhere", None, None)
_LEFT = """
    SELECT jsonb_build_array('post', author_id, text, entities, visibility, location_name, latitude, longitude, media_links,
      shared_post_id, is_plain_share, like_count, comment_count, share_count, delivery, edited_at, deleted_at,
      to_timestamp((id >> 22) / 1000.0) = created_at, id & 1023 = author_id & 1023) FROM posts
    UNION ALL SELECT jsonb_build_array('author', id, post_count) FROM users
    UNION ALL SELECT jsonb_build_array('hashtag', name, post_count) FROM hashtags
    UNION ALL SELECT jsonb_build_array('link', h.name, p.text)
      FROM post_hashtags l JOIN hashtags h ON h.id = l.hashtag_id LEFT JOIN posts p ON p.id = l.post_id
    UNION ALL SELECT jsonb_build_array('promise', o.author_id, o.kind, o.before, o.attempts, o.closed_at, p.text)
      FROM outbox o LEFT JOIN posts p ON p.id = o.post_id
    UNION ALL SELECT jsonb_build_array('activity', a.actor_id, a.kind, a.failures, p.text)
      FROM activities a LEFT JOIN posts p ON p.id = a.subject_id
    UNION ALL SELECT jsonb_build_array('found', s.body, s.words, p.text)
      FROM searchable_posts s LEFT JOIN posts p ON p.id = s.post_id
"""
_EMPTY = (
    "DELETE FROM posts",
    "DELETE FROM outbox",
    "DELETE FROM activities",
    "DELETE FROM hashtags",
    "DELETE FROM post_hashtags",
)
_WRONG_PEOPLE = """
    SELECT u.id FROM users u WHERE u.follower_count <> (SELECT count(*) FROM follows f WHERE f.followee_id = u.id)
      OR u.following_count <> (SELECT count(*) FROM follows f WHERE f.follower_id = u.id)
"""
_ORPHANS = """
    SELECT count(*) FROM posts p WHERE
      (SELECT count(*) FROM outbox o WHERE o.post_id = p.id AND o.kind = 'post_published' AND o.before IS NULL) <> 1
      OR NOT EXISTS (SELECT FROM searchable_posts s WHERE s.post_id = p.id) AND p.deleted_at IS NULL AND NOT p.is_plain_share
"""


async def left(world: World) -> list[Any]:
    async with world.backends.database.reading() as session:
        return sorted((await session.execute(text(_LEFT))).scalars(), key=str)


def _bodies() -> list[str]:
    kinds = [
        "plain words",
        'quotes " and \\ and \t\n tabs, \u2028 \U0001f600 é \x7f',
        "it's 100 % :x $1 {a,b} NULL",
        "#known and #KNOWN again",
        "@bob and @nobody and @ADA",
        "#known #new @bob https://a.example/x?y=#z",
        "#two #tags #Ä",
        "x" * 4_000,
    ]
    return [f"{kind} {number}" for number, kind in enumerate(kinds * 6)]


async def _publish_all(world: World, *, at_once: bool) -> list[PostRecord]:
    names, kinds, places = list(world.ids), list(Visibility), (None, _PLACE, _NOWHERE)

    def one(number: int, body: str) -> Any:
        return publish_post(
            world.backends,
            author_id=world.ids[names[number % 17 % len(names)]],
            body=body,
            visibility=kinds[number % 5 % 3],
            location=places[number % 11 % 3],
        )

    bodies = _bodies()
    if at_once:
        return list(await asyncio.gather(*(one(number, body) for number, body in enumerate(bodies))))
    return [await one(number, body) for number, body in enumerate(bodies)]


async def test_they_leave_what_they_leave_one_by_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add("ada", "bob", *(f"p{number}" for number in range(10)))
    await world.post("ada", "#known first")
    made = await _publish_all(world, at_once=True)
    async with world.backends.database.reading() as session:
        transactions = (await session.execute(text("SELECT count(DISTINCT xmin::text) FROM posts"))).scalar_one()
    assert transactions < len(made), "some of them came together"
    for post in made:
        loaded = await load_visible_posts(world.backends, {post.id}, viewer_id=post.author_id)
        assert loaded[post.id].post == post, "each has its own"
    together = await left(world)
    assert await wrong_post_counts(world.backends) == []

    async def in_steps(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(module, "_publish_at_once", in_steps)
    async with world.backends.database.writing() as session:
        for statement in (*_EMPTY, "DELETE FROM searchable_posts", "UPDATE users SET post_count = 0"):
            await session.execute(text(statement))
    await world.post("ada", "#known first")
    await _publish_all(world, at_once=False)
    assert together == await left(world)


class _Walker:
    """Does random things to accounts and posts that all walkers share, through one of several processes."""

    def __init__(self, backends: Backends, people: list[int], posts: list[int], random: Random) -> None:
        self._backends = backends
        self._people = people
        self._posts = posts
        self._random = random

    async def walk(self, steps: int) -> None:
        for _ in range(steps):
            try:
                await self._step()
            except RefusedError:
                continue

    def _words(self) -> str:
        tags = self._random.sample(["#a", "#b", "#c", "#d", f"#n{self._random.randrange(30)}"], self._random.randrange(4))
        return " ".join(["words", *tags])

    async def _publish(self) -> None:
        made = await publish_post(
            self._backends,
            author_id=self._random.choice(self._people),
            body=self._words(),
            visibility=self._random.choice((Visibility.PUBLIC, Visibility.PUBLIC, Visibility.FRIENDS, Visibility.PRIVATE)),
            location=None,
        )
        self._posts.append(made.id)

    async def _step(self) -> None:
        random, backends = self._random, self._backends
        who, whom = random.sample(self._people, 2)
        post = random.choice(self._posts[-8:])
        what = random.choice(("burst", "burst", "follow", "unfollow", "like", "unlike", "quote", "edit", "delete"))
        if what == "burst":
            await asyncio.gather(*(self._publish() for _ in range(random.randrange(1, 9))))
        elif what == "follow":
            await follow_user(backends, follower_id=who, followee_id=whom)
        elif what == "unfollow":
            await unfollow_user(backends, follower_id=who, followee_id=whom)
        elif what == "like":
            await like_post(backends, viewer_id=who, post_id=post)
        elif what == "unlike":
            await unlike_post(backends, viewer_id=who, post_id=post)
        elif what == "quote":
            self._posts.append((await share_post(backends, author_id=who, post_id=post, body=self._words())).id)
        else:
            for author in self._people:
                try:
                    if what == "delete":
                        await delete_post(backends, author_id=author, post_id=post)
                    else:
                        await edit_post(backends, author_id=author, post_id=post, body=self._words(), visibility=None)
                except RefusedError:
                    continue


@pytest.mark.parametrize("seed", range(2))
async def test_nobody_waits_for_each_other_and_every_count_is_true(world: World, settings: Settings, seed: int) -> None:
    names = [f"p{number}" for number in range(PEOPLE)]
    await world.add(*names)
    posts = [await world.post(name, "first #a") for name in names]
    people = [world.ids[name] for name in names]
    async with backends_with(settings) as second:
        processes = (world.backends, second)
        walkers = [_Walker(processes[n % 2], people, posts, Random(seed * WALKERS + n)) for n in range(WALKERS)]
        # A deadlock would be an UnavailableError here.
        await asyncio.gather(*(walker.walk(STEPS) for walker in walkers))
    assert await wrong_post_counts(world.backends) == []
    async with world.backends.database.reading() as session:
        assert list(await session.execute(text(_WRONG_PEOPLE))) == []
        assert (await session.execute(text(_ORPHANS))).scalar_one() == 0
        written = (await session.execute(text("SELECT count(*) FROM posts"))).scalar_one()
        assert written == len(set(posts)), "each answer is one post, and each post one answer"
