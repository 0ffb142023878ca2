"""`tidings doctor` and `tidings feeds` as people call them, on servers of the test run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from sqlalchemy import text

from cache import keys
from services.engagement.like_post import like_post
from services.notifications.process_activities import process_activities
from settings import Settings
from tests.services.engagement.true_counters import wrong_counters
from tests.timeline_corruptions import member
from tests.world import World


def _tidings(settings: Settings, *arguments: str, status: int) -> str:
    environment = {
        **os.environ,
        "TIDINGS_DATABASE_URL": settings.database_url.get_secret_value(),
        "TIDINGS_REDIS_URL": settings.redis_url.get_secret_value(),
        "TIDINGS_BROKER_URL": settings.broker_url.get_secret_value(),
    }
    argv = [sys.executable, "-m", "app.cli", *arguments]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == status, (ended.stdout, ended.stderr)
    assert "Traceback" not in ended.stderr
    return ended.stdout


async def test_doctor_names_repairs_and_says_so_by_its_status(world: World, settings: Settings) -> None:
    await world.backends.redis.redis.flushdb()
    await world.add("ada", "bob", "cat")
    await world.follow("bob", "ada")
    posts = [await world.post("ada") for _ in range(8)]
    await world.drain()
    assert (await process_activities(world.backends)).taken == 9
    assert "3 timelines made anew" in _tidings(settings, "feeds", "rebuild", "--everybody", status=0)
    assert "3 looked at, 3 in the cache, 3 warm, 0 wrong" in _tidings(settings, "doctor", status=0)

    await world.backends.redis.redis.zrem(keys.timeline(world.ids["bob"]), *map(member, posts[1:8]))
    await world.backends.redis.redis.set(keys.timeline(world.ids["cat"]), "x")
    shown = _tidings(settings, "doctor", "--all", status=1)
    assert "WRONG timelines: 3 looked at, 3 in the cache, 2 warm, 2 wrong" in shown
    assert f"@bob: missing {posts[7]}, {posts[6]}, {posts[5]}, {posts[4]}, {posts[3]} and 2 more\n" in shown
    assert "@cat: wrong type\n" in shown

    found = json.loads(_tidings(settings, "doctor", "--all", "--repair", "--json", status=1))
    assert not found["ok"]
    timelines: dict[str, Any] = found["timelines"]
    assert timelines["repaired"] == 2
    assert {wrong["username"]: wrong["differences"] for wrong in timelines["wrong"]} == {
        "bob": [{"kind": "missing", "posts": posts[:0:-1], "elements": []}],
        "cat": [{"kind": "wrong type", "posts": [], "elements": []}],
    }
    assert json.loads(_tidings(settings, "doctor", "--sample", "2", "--json", status=0))["timelines"]["checked"] == 2
    assert await world.walk("bob", 3) == posts[::-1]


async def test_doctor_counts_likes_again(world: World, settings: Settings) -> None:
    await world.add("ada", "bob")
    post = await world.post("ada")
    await like_post(world.backends, viewer_id=world.ids["bob"], post_id=post)
    async with world.backends.database.writing() as session:
        await session.execute(text("UPDATE posts SET like_count = 4"))
    shown = _tidings(settings, "doctor", "--repair", status=1)
    assert "WRONG counters: 1 posts counted anew, 1 wrong" in shown
    assert f"post {post}: 5 likes instead of 1 (counted again)\n" in shown
    assert await wrong_counters(world.backends) == []


async def test_arguments_that_contradict_each_other(settings: Settings) -> None:
    _tidings(settings, "doctor", "--all", "--sample", "5", status=2)
    _tidings(settings, "doctor", "--sample", "0", status=2)
    _tidings(settings, "feeds", "rebuild", "--all", "--everybody", status=2)


async def test_inspect_shows_whatever_lies_there(world: World, settings: Settings) -> None:
    await world.add("ada", "bob")
    await world.follow("bob", "ada")
    post = await world.post("ada")
    await world.drain()
    await world.warm("bob")
    await world.backends.redis.redis.zadd(keys.timeline(world.ids["bob"]), {"what?": -1})
    found = json.loads(_tidings(settings, "feeds", "inspect", "bob", "--json", status=0))
    assert found["post_ids"] == [post]
    assert found["wrong"] == {"no id": ["what?"]}
    assert found["state"] == "warm"


async def test_doctor_says_where_timelines_would_not_be_compact(world: World, settings: Settings) -> None:
    redis = world.backends.redis.redis
    assert "ok    compact timelines: zset-max-listpack-entries is 600" in _tidings(settings, "doctor", status=0)
    await redis.config_set("zset-max-listpack-entries", 128)
    try:
        shown = _tidings(settings, "doctor", status=1)
    finally:
        await redis.config_set("zset-max-listpack-entries", 600)
    assert "WRONG compact timelines: zset-max-listpack-entries is 128, timelines have up to 552" in shown
