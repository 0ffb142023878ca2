"""Groups: within 12 hours, the newest eight, to the top by somebody new, and not by toggling."""

from __future__ import annotations

from datetime import timedelta

from domain.notifications import GROUP_WINDOW, MAX_ACTORS, REMEMBERED
from services.notifications.count_unread import count_unread
from services.notifications.mark_notifications_read import mark_notifications_read
from tests.services.graph.facts import execute
from tests.services.notifications.telling import Telling

_MINUTE = timedelta(minutes=1)


async def test_the_newest_eight_and_the_count_of_all(telling: Telling) -> None:
    names = [f"liker{number}" for number in range(12)]
    await telling.world.add(*names)
    post_id = await telling.world.post("ada")
    for name in names[:7]:
        await telling.like(name, post_id)
    await telling.process()
    for name in names[7:]:
        await telling.like(name, post_id)
    newest = tuple(reversed(names))[:MAX_ACTORS]
    assert await telling.told("ada") == [("LIKE", post_id, newest, 12)]


async def test_a_group_ends_twelve_hours_after_its_beginning(telling: Telling) -> None:
    post_id = await telling.world.post("ada")
    await telling.like("bob", post_id)
    await telling.age(GROUP_WINDOW - _MINUTE)
    await telling.like("cat", post_id)
    assert await telling.told("ada") == [("LIKE", post_id, ("cat", "bob"), 2)]
    # It is older than twelve hours now, though somebody joined it a moment ago.
    await telling.age(2 * _MINUTE)
    await telling.like("dan", post_id)
    assert await telling.told("ada") == [("LIKE", post_id, ("dan",), 1), ("LIKE", post_id, ("cat", "bob"), 2)]


async def test_somebody_new_moves_the_group_up_and_makes_it_unread(telling: Telling) -> None:
    ids = telling.world.ids
    first, second = await telling.world.post("ada"), await telling.world.post("ada")
    await telling.like("bob", first)
    await telling.process()
    await telling.like("bob", second)
    above, below = await telling.records("ada")
    assert (above.post_id, below.post_id) == (second, first)
    assert await mark_notifications_read(telling.backends, viewer_id=ids["ada"], notification_id=above.id) == 0
    assert [one.is_read for one in await telling.records("ada")] == [True, True]
    await telling.like("cat", first)
    above, below = await telling.records("ada")
    assert (above.post_id, above.is_read, below.is_read) == (first, False, True)
    assert await count_unread(telling.backends, viewer_id=ids["ada"]) == 1


async def test_toggling_tells_nobody_anything(telling: Telling) -> None:
    ids = telling.world.ids
    post_id = await telling.world.post("ada")
    await telling.like("bob", post_id)
    await telling.like("cat", post_id)
    (before,) = await telling.records("ada")
    await mark_notifications_read(telling.backends, viewer_id=ids["ada"], notification_id=before.id)
    for wait in (timedelta(0), GROUP_WINDOW + _MINUTE, timedelta(days=5)):
        await telling.age(wait)
        await telling.unlike("bob", post_id)
        assert await telling.told("ada") == [("LIKE", post_id, ("cat",), 1)]
        await telling.like("bob", post_id)
        assert await telling.told("ada") == [("LIKE", post_id, ("cat", "bob"), 2)], "where he stood"
        await telling.world.follow("dan", "ada")
        await telling.world.unfollow("dan", "ada")
        await telling.process()
        assert await count_unread(telling.backends, viewer_id=ids["ada"]) == 0
    await telling.age(REMEMBERED)
    await telling.unlike("bob", post_id)
    await telling.like("bob", post_id)
    assert (await telling.told("ada"))[0] == ("LIKE", post_id, ("bob",), 1), "after so long it is news again"


async def test_a_group_in_which_nobody_is_left_is_not_shown_and_can_come_back(telling: Telling) -> None:
    await telling.world.follow("bob", "ada")
    (before,) = await telling.records("ada")
    await telling.world.unfollow("bob", "ada")
    assert await telling.records("ada") == []
    assert await count_unread(telling.backends, viewer_id=telling.world.ids["ada"]) == 0
    await telling.world.follow("bob", "ada")
    assert await telling.records("ada") == [before]
    await telling.world.unfollow("bob", "ada")
    await telling.world.follow("cat", "ada")
    (after,) = await telling.records("ada")
    assert (after.id, after.actor_count) == (before.id, 1)
    assert after.place > before.place


async def test_rows_that_come_again_or_in_another_order_change_nothing(telling: Telling) -> None:
    post_id = await telling.world.post("ada", "@bob")
    await telling.comment("cat", post_id, "@dan")
    await telling.like("bob", post_id)
    await telling.world.share("bob", post_id)
    await telling.world.follow("bob", "ada")
    before = await telling.rows("SELECT kind, actor_id, subject_id FROM activities ORDER BY id")
    told = {name: await telling.records(name) for name in ("ada", "bob", "cat", "dan")}
    assert all(told[name] for name in ("ada", "bob", "dan"))
    rows = await telling.rows("SELECT id, place FROM notifications ORDER BY id")
    actors = await telling.rows("SELECT * FROM notification_actors ORDER BY 1, 2")
    for kind, actor_id, subject_id in [*reversed(before), *before]:
        await _note(telling, kind, actor_id, subject_id)
    assert await telling.process() == 2 * len(before)
    assert {name: await telling.records(name) for name in told} == told
    assert await telling.rows("SELECT id, place FROM notifications ORDER BY id") == rows
    assert await telling.rows("SELECT * FROM notification_actors ORDER BY 1, 2") == actors


async def _note(telling: Telling, kind: str, actor_id: int, subject_id: int) -> None:
    await execute(
        telling.world,
        "INSERT INTO activities (kind, actor_id, subject_id) VALUES (:kind, :actor_id, :subject_id)",
        kind=kind,
        actor_id=actor_id,
        subject_id=subject_id,
    )
