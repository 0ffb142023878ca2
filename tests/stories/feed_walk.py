"""Random walks through everything that may happen to feeds, judged by the plain SQL of `tests/oracle.py`.

hypothesis draws and shortens them: a walk is a run of `FeedMachine`, a step one of its rules. The numbers of a step are taken
modulo what exists when it runs, so any part of a walk is a walk as well. How the use cases run: on one event loop for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import uvloop
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bootstrap import open_backends
from domain.errors import RefusedError
from settings import Settings
from tests.stories.feed_actions import ACTIONS, Action
from tests.stories.feed_checks import check_all
from tests.stories.scene import Ground, Scene

_PEOPLE = (5, 4, 3, 6, 8, 5, 12, 30)
"""Small worlds find more in the same time: people meet more often."""
_NUMBER = st.integers(0, 999)


class Progress:
    """What has been done: walks and steps, those of shortening included."""

    def __init__(self) -> None:
        self.walks = 0
        self.steps = 0


class FeedMachine(RuleBasedStateMachine):
    """One walk. `open_ground` prepares the servers."""

    runner: ClassVar[asyncio.Runner]
    ground: ClassVar[Ground]
    progress: ClassVar[Progress] = Progress()

    def __init__(self) -> None:
        super().__init__()
        self.scene: Scene | None = None
        self._last = 0

    @initialize(
        people=st.sampled_from(_PEOPLE),
        follows=st.lists(st.tuples(_NUMBER, _NUMBER), min_size=8, max_size=24),
        window_days=st.sampled_from((7, 2, 1)),
    )
    def begin(self, people: int, follows: list[tuple[int, int]], window_days: int) -> None:
        self.progress.walks += 1
        opening = Scene.open(self.ground, people=people, follows=follows, window_days=window_days)
        self.scene = self.runner.run(opening)

    def teardown(self) -> None:
        if self.scene is not None:
            scene, self.scene = self.scene, None
            try:
                self.runner.run(check_all(scene, self._last))
            finally:
                scene.close()

    def take(self, action: Action, a: int, b: int, c: int) -> None:
        """One step; what the product refuses was not allowed, or about something that nobody can see."""
        assert self.scene is not None
        self.progress.steps += 1
        self._last = a
        try:
            self.runner.run(action(self.scene, a, b, c))  # type: ignore[arg-type]
        except RefusedError:
            return


def _as_rule(action: Action) -> object:
    def step(self: FeedMachine, a: int, b: int, c: int) -> None:
        self.take(action, a, b, c)

    step.__name__ = action.__name__
    return rule(a=_NUMBER, b=_NUMBER, c=_NUMBER)(step)


for _action, _weight in ACTIONS.items():
    for _time in range(_weight):
        # A rule is as likely as any other, so what shall happen more often is there several times.
        setattr(FeedMachine, _action.__name__ if _time == 0 else f"{_action.__name__}_{_time}", _as_rule(_action))


@contextmanager
def open_ground(at: Settings) -> Iterator[None]:
    """Lets the machine walk on these servers, which are nobody else's."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        backends_context = open_backends(at)
        backends = runner.run(backends_context.__aenter__())
        try:
            ground_context = Ground.open(backends)
            FeedMachine.ground = runner.run(ground_context.__aenter__())
            FeedMachine.runner = runner
            try:
                yield
            finally:
                runner.run(ground_context.__aexit__(None, None, None))
        finally:
            runner.run(backends_context.__aexit__(None, None, None))


def take_walks(*, first: int, walks: int, steps: int) -> None:
    """Takes so many walks of a seed, always the same ones. Raises the first difference, with the shortest walk to it."""
    run_state_machine_as_test(
        seed(first)(FeedMachine),
        settings=settings(
            max_examples=walks,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
