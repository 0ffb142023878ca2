"""Live events pass the same rule as pages: whatever people have set, old page + events = fresh page."""

from __future__ import annotations

import contextlib
import random
from dataclasses import replace

import pytest

from domain.errors import RefusedError
from services.graph.block_user import block_user
from services.graph.mute_user import mute_user
from services.graph.update_follow import update_follow
from services.hashtags.follow_hashtag import follow_hashtag
from services.posts.share_post import share_post
from services.preferences.update_preferences import update_preferences
from tests.live_hub import running_hub
from tests.oracle import expected_feed
from tests.stories.live_watching import Client
from tests.world import World

PEOPLE = ("p0", "p1", "p2", "p3", "p4", "p5")
TEXTS = ("plain", "about #cats", "with spoiler inside", "#dogs and #cats")
EVENTS = 30


@pytest.mark.parametrize("seed", range(4))
async def test_old_page_and_events_are_the_fresh_page_under_every_rule(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.backends = replace(world.backends, policy=replace(world.backends.policy, celebrity_threshold=4))
    await world.add(*PEOPLE)
    await _set_rules(world, chance)
    posts = [await world.post(name, chance.choice(TEXTS)) for name in PEOPLE]
    await world.drain()
    before = {name: await expected_feed(world.backends, world.ids[name]) for name in PEOPLE}
    async with running_hub(world.backends) as feed:
        clients = [Client(world, feed, name, (await world.page(name, 1)).event_cursor) for name in PEOPLE]
        for number in range(EVENTS):
            for client in clients:
                # Half of the events come to a connected client, the others are looked up when it comes back.
                if chance.random() < 0.2:
                    await client.cut()
                elif client.is_cut:
                    client.connect()
            posts.append(await _write(world, chance, posts) or posts[0])
            if number % 3 == 0:
                await world.drain()
        for client in clients:
            if client.is_cut:
                client.connect()
        await world.drain()
        for client in clients:
            new = set(await expected_feed(world.backends, world.ids[client.viewer])) - set(before[client.viewer])
            await client.has(new)
            await client.cut()
            assert sorted(client.ids) == sorted(new), client.viewer


async def _write(world: World, chance: random.Random, posts: list[int]) -> int | None:
    """A post, a quote, or a share without words; None where it was refused."""
    name = chance.choice(PEOPLE)
    way = chance.random()
    with contextlib.suppress(RefusedError):
        if way < 0.4:
            return await world.post(name, chance.choice(TEXTS))
        body = "" if way < 0.85 else "see this"
        made = await share_post(world.backends, author_id=world.ids[name], post_id=chance.choice(posts), body=body)
        return made.id
    return None


async def _set_rules(world: World, chance: random.Random) -> None:
    """Follows, and for some of the people a rule of every kind."""
    backends, ids = world.backends, world.ids
    for follower in PEOPLE:
        await world.follow(follower, *chance.sample([name for name in PEOPLE if name != follower], 3))
    pairs = [(a, b) for a in PEOPLE for b in PEOPLE if a != b]
    chance.shuffle(pairs)
    await block_user(backends, viewer_id=ids[pairs[0][0]], user_id=ids[pairs[0][1]])
    for muter, muted in pairs[1:3]:
        await mute_user(backends, viewer_id=ids[muter], user_id=ids[muted], until=None)
    for follower, followee in pairs[3:]:
        with contextlib.suppress(RefusedError):
            await update_follow(
                backends,
                follower_id=ids[follower],
                followee_id=ids[followee],
                close_friend=None,
                hide_shares=chance.random() < 0.2,
                daily_limit=chance.choice((0, 0, 0, 2, 3)),
            )
    for name in chance.sample(PEOPLE, 2):
        await follow_hashtag(backends, viewer_id=ids[name], name=chance.choice(("cats", "dogs")))
    await update_preferences(
        backends, viewer_id=ids[PEOPLE[0]], default_order=None, muted_words=["spoiler"], hide_shares=None, hide_seen=None
    )
    await update_preferences(
        backends, viewer_id=ids[PEOPLE[1]], default_order=None, muted_words=None, hide_shares=True, hide_seen=None
    )
