"""Begins subscriptions: feeds are pushed by the hub of the process, everything else is generated event by event."""

from __future__ import annotations

from graphql import GraphQLError

from domain.errors import TidingsError
from resolvers.context import OperationContext
from schema.errors import BAD_USER_INPUT, format_error
from schema.execution import Engine, Operation
from schema.feed_subscription import FeedSubscription, feed_field
from schema.generated_subscription import GeneratedSubscription
from schema.live_sink import LiveSink, LiveSubscription

__all__ = ["LiveSink", "LiveSubscription", "watch"]


class _Refused:
    """A subscription that never began."""

    def go_on(self) -> None:
        """There is nothing."""

    def say_goodbye(self) -> None:
        """There is nothing."""

    def close(self) -> None:
        """There is nothing."""


async def watch(engine: Engine, operation: Operation, context: OperationContext, sink: LiveSink) -> LiveSubscription:
    """Begins a subscription. What is wrong with it comes as `sink.fail`."""
    if feed_field(operation) is None:
        return GeneratedSubscription(engine, operation, context, sink)
    try:
        return await FeedSubscription.begin(engine, operation, context, sink)
    except GraphQLError as failure:
        sink.fail([format_error(failure, default_code=BAD_USER_INPUT)])
    except TidingsError as failure:
        sink.fail([format_error(GraphQLError(str(failure), original_error=failure))])
    return _Refused()
