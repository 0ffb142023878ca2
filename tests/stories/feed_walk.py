"""Random walks through everything that may happen to feeds, judged by the plain SQL of `tests/oracle.py`.

hypothesis draws and shortens them: a walk is a run of `FeedMachine`. The numbers of a step are taken modulo what exists when it
runs, so any part of a walk is a walk as well. All use cases run on one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import uvloop
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bootstrap import open_backends
from domain.errors import RefusedError
from settings import Settings
from tests.stories.feed_actions import ACTIONS, MOODS
from tests.stories.feed_checks import check_all
from tests.stories.plain_draws import PLAIN_DRAWS
from tests.stories.scene import Ground, Scene

_PEOPLE = (5, 4, 3, 4, 5, 6, 4, 8, 5, 12, 6, 30)
"""Small worlds find more in the same time: people meet more often."""
_NUMBER = st.integers(0, 999)
_THREE = st.tuples(_NUMBER, _NUMBER, _NUMBER)


@dataclass
class Progress:
    """Walks and steps of a batch, those of shortening included, and how many there had been when the first one failed."""

    walks: int = 0
    steps: int = 0
    walks_to_failure: int = 0
    steps_to_failure: int = 0

    def restart(self) -> None:
        self.walks = self.steps = self.walks_to_failure = self.steps_to_failure = 0

    def note_failure(self) -> None:
        if not self.walks_to_failure:
            self.walks_to_failure, self.steps_to_failure = self.walks, self.steps


class FeedMachine(RuleBasedStateMachine):
    """One walk. `open_ground` prepares the servers."""

    runner: ClassVar[asyncio.Runner]
    ground: ClassVar[Ground]
    progress: ClassVar[Progress] = Progress()

    def __init__(self) -> None:
        super().__init__()
        self.scene: Scene | None = None
        self.kinds = MOODS["even"]
        self._last = 0
        self._has_failed = False

    @initialize(
        people=st.sampled_from(_PEOPLE),
        follows=st.lists(st.tuples(_NUMBER, _NUMBER), min_size=6, max_size=24),
        posts=st.lists(_THREE, min_size=2, max_size=10),
        shares=st.lists(_THREE, max_size=6),
        tags=st.lists(_THREE, max_size=3),
        limits=st.lists(_THREE, max_size=3),
        preferences=st.lists(_THREE, max_size=3),
        window_days=st.sampled_from((7, 2, 1)),
        mood=st.sampled_from(sorted(MOODS)),
    )
    def begin(
        self,
        people: int,
        follows: list[tuple[int, int]],
        posts: list[tuple[int, int, int]],
        shares: list[tuple[int, int, int]],
        tags: list[tuple[int, int, int]],
        limits: list[tuple[int, int, int]],
        preferences: list[tuple[int, int, int]],
        window_days: int,
        mood: str,
    ) -> None:
        self.progress.walks += 1
        self.kinds = MOODS[mood]
        opening = Scene.open(self.ground, people=people, follows=follows, window_days=window_days)
        self.scene = self.runner.run(opening)
        opening_steps = {"change_follow": limits, "prefer": preferences, "tag": tags, "post": posts, "share": shares}
        for kind, steps in opening_steps.items():
            for numbers in steps:
                self._take(kind, *numbers)

    @rule(kind=st.runner().flatmap(lambda machine: st.sampled_from(machine.kinds)), a=_NUMBER, b=_NUMBER, c=_NUMBER)
    def step(self, kind: str, a: int, b: int, c: int) -> None:
        """An action and the numbers that it draws from."""
        self.progress.steps += 1
        self._last = a
        self._take(kind, a, b, c)

    def teardown(self) -> None:
        if self.scene is not None:
            scene, self.scene = self.scene, None
            try:
                if not self._has_failed:
                    self._run(check_all(scene, self._last))
            finally:
                scene.close()

    def _take(self, kind: str, a: int, b: int, c: int) -> None:
        assert self.scene is not None
        try:
            self._run(ACTIONS[kind](self.scene, a, b, c))
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


def take_walks(*, seed_number: int, walks: int, steps: int) -> None:
    """Takes so many walks of a seed, always the same ones. Raises the first difference, with the shortest walk to it."""
    run_state_machine_as_test(
        seed(seed_number)(FeedMachine),
        settings=settings(
            backend=PLAIN_DRAWS,
            max_examples=walks,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),  # not to explain: that traces every line
            report_multiple_bugs=False,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
