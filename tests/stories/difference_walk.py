"""Random walks with clients that are told differences, in one go at the end or row by row, late and in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import ClassVar

import uvloop
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bootstrap import open_backends
from domain.errors import RefusedError
from settings import Settings
from tests.stories.difference_actions import ACTIONS, KINDS, Watched, finish, release_all
from tests.stories.feed_walk import Progress
from tests.stories.plain_draws import PLAIN_DRAWS
from tests.stories.scene import Ground, Scene

_NUMBER = st.integers(0, 999)
_THREE = st.tuples(_NUMBER, _NUMBER, _NUMBER)


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

    @rule(kind=st.sampled_from(KINDS), a=_NUMBER, b=_NUMBER, c=_NUMBER)
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
                self.runner.run(release_all(watched))
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


async def _end(watched: Watched) -> None:
    await release_all(watched)
    for listener in watched.listeners:
        await finish(watched, listener)
        DifferenceMachine.told[0] += len(listener.client.changes)
        DifferenceMachine.told[1] += listener.client.looks
        was_suspended = await watched.scene.sql(
            "SELECT 1 FROM outbox WHERE kind = 'account_changed' AND author_id = $1 AND (before ->> 'is_suspended')::boolean",
            listener.client.viewer_id,
        )
        listener.client.check_resets(was_suspended=bool(was_suspended))


@contextmanager
def open_difference_ground(at: Settings) -> Iterator[None]:
    """Lets the machine walk on these servers, which are nobody else's."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        backends_context = open_backends(at)
        backends = runner.run(backends_context.__aenter__())
        try:
            ground_context = Ground.open(backends)
            DifferenceMachine.ground = runner.run(ground_context.__aenter__())
            DifferenceMachine.runner = runner
            try:
                yield
            finally:
                runner.run(ground_context.__aexit__(None, None, None))
        finally:
            runner.run(backends_context.__aexit__(None, None, None))


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
