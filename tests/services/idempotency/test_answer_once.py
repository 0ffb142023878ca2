"""Posts and shares under a key: one effect, whatever is repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from db.idempotency_keys import KeyOwner, try_lock_key
from domain.errors import RefusedError
from domain.records import LocationRecord, PostRecord, Visibility
from services.backends import Backends
from services.idempotency import answer_once
from services.idempotency.answer_once import ResultGoneError
from services.idempotency.forget_old_keys import forget_old_keys
from services.idempotency.run_once import find_same_request
from services.posts import publish_post as publish_post_module
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.publish_post import publish_post
from services.posts.share_post import share_post
from services.posts.unshare_post import unshare_post
from settings import Settings
from tests.count_queries import count_queries
from tests.databases import backends_with
from tests.services.graph.facts import execute, query
from tests.world import World

_PLACE = LocationRecord("Here", 1.5, 2.0)
_WRITTEN = """
    SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM outbox), (SELECT count(*) FROM idempotency_keys),
      (SELECT sum(post_count) FROM users), (SELECT coalesce(sum(share_count), 0) FROM posts)
"""

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def publish(backends: Backends, author_id: int, key: str | None = "k", **changes: Any) -> PostRecord:
    values = {"body": "hello", "visibility": Visibility.PUBLIC, "location": None, **changes}
    return await publish_post(backends, author_id=author_id, idempotency_key=key, **values)


async def refusal(work: Any) -> tuple[str, tuple[str, ...] | None]:
    with pytest.raises(RefusedError) as caught:
        await work
    [one] = caught.value.refusals
    return one.code.value, one.field


async def test_a_repetition_is_answered_and_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add("ada", "bob")
    ada, bob = world.ids["ada"], world.ids["bob"]
    post = await publish(world.backends, ada, location=_PLACE)
    quote = await share_post(world.backends, author_id=bob, post_id=post.id, body="look", idempotency_key="k")
    plain = await share_post(world.backends, author_id=bob, post_id=post.id, body="", idempotency_key="p")
    before = await query(world, _WRITTEN)
    rings: list[str] = []
    monkeypatch.setattr(type(world.backends.relay_bell), "ring", lambda _: rings.append("relay"))
    monkeypatch.setattr(type(world.backends.live_bell), "ring_counts", lambda *_: rings.append("counts"))
    for _ in range(3):
        again = await publish(world.backends, ada, location=LocationRecord("Here", 1.5, 2.0))
        assert (again.id, again.text, again.location) == (post.id, post.text, post.location)
        assert (
            await share_post(world.backends, author_id=bob, post_id=post.id, body="look", idempotency_key="k")
        ).id == quote.id
        # Blank is blank: the same request.
        assert (await share_post(world.backends, author_id=bob, post_id=post.id, body=" ", idempotency_key="p")).id == plain.id
    assert await query(world, _WRITTEN) == before
    assert rings == []


async def test_a_share_that_was_there_is_a_result_too(world: World) -> None:
    await world.add("ada", "bob")
    bob, post = world.ids["bob"], await world.post("ada")
    plain = await world.share("bob", post)
    assert (await share_post(world.backends, author_id=bob, post_id=post, body="", idempotency_key="k")).id == plain
    await unshare_post(world.backends, author_id=bob, post_id=post)
    with pytest.raises(ResultGoneError):
        await share_post(world.backends, author_id=bob, post_id=post, body="", idempotency_key="k")
    assert await query(world, "SELECT share_count FROM posts WHERE id = :id", id=post) == [(0,)]


async def test_another_input_is_refused(world: World) -> None:
    await world.add("ada", "bob")
    ada, bob = world.ids["ada"], world.ids["bob"]
    post = await publish(world.backends, ada, location=_PLACE)
    before = await query(world, _WRITTEN)
    mismatch = ("IDEMPOTENCY_MISMATCH", ("idempotencyKey",))
    others: list[dict[str, Any]] = [
        {"body": "hello "},
        {"body": "hellö"},
        {"body": "x" * 5_001},
        {"visibility": Visibility.FRIENDS},
        {"location": None},
        {"location": LocationRecord("Here", 1.5, 2.5)},
        {"location": LocationRecord("there", 1.5, 2.0)},
        {"location": LocationRecord("Here", None, None)},
    ]
    for changed in others:
        assert await refusal(publish(world.backends, ada, **{"location": _PLACE, **changed})) == mismatch
    other = await world.post("ada")
    await share_post(world.backends, author_id=bob, post_id=post.id, body="", idempotency_key="k")
    for post_id, body in ((post.id, "words"), (other, "")):
        work = share_post(world.backends, author_id=bob, post_id=post_id, body=body, idempotency_key="k")
        assert await refusal(work) == mismatch
    assert (await query(world, "SELECT count(*) FROM idempotency_keys"))[0][0] == before[0][2] + 1


async def test_texts_are_compared_as_they_are(world: World) -> None:
    await world.add("ada")
    ada = world.ids["ada"]
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    await publish(world.backends, ada, body=composed)
    assert (await refusal(publish(world.backends, ada, body=decomposed)))[0] == "IDEMPOTENCY_MISMATCH"
    # The same with keys: these are two.
    first = await publish(world.backends, ada, key=composed)
    assert (await publish(world.backends, ada, key=decomposed)).id != first.id


async def test_keys_belong_to_a_user_and_an_operation(world: World) -> None:
    await world.add("ada", "bob")
    ada, bob = world.ids["ada"], world.ids["bob"]
    post = await publish(world.backends, ada)
    assert (await publish(world.backends, bob, body="other")).id != post.id
    assert (await share_post(world.backends, author_id=ada, post_id=post.id, body="hello", idempotency_key="k")).id != post.id
    assert (await publish(world.backends, ada, key=None)).id != post.id
    assert (await publish(world.backends, ada, key=None)).id != post.id


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "BLANK"),
        (" \u3000", "BLANK"),
        ("x" * 256, "TOO_LONG"),
        ("a\nb", "INVALID"),
        ("a\0", "INVALID"),
        ("\ud800", "INVALID"),
    ],
)
async def test_keys_that_are_none(world: World, key: str, code: str) -> None:
    await world.add("ada")
    assert await refusal(publish(world.backends, world.ids["ada"], key=key)) == (code, ("idempotencyKey",))


async def test_long_keys_are_stored_whole(world: World) -> None:
    await world.add("ada")
    key = "\U0001f600" * 255
    post = await publish(world.backends, world.ids["ada"], key=key)
    assert (await publish(world.backends, world.ids["ada"], key=key)).id == post.id
    assert (await publish(world.backends, world.ids["ada"], key=key[:-1])).id != post.id


async def test_what_was_refused_leaves_the_key_free(world: World) -> None:
    await world.add("ada", "bob")
    ada, bob = world.ids["ada"], world.ids["bob"]
    assert (await refusal(publish(world.backends, ada, body=" ")))[0] == "BLANK"
    post = await publish(world.backends, ada)
    work = share_post(world.backends, author_id=bob, post_id=5, body="", idempotency_key="k")
    assert (await refusal(work))[0] == "NOT_FOUND"
    assert (await share_post(world.backends, author_id=bob, post_id=post.id, body="", idempotency_key="k")).id
    await execute(world, "DELETE FROM idempotency_keys")
    assert (await publish(world.backends, ada)).id != post.id


async def test_what_was_made_is_answered_as_it_is_now(world: World) -> None:
    await world.add("ada")
    ada = world.ids["ada"]
    post = await publish(world.backends, ada)
    await edit_post(world.backends, author_id=ada, post_id=post.id, body="changed", visibility=Visibility.PRIVATE)
    again = await publish(world.backends, ada)
    assert (again.id, again.text, again.visibility) == (post.id, "changed", Visibility.PRIVATE)
    await delete_post(world.backends, author_id=ada, post_id=post.id)
    before = await query(world, _WRITTEN)
    with pytest.raises(ResultGoneError):
        await publish(world.backends, ada)
    assert await query(world, _WRITTEN) == before


async def test_nobody_waits_for_another_process(world: World) -> None:
    await world.add("ada")
    ada = world.ids["ada"]
    conflict = ("IDEMPOTENCY_CONFLICT", ("idempotencyKey",))
    async with world.backends.database.writing() as session:
        assert await try_lock_key(session, KeyOwner(ada, "create_post", "k"))
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*(refusal(publish(world.backends, ada)) for _ in range(20)))
        assert answers == [conflict] * 20
        # Other keys are not concerned.
        await publish(world.backends, ada, key="other")
    await publish(world.backends, ada)
    assert await query(world, "SELECT count(*) FROM posts") == [(2,)]


async def test_two_processes_make_one_thing(world: World, settings: Settings) -> None:
    await world.add("ada")
    ada = world.ids["ada"]

    refusals: set[str] = set()

    async def attempt(backends: Backends) -> int | None:
        try:
            return (await publish(backends, ada)).id
        except RefusedError as error:
            refusals.update(one.code.value for one in error.refusals)
            return None

    async with backends_with(settings) as other:
        for turn in range(10):
            await execute(world, "DELETE FROM idempotency_keys")
            answers = await asyncio.gather(*(attempt(one) for _ in range(5) for one in (world.backends, other)))
            assert len({answer for answer in answers if answer is not None}) == 1
            assert await query(world, "SELECT count(*) FROM posts") == [(turn + 1,)]
    assert refusals <= {"IDEMPOTENCY_CONFLICT"}


async def test_done_by_another_process_after_the_look(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.add("ada")
    ada = world.ids["ada"]
    look, made = find_same_request, list[PostRecord]()
    async with backends_with(settings) as other:

        async def look_and_be_overtaken(*arguments: Any) -> int | None:
            found = await look(*arguments)
            if not made:
                monkeypatch.setattr(answer_once, "find_same_request", look)
                made.append(await publish(other, ada))
            return found

        monkeypatch.setattr(answer_once, "find_same_request", look_and_be_overtaken)
        assert (await publish(world.backends, ada)).id == made[0].id
    assert await query(world, "SELECT count(*) FROM posts") == [(1,)]


async def test_fifty_hold_nobody_up(world: World, settings: Settings) -> None:
    await world.add("ada", "bob")
    ada, bob = world.ids["ada"], world.ids["bob"]
    async with backends_with(settings) as other, backends_with(settings) as blocking:
        async with blocking.database.writing() as session:
            await session.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": ada})
            first = asyncio.create_task(publish(world.backends, ada))
            await _until_one_waits(world)
            # The first stands behind that lock, in its transaction; either pool has five connections.
            both = (world.backends, other)
            answers = await asyncio.gather(*(refusal(publish(one, ada)) for one in both for _ in range(25)))
            assert answers == [("IDEMPOTENCY_CONFLICT", ("idempotencyKey",))] * 50
            for one in both:
                await publish(one, bob, key=None)
            assert not first.done()
        made = await first
        assert (await publish(other, ada)).id == made.id


async def test_the_rules_for_texts_are_asked_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add("ada")
    ada, asked, may_go_on = world.ids["ada"], list[str](), asyncio.Event()

    @asynccontextmanager
    async def ask(*_: Any, body: str, **__: Any) -> AsyncIterator[None]:
        asked.append(body)
        await may_go_on.wait()
        yield

    monkeypatch.setattr(publish_post_module, "admitted_words", ask)
    attempts = [asyncio.create_task(publish(world.backends, ada)) for _ in range(10)]
    async with asyncio.timeout(10):
        while sum(one.done() for one in attempts) < 9:
            await asyncio.sleep(0.01)
    assert all(isinstance(one.exception(), RefusedError) for one in attempts if one.done())
    may_go_on.set()
    await asyncio.wait(attempts)
    await publish(world.backends, ada)
    assert asked == ["hello"]


async def test_an_attempt_that_is_given_up_leaves_nothing(world: World) -> None:
    await world.add("ada")
    ada = world.ids["ada"]
    async with world.backends.database.writing() as session:
        await session.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": ada})
        attempt = asyncio.create_task(publish(world.backends, ada))
        await _until_one_waits(world)
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
    assert world.backends.attempts.is_empty
    assert await query(world, _WRITTEN) == [(0, 0, 0, 0, 0)]
    await publish(world.backends, ada)


async def _until_one_waits(world: World) -> None:
    """For a lock, in its transaction."""
    async with asyncio.timeout(10):
        while not (await query(world, _WAITING))[0][0]:
            await asyncio.sleep(0.02)


async def test_a_key_costs_few_statements(world: World) -> None:
    await world.add("ada")
    ada = world.ids["ada"]
    with count_queries(world.backends) as with_key:
        await publish(world.backends, ada)
    with count_queries(world.backends) as again:
        await publish(world.backends, ada)
    # The look, the lock, the look under it, the row; and post, count, promise and activity, which are one without a key.
    # Of a repetition the look and the post.
    assert with_key.count == 4 + 4
    assert again.count == 2


async def test_old_keys_are_forgotten(world: World) -> None:
    await world.add("ada")
    insert = """
        INSERT INTO idempotency_keys (user_id, operation, key, request_hash, result_id, created_at)
        SELECT :ada, 'create_post', CAST(:name AS text) || n, '', 1, clock_timestamp() - make_interval(hours => :hours)
        FROM generate_series(1, :count) n
    """
    await execute(world, insert, ada=world.ids["ada"], name="old", hours=49, count=12_000)
    await execute(world, insert, ada=world.ids["ada"], name="young", hours=47, count=5)
    assert await forget_old_keys(world.backends, seconds=30.0) == 12_000
    assert await query(world, "SELECT count(*) FROM idempotency_keys WHERE key LIKE 'young%'") == [(5,)]
    assert await forget_old_keys(world.backends, seconds=30.0) == 0
