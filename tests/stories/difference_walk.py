"""Random walks with clients that are told differences, in one go at the end or row by row, late and in any order.

`python -m tests.stories.difference_walk --runs 2000` takes more of them than the suite does; `--plant NAME` plants a mistake
of `planted_difference_bugs.py` first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from domain.errors import RefusedError
from domain.records import Visibility
from services.feeds.feed_difference import find_concerned
from services.posts.edit_post import edit_post
from services.posts.share_post import share_post
from services.preferences.update_preferences import update_preferences
from tests.stories import machine_actions, people_actions, post_actions
from tests.stories.feed_walk import Progress
from tests.stories.live_watching import held_post
from tests.stories.plain_draws import PLAIN_DRAWS
from tests.stories.scene import WORDS, Ground, Scene
from tests.stories.told_client import ToldClient

_NUMBER = st.integers(0, 999)
_THREE = st.tuples(_NUMBER, _NUMBER, _NUMBER)


@dataclass
class Listener:
    """A client and what its logs have named that it was not told yet. Without a log it asks for everything."""

    client: ToldClient
    has_log: bool
    waiting: list[int] = field(default_factory=list)


@dataclass
class Watched:
    """The scene, its clients, and posts whose transactions are still open."""

    scene: Scene
    listeners: list[Listener] = field(default_factory=list)
    held: list[AsyncExitStack] = field(default_factory=list)
    logged: set[int] = field(default_factory=set)

    async def write_logs(self) -> None:
        """Names new rows to those whom they concern by now."""
        rows = [row[0] for row in await self.scene.sql("SELECT id FROM outbox") if row[0] not in self.logged]
        self.logged |= set(rows)
        viewers = {listener.client.viewer_id for listener in self.listeners}
        if not rows or not viewers:
            return
        async with self.scene.backends.database.reading() as session:
            concerned = await find_concerned(session, rows, viewers)
        for listener in self.listeners:
            if listener.has_log:
                listener.waiting += [row for row in rows if listener.client.viewer_id in concerned.get(row, ())]


Action = Callable[[Watched, int, int, int], Coroutine[None, None, None]]


def _plain(action: Callable[[Scene, int, int, int], Coroutine[None, None, None]]) -> Action:
    async def act(watched: Watched, a: int, b: int, c: int) -> None:
        await action(watched.scene, a, b, c)

    return act


async def _join(watched: Watched, a: int, b: int, _: int) -> None:
    """Somebody reads the feed, and wants to be told from then on."""
    viewer_id = watched.scene.id(a)
    if len(watched.listeners) < 6 and await watched.scene.is_awake(viewer_id):
        await watched.write_logs()
        client = await ToldClient.open(watched.scene.backends, viewer_id)
        watched.listeners.append(Listener(client, has_log=b % 3 != 0))


async def _be_told(watched: Watched, a: int, b: int, c: int) -> None:
    """Part of what a log names, in any order; now and then everything is asked for."""
    if not watched.listeners:
        return
    listener = watched.listeners[a % len(watched.listeners)]
    await watched.write_logs()
    if not listener.has_log and b % 4:
        return
    if not listener.has_log or c % 9 == 0:
        await listener.client.look()
        return
    chance = Random(b)
    chosen = [row for row in listener.waiting if chance.random() < (0.3, 0.6, 1.0)[c % 3]]
    if chosen:
        await listener.client.look(chosen)
    listener.waiting = [row for row in listener.waiting if row not in chosen or chance.random() < 0.1]


async def _be_told_and_check(watched: Watched, a: int, _b: int, _c: int) -> None:
    if watched.listeners:
        await _finish(watched, watched.listeners[a % len(watched.listeners)])


async def _finish(watched: Watched, listener: Listener) -> None:
    await watched.write_logs()
    await listener.client.look(listener.waiting if listener.has_log else None)
    listener.waiting = []
    if await watched.scene.is_awake(listener.client.viewer_id):
        await listener.client.check()


async def _hold(watched: Watched, a: int, _b: int, c: int) -> None:
    """A post that has its ids, and appears only when its transaction commits."""
    if len(watched.held) < 2:
        stack = AsyncExitStack()
        async with watched.scene.at(c):
            post_id = await stack.enter_async_context(held_post(watched.scene.world, watched.scene.name(a)))
        stack.callback(watched.scene.posts.append, (watched.scene.name(a), post_id))
        watched.held.append(stack)


async def _release(watched: Watched, a: int, _b: int, _c: int) -> None:
    if watched.held:
        await watched.held.pop(a % len(watched.held)).aclose()


async def _prefer(watched: Watched, a: int, b: int, c: int) -> None:
    """Without hiding what was seen: a client that has it keeps it."""
    await update_preferences(
        watched.scene.backends,
        viewer_id=watched.scene.id(a),
        default_order=None,
        muted_words=(None, [], [WORDS[c % 3]], [WORDS[c % 3], WORDS[c // 3 % 3]])[b % 4],
        hide_shares=(None, True, False, None, False)[b // 4 % 5],
        hide_seen=None,
    )


async def _unmute(watched: Watched, a: int, _b: int, c: int) -> None:
    """By hand: a mute that ends by time tells nobody."""
    await people_actions.unmute(watched.scene, a, 0, c)


async def _quote(watched: Watched, a: int, b: int, c: int) -> None:
    recent = watched.scene.recent(b)
    if recent is not None:
        words = f"{WORDS[c % 3]} {'#red' if c % 2 else ''}"
        made = await share_post(watched.scene.backends, author_id=watched.scene.id(a), post_id=recent[1], body=words)
        watched.scene.posts.append((watched.scene.name(a), made.id))


async def _edit_what_is_passed_on(watched: Watched, a: int, b: int, c: int) -> None:
    scene = watched.scene
    rows = await scene.sql("SELECT id, author_id FROM posts WHERE share_count > 0 AND deleted_at IS NULL ORDER BY id")
    if rows:
        post_id, author_id = rows[a % len(rows)]
        visibility = (None, Visibility.PUBLIC, Visibility.FRIENDS, Visibility.PRIVATE)[b % 4]
        text = f"{WORDS[c % 3]} {c}" if c % 2 else None
        await edit_post(scene.backends, author_id=author_id, post_id=post_id, body=text, visibility=visibility)


_WEIGHTS: dict[str, tuple[Action, int]] = {
    "post": (_plain(post_actions.post), 8),
    "edit": (_plain(post_actions.edit), 4),
    "edit_what_is_passed_on": (_edit_what_is_passed_on, 4),
    "hide_and_show": (_plain(post_actions.hide_and_show), 2),
    "delete": (_plain(post_actions.delete), 4),
    "share": (_plain(post_actions.share), 7),
    "quote": (_quote, 4),
    "share_by_many": (_plain(post_actions.share_by_many), 2),
    "unshare": (_plain(post_actions.unshare), 4),
    "follow": (_plain(people_actions.follow), 6),
    "unfollow": (_plain(people_actions.unfollow), 5),
    "drop_follower": (_plain(people_actions.drop_follower), 2),
    "block": (_plain(people_actions.block), 2),
    "unblock": (_plain(people_actions.unblock), 2),
    "mute": (_plain(people_actions.mute), 3),
    "unmute": (_unmute, 2),
    "change_follow": (_plain(people_actions.change_follow), 6),
    "tag": (_plain(people_actions.tag), 4),
    "prefer": (_prefer, 3),
    "set_private": (_plain(people_actions.set_private), 3),
    "answer_request": (_plain(people_actions.answer_request), 3),
    "moderate": (_plain(people_actions.moderate), 2),
    "drain": (_plain(machine_actions.drain), 1),
    "threshold": (_plain(machine_actions.threshold), 1),
    "hold": (_hold, 3),
    "release": (_release, 2),
    "join": (_join, 4),
    "be_told": (_be_told, 14),
    "be_told_and_check": (_be_told_and_check, 4),
}
ACTIONS = {name: action for name, (action, _) in _WEIGHTS.items()}
_KINDS = [name for name, (_, weight) in _WEIGHTS.items() for _ in range(weight)]


class DifferenceMachine(RuleBasedStateMachine):
    """One walk. `open_ground` prepares the servers."""

    runner: ClassVar[asyncio.Runner]
    ground: ClassVar[Ground]
    progress: ClassVar[Progress] = Progress()
    told: ClassVar[list[int]] = [0, 0]
    """(changes told, looks) of all walks."""

    def __init__(self) -> None:
        super().__init__()
        self.watched: Watched | None = None
        self._has_failed = False

    @initialize(
        people=st.sampled_from((3, 4, 5, 6)),
        follows=st.lists(st.tuples(_NUMBER, _NUMBER), min_size=4, max_size=20),
        posts=st.lists(_THREE, min_size=2, max_size=8),
        shares=st.lists(_THREE, max_size=6),
        tags=st.lists(_THREE, max_size=3),
        limits=st.lists(_THREE, max_size=3),
        window_days=st.sampled_from((7, 2, 1)),
    )
    def begin(
        self,
        people: int,
        follows: list[tuple[int, int]],
        posts: list[tuple[int, int, int]],
        shares: list[tuple[int, int, int]],
        tags: list[tuple[int, int, int]],
        limits: list[tuple[int, int, int]],
        window_days: int,
    ) -> None:
        self.progress.walks += 1
        opening = Scene.open(self.ground, people=people, follows=follows, window_days=window_days)
        self.watched = Watched(self.runner.run(opening))
        for kind, steps in {"change_follow": limits, "tag": tags, "post": posts, "share": shares}.items():
            for numbers in steps:
                self._take(kind, *numbers)
        self._take("join", 0, 0, 0)
        self._take("join", 0, 1, 0)
        self._take("join", 1, 1, 0)

    @rule(kind=st.sampled_from(_KINDS), a=_NUMBER, b=_NUMBER, c=_NUMBER)
    def step(self, kind: str, a: int, b: int, c: int) -> None:
        """An action and the numbers that it draws from."""
        self.progress.steps += 1
        self._take(kind, a, b, c)

    def teardown(self) -> None:
        if self.watched is None:
            return
        watched, self.watched = self.watched, None
        try:
            if self._has_failed:
                self.runner.run(_release_all(watched))
            else:
                self._run(_end(watched))
        finally:
            watched.scene.close()

    def _take(self, kind: str, a: int, b: int, c: int) -> None:
        assert self.watched is not None
        try:
            self._run(ACTIONS[kind](self.watched, a, b, c))
        except RefusedError:  # not allowed, or about something that nobody can see
            return

    def _run(self, work: Coroutine[None, None, None]) -> None:
        try:
            self.runner.run(work)
        except RefusedError:
            raise
        except Exception:
            self._has_failed = True
            self.progress.note_failure()
            raise


async def _release_all(watched: Watched) -> None:
    while watched.held:
        await watched.held.pop().aclose()


async def _end(watched: Watched) -> None:
    await _release_all(watched)
    for listener in watched.listeners:
        await _finish(watched, listener)
        DifferenceMachine.told[0] += len(listener.client.changes)
        DifferenceMachine.told[1] += listener.client.looks
        was_suspended = await watched.scene.sql(
            "SELECT 1 FROM outbox WHERE kind = 'account_changed' AND author_id = $1 AND (before ->> 'is_suspended')::boolean",
            listener.client.viewer_id,
        )
        listener.client.check_resets(was_suspended=bool(was_suspended))


def take_difference_walks(*, seed_number: int, walks: int, steps: int) -> None:
    """Takes so many walks of a seed, always the same ones. Raises the first difference, with the shortest walk to it."""
    run_state_machine_as_test(
        seed(seed_number)(DifferenceMachine),
        settings=settings(
            backend=PLAIN_DRAWS,
            max_examples=walks,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
