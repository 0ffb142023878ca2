"""Media as clients see them."""

from __future__ import annotations

import strawberry

from domain.media import MediaKind, MediaRecord, MediaState
from resolvers import media, nodes
from schema.interfaces import Node
from schema.records import represents


@represents(MediaRecord)
@strawberry.type(description="A picture that somebody has uploaded.")
class Media(Node):
    id = strawberry.field(resolver=nodes.media_id, graphql_type=strawberry.ID, description="Opaque; the same for ever.")
    kind: MediaKind = strawberry.field(description="What it is.")
    state: MediaState = strawberry.field(description="How far it has come.")
    url = strawberry.field(
        resolver=media.url, graphql_type=str | None, description="Where its content is; null unless it is READY."
    )
    thumbnail_url = strawberry.field(
        resolver=media.thumbnail_url,
        graphql_type=str | None,
        description="Where it is no larger than 320 pixels either way; null unless it is READY.",
    )
    width: int | None = strawberry.field(description="Pixels; null until the upload is finished.")
    height: int | None = strawberry.field(description="Pixels; null until the upload is finished.")
    alt_text: str | None = strawberry.field(description="What it shows, in words, for those who cannot see it.")
