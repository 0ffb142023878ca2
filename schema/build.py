"""The one schema object of a process."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

import schema.enums  # noqa: F401 - gives the domain's enums their public names before any type uses them
from schema.hashtags import Hashtag
from schema.live_events import FEED_EVENTS
from schema.mutation import Mutation
from schema.notifications import Notification
from schema.posts import Post
from schema.query import Query
from schema.scalars import DATE_TIME
from schema.subscription import Subscription
from schema.users import User


@cache
def build_schema() -> strawberry.Schema:
    """The schema; built once."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[User, Post, Hashtag, Notification, *FEED_EVENTS],
        config=StrawberryConfig(scalar_map={datetime: DATE_TIME}, disable_field_suggestions=True),
    )


def graphql_core_schema() -> GraphQLSchema:
    """The same as graphql-core knows it: what documents are validated against and executed on."""
    return build_schema()._schema


def print_sdl() -> str:
    """The schema in the schema definition language, as committed in schema/schema.graphql."""
    return build_schema().as_str() + "\n"
