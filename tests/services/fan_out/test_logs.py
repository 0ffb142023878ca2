"""Which log is told of what: on real rows, by the real jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import text

from cache.hot_script import HotScript
from domain.event_log import LogEntry, LogPosition
from domain.moderation import ModerationChange
from domain.records import Visibility
from services.accounts.update_profile import update_profile
from services.backends import Backends
from services.fan_out import deliver_event as deliver_module
from services.moderation.moderate_account import moderate_account
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.unshare_post import unshare_post
from services.preferences.update_preferences import update_preferences
from tests.world import World

PUSH, PULL = 10, 1
"""Celebrity thresholds: Ada has two followers."""


@dataclass
class LiveWorld(World):
    """Ada, whom Bob and Cat follow; Dan, whom Eve follows. All but Cat are live."""

    places: dict[int, LogPosition] = field(default_factory=dict)
    shared: LogPosition = LogPosition(0, 0)  # noqa: RUF009 - immutable

    async def fill(self) -> None:
        await self.backends.redis.redis.flushdb()
        await self.add("ada", "bob", "cat", "dan", "eve")
        await self.follow("bob", "ada")
        await self.follow("cat", "ada")
        await self.follow("eve", "dan")

    async def listen(self) -> None:
        """From now on everybody is told."""
        await self.drain()
        self.places = await self.backends.event_logs.open([self.ids[name] for name in ("ada", "bob", "dan", "eve")])
        self.shared = await self.backends.event_logs.shared_end()

    async def told(self) -> dict[str, list[LogEntry]]:
        """What has been told since, by name; `all` is the log for all."""
        names = {user_id: name for name, user_id in self.ids.items()}
        found = {
            names[viewer]: list(read.entries) for viewer, read in (await self.backends.event_logs.read(self.places)).items()
        }
        shared = await self.backends.event_logs.read_shared(self.shared)
        return found | ({"all": list(shared.entries)} if shared.entries else {})

    async def edit(self, post_id: int, body: str | None = None, visibility: Visibility | None = None) -> None:
        await edit_post(self.backends, author_id=self.ids["ada"], post_id=post_id, body=body, visibility=visibility)

    async def delete(self, post_id: int) -> None:
        await delete_post(self.backends, author_id=self.ids["ada"], post_id=post_id)


Make = Callable[[LiveWorld], Awaitable[int]]
Act = Callable[[LiveWorld, int], Awaitable[object]]


def _post(body: str = "hello", visibility: Visibility = Visibility.PUBLIC) -> Make:
    return lambda world: world.post("ada", body, visibility)


async def _shared_post(world: LiveWorld) -> int:
    post_id = await world.post("ada")
    await world.share("dan", post_id)
    return post_id


async def _quoted_post(world: LiveWorld) -> int:
    post_id = await world.post("ada")
    await world.share("dan", post_id, "so true")
    return post_id


async def _nothing(world: LiveWorld) -> int:
    return 0


async def _prefer(world: LiveWorld, _: int) -> None:
    await update_preferences(
        world.backends, viewer_id=world.ids["bob"], default_order=None, muted_words=["x"], hide_shares=None, hide_seen=None
    )


async def _make_private(world: LiveWorld, _: int) -> None:
    await update_profile(world.backends, user_id=world.ids["ada"], display_name=None, bio=None, is_private=True)


async def _unshare(world: LiveWorld, post_id: int) -> None:
    await unshare_post(world.backends, author_id=world.ids["dan"], post_id=post_id)


PRIVATE, FRIENDS, PUBLIC = Visibility.PRIVATE, Visibility.FRIENDS, Visibility.PUBLIC
RECEIVERS = "ada bob"
CASES: dict[str, tuple[int, Make, Act, str]] = {
    "published": (PUSH, _nothing, lambda w, _: w.post("ada"), RECEIVERS),
    "published for friends": (PUSH, _nothing, lambda w, _: w.post("ada", "x", FRIENDS), RECEIVERS),
    "published with a hashtag": (PUSH, _nothing, lambda w, _: w.post("ada", "#red"), f"{RECEIVERS} all"),
    "published, private": (PUSH, _nothing, lambda w, _: w.post("ada", "#red", PRIVATE), "ada"),
    "published, pulled": (PULL, _nothing, lambda w, _: w.post("ada"), "ada all"),
    "published by somebody else": (PUSH, _nothing, lambda w, _: w.post("dan"), "dan eve"),
    "shared": (PUSH, _post(), lambda w, post: w.share("dan", post), "dan eve"),
    "quoted": (PUSH, _post(), lambda w, post: w.share("dan", post, "so true"), "dan eve"),
    "shared, pulled": (PULL, _post(), lambda w, post: w.share("dan", post), "dan all"),
    "edited": (PUSH, _post(), lambda w, post: w.edit(post, "other"), RECEIVERS),
    "edited, pulled": (PULL, _post(), lambda w, post: w.edit(post, "other"), "ada all"),
    "edited, with a hashtag now": (PUSH, _post(), lambda w, post: w.edit(post, "#red"), f"{RECEIVERS} all"),
    "edited, with a hashtag before": (PUSH, _post("#red"), lambda w, post: w.edit(post, "red"), f"{RECEIVERS} all"),
    "edited, shared": (PUSH, _shared_post, lambda w, post: w.edit(post, "other"), f"{RECEIVERS} all"),
    "edited, quoted": (PUSH, _quoted_post, lambda w, post: w.edit(post, "other"), f"{RECEIVERS} all"),
    "edited, private": (PUSH, _post("#red", PRIVATE), lambda w, post: w.edit(post, "other"), "ada"),
    "made private": (PUSH, _post(), lambda w, post: w.edit(post, None, PRIVATE), RECEIVERS),
    "made private, shared": (PUSH, _shared_post, lambda w, post: w.edit(post, None, PRIVATE), f"{RECEIVERS} all"),
    "made public": (PUSH, _post("x", PRIVATE), lambda w, post: w.edit(post, None, PUBLIC), RECEIVERS),
    "deleted": (PUSH, _post(), lambda w, post: w.delete(post), RECEIVERS),
    "deleted, pulled": (PULL, _post(), lambda w, post: w.delete(post), "ada all"),
    "deleted, with a hashtag": (PUSH, _post("#red"), lambda w, post: w.delete(post), f"{RECEIVERS} all"),
    "deleted, shared": (PUSH, _shared_post, lambda w, post: w.delete(post), f"{RECEIVERS} all"),
    "deleted, private": (PUSH, _post("x", PRIVATE), lambda w, post: w.delete(post), "ada"),
    "unshared": (PUSH, _shared_post, _unshare, "dan eve"),
    "followed": (PUSH, _nothing, lambda w, _: w.follow("eve", "ada"), "eve"),
    "unfollowed": (PUSH, _nothing, lambda w, _: w.unfollow("bob", "ada"), "bob"),
    "preferred": (PUSH, _nothing, _prefer, "bob"),
    "an account made private": (PUSH, _nothing, _make_private, "all"),
    "an account suspended": (
        PUSH,
        _nothing,
        lambda w, _: moderate_account(w.backends, username="ada", change=ModerationChange.SUSPEND),
        "all",
    ),
}


@pytest.fixture
async def live(backends: Backends) -> LiveWorld:
    world = LiveWorld(backends)
    await world.fill()
    return world


async def _row(world: LiveWorld) -> LogEntry:
    """The newest row of the outbox, as logs have it."""
    async with world.backends.database.reading() as session:
        statement = "SELECT id, xact_id::text::bigint, kind, before IS NULL FROM outbox ORDER BY id DESC LIMIT 1"
        event_id, transaction_id, kind, is_first = (await session.execute(text(statement))).one()
    return LogEntry(event_id, transaction_id, kind == "post_published" and is_first)


@pytest.mark.parametrize("case", CASES)
async def test_whose_log_is_told(live: LiveWorld, case: str) -> None:
    threshold, make, act, expected = CASES[case]
    live.backends = replace(live.backends, policy=replace(live.backends.policy, celebrity_threshold=threshold))
    post_id = await make(live)
    await live.listen()
    await act(live, post_id)
    row = await _row(live)
    await live.drain()
    assert await live.told() == {name: [row] for name in expected.split()}
    assert not await live.backends.redis.redis.exists(f"ev:{{{live.ids['cat']}}}"), "cat is not live"


@pytest.mark.parametrize("act", ["edit", "delete"])
async def test_what_changes_before_it_is_decided_is_told_to_all(live: LiveWorld, act: str) -> None:
    """Readers find open posts themselves, so anybody may have seen it."""
    await live.listen()
    post_id = await live.post("ada")
    async with live.backends.database.writing() as session:
        await session.execute(text("UPDATE outbox SET next_attempt_at = now() + interval '1 h' WHERE closed_at IS NULL"))
    await (live.edit(post_id, "other") if act == "edit" else live.delete(post_id))
    row = await _row(live)
    assert await live.drain() == 1
    assert await live.told() == {"ada": [row], "all": [row]}
    async with live.backends.database.writing() as session:
        await session.execute(text("UPDATE outbox SET next_attempt_at = now() WHERE closed_at IS NULL"))
    assert await live.drain() == 1
    assert set(await live.told()) == ({"ada", "bob", "all"} if act == "edit" else {"ada", "all"})


async def test_a_job_that_is_killed_anywhere_has_told_everybody_in_the_end(
    live: LiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of the calls to Redis: what is tried again may be told twice."""
    monkeypatch.setattr(deliver_module, "JOB_SECONDS", 0.0)
    live.backends = replace(live.backends, policy=replace(live.backends.policy, fanout_batch=2, fanout_cache_batch=1))
    names = [f"f{number}" for number in range(5)]
    await live.add(*names)
    for name in names:
        await live.follow(name, "ada")
    await live.listen()
    live.places |= await live.backends.event_logs.open([live.ids[name] for name in names])
    call, left = HotScript.__call__, [0]

    async def killed(script: HotScript, **arguments: Any) -> object:
        answer = await call(script, **arguments)
        left[0] -= 1
        if left[0] == 0:
            raise RuntimeError("killed")
        return answer

    monkeypatch.setattr(HotScript, "__call__", killed)
    for act in ("post", "edit", "delete"):
        for commands in range(1, 9):
            left[0] = 0
            post_id = await live.post("ada", "#red")
            if act != "post":
                await live.drain()
                await (live.edit(post_id, "other") if act == "edit" else live.delete(post_id))
            row = await _row(live)
            left[0] = commands
            with pytest.raises(RuntimeError, match="killed"):
                await live.drain()
            async with live.backends.database.writing() as session:
                await session.execute(text("UPDATE outbox SET next_attempt_at = now() WHERE closed_at IS NULL"))
            assert await live.drain() == 1
            told = await live.told()
            assert {name for name, entries in told.items() if row in entries} == {"ada", "bob", *names, "all"}
