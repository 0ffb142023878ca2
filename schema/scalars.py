"""Scalars that GraphQL itself does not have."""

from __future__ import annotations

from datetime import UTC, datetime

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition


def _serialize(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse(value: object) -> datetime:
    # Anything but a GraphQLError would count as our own failure where the value comes in a variable.
    if not isinstance(value, str):
        raise GraphQLError("a DateTime is a string")
    try:
        parsed = datetime.fromisoformat(value)
        if parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("not an instant as ISO 8601 writes it") from None
    raise GraphQLError("a DateTime names its offset, best Z")


DATE_TIME: ScalarDefinition = strawberry.scalar(
    name="DateTime",
    description="An instant in UTC, ISO 8601 with milliseconds and a trailing Z.",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time",
    serialize=_serialize,
    parse_value=_parse,
)
