"""How much somebody deals with whom they follow: from what they do, once each, fading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.activities import ActivityKind
from domain.interaction import HALF_LIFE, WEIGHTS, faded_score
from services.engagement.bookmark_post import bookmark_post
from tests.services.graph.facts import execute
from tests.services.notifications.telling import Telling


async def scores(telling: Telling) -> dict[str, float]:
    await telling.process()
    names = {number: known for known, number in telling.world.ids.items()}
    rows = await telling.rows("SELECT follower_id, interaction_score FROM follows")
    return {names[follower]: score for follower, score in rows}


async def test_what_the_follower_does(telling: Telling) -> None:
    for name in ("bob", "cat", "dan"):
        await telling.world.follow(name, "ada")
    post_id = await telling.world.post("ada")
    await telling.like("bob", post_id)
    await telling.like("eve", post_id)  # follows nobody
    await telling.like("ada", post_id)
    assert await scores(telling) == {"bob": WEIGHTS[ActivityKind.LIKE], "cat": 0.0, "dan": 0.0}
    await telling.comment("bob", post_id)
    await telling.world.share("cat", post_id)
    await telling.world.share("cat", post_id, "words")
    await bookmark_post(telling.backends, viewer_id=telling.world.ids["dan"], post_id=post_id)
    found = await scores(telling)
    assert found["bob"] == pytest.approx(WEIGHTS[ActivityKind.LIKE] + WEIGHTS[ActivityKind.COMMENT])
    assert found["cat"] == pytest.approx(2 * WEIGHTS[ActivityKind.SHARE])
    assert found["dan"] == pytest.approx(WEIGHTS[ActivityKind.BOOKMARK])


async def test_toggling_before_anybody_looked_counts_once(telling: Telling) -> None:
    await telling.world.follow("bob", "ada")
    post_id = await telling.world.post("ada")
    for _ in range(5):
        await telling.like("bob", post_id)
        await telling.unlike("bob", post_id)
    assert await scores(telling) == {"bob": 0.0}
    for _ in range(5):
        await telling.unlike("bob", post_id)
        await telling.like("bob", post_id)
    assert await scores(telling) == {"bob": 1.0}


async def test_it_fades_and_begins_with_what_was_imported(telling: Telling) -> None:
    await telling.world.follow("bob", "ada")
    await execute(telling.world, "UPDATE follows SET interaction_score = 8")
    posts = [await telling.world.post("ada") for _ in range(2)]
    await telling.like("bob", posts[0])
    assert await scores(telling) == {"bob": 9.0}
    await execute(
        telling.world,
        "UPDATE follows SET interaction_at = interaction_at - CAST(:by AS interval)",
        by=HALF_LIFE,
    )
    await telling.like("bob", posts[1])
    assert (await scores(telling))["bob"] == pytest.approx(9 / 2 + 1, rel=1e-4)
    await execute(telling.world, "UPDATE follows SET interaction_at = '1970-01-01'")
    await telling.unlike("bob", posts[0])
    await telling.like("bob", posts[0])
    assert (await scores(telling))["bob"] == pytest.approx(1.0)


def test_the_formula() -> None:
    now = datetime.now(UTC)
    assert faded_score(4.0, now - 2 * HALF_LIFE, now) == pytest.approx(1.0)
    assert faded_score(4.0, None, now) == 4.0
    assert faded_score(4.0, now + timedelta(seconds=1), now) == 4.0
