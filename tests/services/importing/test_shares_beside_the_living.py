"""Imports of reposts while people share, take back and delete the same posts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random

from domain.errors import RefusedError
from services.importing import write_shares
from services.importing.import_files import import_files
from services.posts.delete_post import delete_post
from services.posts.share_post import share_post
from services.posts.unshare_post import unshare_post
from tests.import_database import query, wrong_counts
from tests.services.importing.world_files import write_file
from tests.world import World

PEOPLE, POSTS, REPOSTS = 8, 30, 400


async def test_counts_hold_and_nobody_shares_twice(world: World, database_url: str, tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(PEOPLE)]
    await world.add(*names)
    originals = [
        {"id": str(n), "user_id": names[n % PEOPLE], "created_at": "2016-04-25T00:00:00Z", "text": f"{n} #tag{n % 3}"}
        for n in range(POSTS)
    ]
    first = write_file(tmp_path / "first", "posts.jsonl", "\n".join(map(json.dumps, originals))).parent
    await import_files(database_url, first, celebrity_threshold=10)
    posts = [row[0] for row in await query(database_url, "SELECT id FROM posts")]
    random = Random(5)
    reposts = [
        {
            "id": str(1_000 + n),
            "user_id": random.choice(names),
            "created_at": f"2016-04-26T00:{n // 60:02}:{n % 60:02}Z",
            "repost_of": str(random.randrange(POSTS)),
        }
        for n in range(REPOSTS)
    ]
    second = write_file(tmp_path / "second", "posts.jsonl", "\n".join(map(json.dumps, reposts))).parent

    async def live(number: int) -> None:
        chance = Random(number)
        while not imported.done():
            who, post = world.ids[chance.choice(names)], chance.choice(posts)
            try:
                if chance.random() < 0.6:
                    posts.append(
                        (await share_post(world.backends, author_id=who, post_id=post, body=chance.choice(("", "q")))).id
                    )
                elif chance.random() < 0.8:
                    await unshare_post(world.backends, author_id=who, post_id=post)
                else:
                    await delete_post(world.backends, author_id=who, post_id=post)
            except RefusedError:
                await asyncio.sleep(0)

    size, write_shares.SHARES_PER_TRANSACTION = write_shares.SHARES_PER_TRANSACTION, 10
    try:
        imported = asyncio.create_task(import_files(database_url, second, celebrity_threshold=10))
        await asyncio.gather(*(live(number) for number in range(3)))
        summary = await imported
    finally:
        write_shares.SHARES_PER_TRANSACTION = size
    assert summary.shares.new + summary.reposts_left_out == REPOSTS
    assert await wrong_counts(database_url) == []
