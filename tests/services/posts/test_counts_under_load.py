"""Random walks over everything that changes shares and hashtags, several at once; afterwards every count is counted anew."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from domain.errors import RefusedError, UnavailableError
from domain.records import Visibility
from services.backends import Backends
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.publish_post import publish_post
from services.posts.share_post import share_post
from services.posts.unshare_post import unshare_post
from tests.services.posts.true_counts import wrong_post_counts
from tests.world import World

PEOPLE = 4
STEPS = 40
WALKERS = 5
_TAGS = ("#a", "#b", "#c", "#d", "#Ä", "")


class _Walker:
    """Does random things to posts that all walkers share, as anybody."""

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

    def _text(self) -> str:
        return f"words {self._random.choice(_TAGS)} {self._random.choice(_TAGS)}"

    async def _step(self) -> None:
        random = self._random
        who = random.choice(self._people)
        # Mostly the newest: chains of quotes and shares, and the same posts for all.
        post = random.choice(self._posts[-6:] if random.random() < 0.7 else self._posts)
        what = random.choice(("publish", "share", "share", "share", "quote", "quote", "unshare", "edit", "edit", "delete"))
        visibility = random.choice((Visibility.PUBLIC, Visibility.PUBLIC, Visibility.FRIENDS, Visibility.PRIVATE))
        if what == "publish":
            made = await publish_post(self._backends, author_id=who, body=self._text(), visibility=visibility, location=None)
            self._posts.append(made.id)
        elif what in {"share", "quote"}:
            body = self._text() if what == "quote" else " "
            self._posts.append((await share_post(self._backends, author_id=who, post_id=post, body=body)).id)
        elif what == "unshare":
            await unshare_post(self._backends, author_id=who, post_id=post)
        else:
            # As each of them: only its author gets through.
            for author in self._people:
                try:
                    if what == "delete":
                        await delete_post(self._backends, author_id=author, post_id=post)
                    else:
                        new = random.choice((None, self._text()))
                        await edit_post(self._backends, author_id=author, post_id=post, body=new, visibility=visibility)
                except RefusedError:
                    continue


@pytest.mark.parametrize("seed", range(2))
async def test_every_count_is_that_of_the_rows(world: World, seed: int) -> None:
    names = [f"p{number}" for number in range(PEOPLE)]
    await world.add(*names)
    posts = [await world.post(name, "first #a") for name in names]
    people = [world.ids[name] for name in names]
    walkers = [_Walker(world.backends, people, posts, Random(seed * WALKERS + number)) for number in range(WALKERS)]
    # A deadlock would be an UnavailableError here.
    await asyncio.gather(*(walker.walk(STEPS) for walker in walkers))
    assert await wrong_post_counts(world.backends) == []


async def test_many_hashtags_in_any_order_never_wait_for_each_other(world: World) -> None:
    await world.add("ada", "bob", "cat", "dan")
    random = Random(7)

    async def write(name: str) -> None:
        for _ in range(12):
            tags = [f"#t{random.randrange(40)}" for _ in range(15)]
            post = await world.post(name, " ".join(tags))
            await edit_post(
                world.backends, author_id=world.ids[name], post_id=post, body=" ".join(reversed(tags[5:])), visibility=None
            )

    try:
        await asyncio.gather(*(write(name) for name in world.ids))
    except UnavailableError as error:
        pytest.fail(f"two writers waited for each other: {error.__cause__}")
    assert await wrong_post_counts(world.backends) == []
