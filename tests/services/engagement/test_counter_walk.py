"""Random walks of likes, comments, flushes that die anywhere, drift and repairs: shown counts are true at every step."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import text

from bootstrap import open_backends
from services.engagement.add_comment import add_comment
from services.engagement.audit_counters import sweep_counters
from services.engagement.delete_comment import delete_comment
from services.engagement.flush_counters import flush_counters
from services.engagement.like_post import like_post, unlike_post
from services.posts.load_visible_posts import load_visible_posts
from settings import Settings
from tests.services.engagement.true_counters import stored_counts, wrong_counters
from tests.world import World

PEOPLE = ("ada", "bob", "cat")
STEPS = ("take", "lock", "add", "commit", "end")
_PLACE = st.integers(0, 1)
_ACTION = st.one_of(
    st.tuples(st.sampled_from(("like", "unlike", "say", "delete")), st.sampled_from(PEOPLE), _PLACE),
    st.tuples(st.just("die"), st.sampled_from(STEPS), st.just(0)),
    st.tuples(st.sampled_from(("flush", "drift")), st.just(""), _PLACE),
)
Action = tuple[str, str, int]


class _DiedError(Exception):
    pass


class _Walk:
    """Two posts, and what must be true of them."""

    def __init__(self, world: World, posts: list[int]) -> None:
        self._world = world
        self._posts = posts
        self._likers: list[set[str]] = [set(), set()]
        self._comments: list[list[tuple[str, int]]] = [[], []]

    async def do(self, action: Action) -> None:
        name, who, place = action
        backends, post = self._world.backends, self._posts[place]
        if name == "like":
            await like_post(backends, viewer_id=self._world.ids[who], post_id=post)
            self._likers[place].add(who)
        elif name == "unlike":
            await unlike_post(backends, viewer_id=self._world.ids[who], post_id=post)
            self._likers[place].discard(who)
        elif name == "say":
            edge, _ = await add_comment(backends, viewer_id=self._world.ids[who], post_id=post, body="words")
            assert edge is not None
            self._comments[place].append((who, edge.node.id))
        elif name == "delete":
            for said in [said for said in self._comments[place] if said[0] == who][:1]:
                await delete_comment(backends, viewer_id=self._world.ids[who], comment_id=said[1])
                self._comments[place].remove(said)
        elif name == "drift":
            async with backends.database.writing() as session:
                await session.execute(text("UPDATE posts SET like_count = like_count + 2 WHERE id = :id"), {"id": post})
            await sweep_counters(backends)
        else:
            await self._flush(dies_at=who)

    async def check(self) -> None:
        found = await load_visible_posts(self._world.backends, self._posts, viewer_id=None)
        shown = [(found[post].post.like_count, found[post].post.comment_count) for post in self._posts]
        assert shown == self._true()

    async def check_at_rest(self) -> None:
        await flush_counters(self._world.backends)
        assert [await stored_counts(self._world.backends, post) for post in self._posts] == self._true()
        assert await wrong_counters(self._world.backends) == []

    def _true(self) -> list[tuple[int, int]]:
        return [(len(likers), len(said)) for likers, said in zip(self._likers, self._comments, strict=True)]

    async def _flush(self, *, dies_at: str) -> None:
        def step(at: str) -> None:
            if at == dies_at:
                raise _DiedError

        with contextlib.suppress(_DiedError):
            await flush_counters(self._world.backends, at_step=step)


def test_shown_counts_are_true_at_every_step(settings: Settings) -> None:
    with asyncio.Runner() as runner:
        opened = open_backends(settings)
        world = World(runner.run(opened.__aenter__()))
        runner.run(world.add(*PEOPLE))

        @given(st.lists(_ACTION, max_size=20))
        @examples(max_examples=15, deadline=None, database=None, derandomize=True)
        def walk(actions: list[Action]) -> None:
            runner.run(_take(world, actions))

        try:
            walk()
        finally:
            runner.run(opened.__aexit__(None, None, None))


async def _take(world: World, actions: list[Action]) -> None:
    walk = _Walk(world, [await world.post("ada"), await world.post("bob")])
    for action in actions:
        await walk.do(action)
        await walk.check()
    await walk.check_at_rest()
