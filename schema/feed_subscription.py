"""`newPosts` and `feedEvents`: pushed by the hub, without a task for each subscriber.

Where the operation asks for nothing that depends on the viewer, an event is rendered once for all who receive it
(`live_templates.py`); otherwise each subscriber's events are executed one after the other, by a task that lives as long as
there are some.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, GraphQLError, InlineFragmentNode

from domain.errors import TidingsError
from resolvers.context import OperationContext
from schema.errors import INTERNAL, error, format_error
from schema.execution import Engine, Operation
from schema.live_sink import LiveSink
from schema.live_templates import Template, likeness, with_marks
from schema.shared_events import is_same_for_all
from services.feeds.feed_cursors import FeedPlace, open_moment, seal_place
from services.feeds.wire_events import Beat, NewPost, WireEvent
from services.live.watch_feed import with_edge_cursor
from services.live.watcher import LiveTarget, Watcher

_FIELDS = {"newPosts": False, "feedEvents": True}
"""Root fields that the hub pushes: whether they tell everything, or publications alone."""
_MAX_WAITING = 64

log = structlog.get_logger(__name__)


def feed_field(operation: Operation) -> FieldNode | None:
    """The root field, where it is one that the hub pushes."""
    selections = operation.node.selection_set.selections
    while len(selections) == 1 and not selections[0].directives:
        selection = selections[0]
        if isinstance(selection, FieldNode):
            return selection if selection.name.value in _FIELDS else None
        if isinstance(selection, InlineFragmentNode):
            selections = selection.selection_set.selections
        elif isinstance(selection, FragmentSpreadNode):
            selections = _fragment(operation, selection.name.value).selection_set.selections
    return None


def _fragment(operation: Operation, name: str) -> FragmentDefinitionNode:
    """Validated: it is there, and does not hold itself."""
    return next(
        definition
        for definition in operation.document.ast.definitions
        if isinstance(definition, FragmentDefinitionNode) and definition.name.value == name
    )


class _Nowhere:
    """The sink of a subscription that has ended."""

    has_room = False

    def put(self, payload: bytes, cursor: str | None) -> None:
        """Nobody is there."""

    def fail(self, errors: list[dict[str, Any]]) -> None:
        """Nobody is there."""

    def complete(self) -> None:
        """Nobody is there."""


_NOWHERE = _Nowhere()


class FeedSubscription:
    """One subscriber: a target of the hub, and what the transport holds."""

    __slots__ = (
        "_beat",
        "_context",
        "_engine",
        "_is_closed",
        "_sink",
        "_task",
        "_waiting",
        "_watcher",
        "operation",
        "shares",
        "wants_changes",
    )

    def __init__(self, engine: Engine, operation: Operation, context: OperationContext, sink: LiveSink) -> None:
        field = feed_field(operation)
        assert field is not None, "asked before"
        self.operation = operation
        self.wants_changes = _FIELDS[field.name.value]
        self.shares = is_same_for_all(operation.document.ast, operation.node)
        self._engine = engine
        self._context = context
        self._sink = sink
        self._watcher: Watcher | None = None
        self._waiting: deque[WireEvent] | None = None
        self._task: asyncio.Task[None] | None = None
        self._beat: Template | None = None
        self._is_closed = False

    @classmethod
    async def begin(cls, engine: Engine, operation: Operation, context: OperationContext, sink: LiveSink) -> FeedSubscription:
        """Raises TidingsError for what the viewer may not, or a cursor that is none; GraphQLError for wrong variables."""
        subscription = cls(engine, operation, context, sink)
        viewer_id = context.require_viewer_id()
        field = feed_field(operation)
        assert field is not None, "asked before"
        given = engine.arguments(operation, context, field).get("after")
        after = context.resume_after or given
        moment = open_moment(context.backends.sealer, viewer_id, after) if after is not None else None
        if subscription.wants_changes:
            # Rendered before it is needed: a process that ends has no time for it.
            subscription._beat = await subscription._find_beat()
        subscription._watcher = context.live_hub.join(viewer_id, subscription, moment)
        return subscription

    # ------------------------------------------------------------------ for the transport

    def go_on(self) -> None:
        """The sink has room again."""
        if self._watcher is not None and self.has_room:
            self._context.live_hub.go_on(self._watcher)

    def say_goodbye(self) -> None:
        """A last beat, with the cursor from which to go on elsewhere."""
        if self._beat is None or self._watcher is None or self._is_closed or self._waiting:
            return
        cursor = self._context.live_hub.last_cursor(self._watcher)
        if cursor is not None:
            self._sink.put(self._beat.fill(cursor, str), cursor)

    def close(self) -> None:
        """Ends it."""
        self._is_closed = True
        watcher, self._watcher = self._watcher, None
        # What holds one another would wait for the garbage collector, which comes seldom.
        self._sink = _NOWHERE
        if watcher is not None:
            self._context.live_hub.leave(watcher)
        if self._task is not None:
            self._task.cancel()

    # ------------------------------------------------------------------ for the hub

    @property
    def has_room(self) -> bool:
        """Whether the sink takes more, and nothing much waits to be executed."""
        return self._sink.has_room and (self._waiting is None or len(self._waiting) < _MAX_WAITING)

    def take(self, events: Sequence[WireEvent]) -> None:
        """Executes the events one after the other."""
        if self._is_closed:
            return
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.extend(events)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._execute_waiting(), name="feed-subscription")

    def end(self, error: TidingsError) -> None:
        """Nothing more comes, by this error."""
        if not self._is_closed:
            self._is_closed = True
            self._sink.fail([format_error(GraphQLError(str(error), original_error=error))])

    def put(self, event: WireEvent, template: Template) -> None:
        """An event that was rendered for all."""
        if self._is_closed:
            return
        if self._waiting:
            # Its predecessors are still being executed.
            self.take([event])
            return
        self._sink.put(template.fill(event.cursor, lambda: self._edge_cursor(event)), event.cursor)

    def cut_short(self, cursor: str) -> None:
        """No more for now: what comes behind the cursor is told when there is room."""
        if self._watcher is not None and not self._is_closed:
            self._context.live_hub.cut_short(self._watcher, cursor)

    async def render(self, event: WireEvent) -> Template | None:
        """The event's answer for all who run the same operation; None where it has errors."""
        response = await self._engine.execute_event(self.operation, self._context, with_marks(event))
        return None if "errors" in response else Template(response)

    async def _find_beat(self) -> Template | None:
        if not self.shares:
            return await self.render(Beat(""))
        is_known, template = self._engine.beats.find(self.operation.node)
        if not is_known:
            template = await self.render(Beat(""))
            self._engine.beats.keep(self.operation.node, template)
        return template

    def _edge_cursor(self, event: WireEvent) -> str:
        assert isinstance(event, NewPost), "nothing else has an edge"
        return seal_place(self._context.backends.sealer, self._context.require_viewer_id(), FeedPlace(event.edge.node.id))

    async def _execute_waiting(self) -> None:
        assert self._waiting is not None, "made before the task"
        viewer_id = self._context.require_viewer_id()
        try:
            while self._waiting:
                event = with_edge_cursor(self._context.backends, viewer_id, self._waiting[0])
                response = await self._engine.execute_event(self.operation, self._context, event)
                if self._is_closed:
                    return
                if "data" not in response:
                    self._fail(list(response["errors"]))
                    return
                self._sink.put(orjson.dumps(response), event.cursor)
                self._waiting.popleft()
                if self._waiting and not self._sink.has_room:
                    self._waiting.clear()
                    self.cut_short(event.cursor)
        except Exception:
            log.exception("subscription.failed")
            self._fail([error("something went wrong on our side", INTERNAL)])
            return
        self._waiting = None
        self.go_on()

    def _fail(self, errors: list[dict[str, Any]]) -> None:
        if not self._is_closed:
            sink = self._sink
            self.close()
            sink.fail(errors)


async def deliver(deliveries: Sequence[tuple[LiveTarget, Sequence[WireEvent]]]) -> None:
    """Hands events out: what is the same for many is rendered first, once; then everybody gets theirs, in order."""
    templates: dict[tuple[object, int], Template | None] = {}
    for target, events in deliveries:
        if isinstance(target, FeedSubscription) and target.shares:
            node = id(target.operation.node)
            for event in events:
                key = (likeness(event), node)
                if key not in templates:
                    templates[key] = await _render(target, event)
    for target, events in deliveries:
        if not (isinstance(target, FeedSubscription) and target.shares):
            target.take(events)
            continue
        node = id(target.operation.node)
        last = len(events) - 1
        for number, event in enumerate(events):
            template = templates[likeness(event), node]
            if template is not None:
                target.put(event, template)
            else:
                target.take([event])
            if number < last and not target.has_room:
                target.cut_short(event.cursor)
                break


async def _render(subscription: FeedSubscription, event: WireEvent) -> Template | None:
    try:
        return await subscription.render(event)
    except Exception:
        # Each receiver executes for itself then, and gets its own error.
        log.exception("subscription.rendering_failed")
        return None
