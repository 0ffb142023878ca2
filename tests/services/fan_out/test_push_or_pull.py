"""The choice between push and pull, on real rows."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from db.posts import load_fan_out_facts
from domain.audience import Audience
from domain.ids import TIME_SHIFT
from domain.records import Visibility
from services.posts.delete_post import delete_post
from tests.world import World


async def _set_followers(world: World, name: str, count: int) -> None:
    async with world.backends.database.writing() as session:
        await session.execute(
            text("UPDATE users SET follower_count = :count WHERE id = :id"), {"count": count, "id": world.ids[name]}
        )


async def _deliveries(world: World) -> list[str | None]:
    async with world.backends.database.reading() as session:
        return list((await session.execute(text("SELECT delivery FROM posts ORDER BY id"))).scalars())


def _policy(world: World, **changes: object) -> None:
    world.backends = replace(world.backends, policy=replace(world.backends.policy, **changes))  # type: ignore[arg-type]


async def _audience(world: World, post_id: int) -> Audience:
    async with world.backends.database.reading() as session:
        facts = await load_fan_out_facts(session, post_id, writes_per_second=world.backends.policy.fanout_writes_per_second)
    assert facts is not None
    return facts.audience


async def test_an_author_at_the_threshold_does_not_flap(world: World) -> None:
    await world.add("ada")
    _policy(world, celebrity_threshold=100, pull_hysteresis=0.1)
    for follower_count in (99, 100, 99, 95, 101, 90, 89, 95, 99, 100, 91):
        await _set_followers(world, "ada", follower_count)
        await world.post("ada")
        await world.drain()
    up_and_down = ["PUSH", "PULL", "PULL", "PULL", "PULL", "PULL", "PUSH", "PUSH", "PUSH", "PULL", "PULL"]
    assert await _deliveries(world) == up_and_down


async def test_who_posts_too_often_for_the_followers_there_are_is_pulled(world: World) -> None:
    await world.add("ada")
    _policy(world, fanout_writes_per_second=4 * 900 / 3_600)
    await _set_followers(world, "ada", 900)
    for _ in range(6):
        await world.post("ada")
        await world.drain()
    assert await _deliveries(world) == ["PUSH"] * 4 + ["PULL"] * 2
    # An hour later the rate is low again, and so is the product.
    async with world.backends.database.writing() as session:
        await session.execute(text("UPDATE posts SET id = id - (3600001::bigint << :shift)"), {"shift": TIME_SHIFT})
    post = await world.post("ada")
    assert await _audience(world, post) == Audience(900, 1, was_pulled=True)
    await world.drain()
    assert (await _deliveries(world))[-1] == "PUSH"


async def test_shares_without_words_count_as_posts(world: World) -> None:
    await world.add("ada", "bob")
    root = await world.post("bob")
    for number in range(3):
        post = await world.post("ada", visibility=Visibility.PUBLIC)
        if number < 2:
            async with world.backends.database.writing() as session:
                await session.execute(
                    text(
                        "UPDATE posts SET is_plain_share = true, text = '', shared_post_id = :root, "
                        "deleted_at = CASE WHEN :gone THEN now() END WHERE id = :id"
                    ),
                    {"root": root, "id": post, "gone": number == 0},
                )
    assert (await _audience(world, post)).recent_posts == 3


async def test_counting_stops_where_more_posts_change_nothing(world: World) -> None:
    await world.add("ada")
    _policy(world, fanout_writes_per_second=1.0)
    await _set_followers(world, "ada", 1_800)
    for _ in range(6):
        post = await world.post("ada")
    assert await _audience(world, post) == Audience(1_800, 3)


async def test_what_was_never_fanned_out_says_nothing_of_the_last_choice(world: World) -> None:
    await world.add("ada")
    _policy(world, celebrity_threshold=10, pull_hysteresis=0.5)
    await _set_followers(world, "ada", 10)
    await world.post("ada")
    await world.drain()
    await _set_followers(world, "ada", 7)
    for _ in range(3):
        await world.post("ada", visibility=Visibility.PRIVATE)
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=await world.post("ada"))
    await world.drain()
    await world.post("ada")
    await world.drain()
    assert await _deliveries(world) == ["PULL", None, None, None, None, "PULL"]
