"""What resolvers are given with every operation."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import strawberry

from domain.errors import UnauthenticatedError
from domain.records import UserRecord
from resolvers.loaders import Loaders
from services.backends import Backends
from services.live.hub import LiveHub
from services.memory.known_viewers import SeenViewer
from services.notifications.notification_feed import NotificationFeed
from services.posts.post_counts_feed import PostCountsFeed

T = TypeVar("T")


class OperationContext:
    """One per operation and per live event: who asks, and the loaders of this one answer.

    `post_counts`, `notifications`: where a process serves live counters and notifications. `resume_after`: the event cursor
    that a transport knows to be the client's newest; it goes before the `after` of the operation, which a client that
    reconnects by itself only repeats.
    """

    def __init__(
        self,
        backends: Backends,
        live_hub: LiveHub,
        viewer: UserRecord | None,
        *,
        post_counts: PostCountsFeed | None = None,
        notifications: NotificationFeed | None = None,
        resume_after: str | None = None,
        seen: SeenViewer | None = None,
    ) -> None:
        self.backends = backends
        self.live_hub = live_hub
        self.viewer = viewer
        self.post_counts = post_counts
        self.notifications = notifications
        self.resume_after = resume_after
        self.seen = seen
        """The look at the viewer when the operation began; None where nobody looked, and after a write."""
        self.asked_fields: frozenset[str] = frozenset()
        """Names of all fields of the operation's document: what is not among them need not be made ready."""
        self._loaders: Loaders | None = None

    @property
    def viewer_id(self) -> int | None:
        return self.viewer.id if self.viewer is not None else None

    def require_viewer_id(self) -> int:
        """The signed-in viewer. Raises UnauthenticatedError where there is none."""
        if self.viewer is None:
            raise UnauthenticatedError("sign in first")
        return self.viewer.id

    @property
    def loaders(self) -> Loaders:
        """Made when they are first needed: a context that only waits for events has none."""
        if self._loaders is None:
            self._loaders = Loaders(self.backends, self.viewer_id)
        return self._loaders

    def forget_loaded(self) -> None:
        """After a write: what was loaded before it is no longer true."""
        self._loaders = None
        self.seen = None

    def for_event(self) -> OperationContext:
        """A fresh context for one event of a subscription: loaders that lived longer would answer from the past."""
        return OperationContext(self.backends, self.live_hub, self.viewer)


Info: TypeAlias = strawberry.Info[OperationContext, None]


def given(argument: T | None) -> T | None:
    """An argument that was left out is the same as null."""
    return None if argument is strawberry.UNSET else argument
