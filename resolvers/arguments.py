"""Arguments that many fields share, with their public descriptions."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

First: TypeAlias = Annotated[
    int | None, strawberry.argument(description="How many entries at most, 0 to 100; 20 when left out.")
]
After: TypeAlias = Annotated[
    str | None, strawberry.argument(description="The endCursor of the page before; left out: from the beginning.")
]
Last: TypeAlias = Annotated[
    int | None, strawberry.argument(description="How many entries at most towards newer ones, 0 to 100; goes with before.")
]
Before: TypeAlias = Annotated[
    str | None, strawberry.argument(description="The startCursor of the page after; left out: from the oldest entry.")
]
EventCursor: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="An eventCursor, or the cursor of the last event received: what was missed comes first."),
]
NodeId: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="An id that this API gave out.")]
NodeIds: TypeAlias = Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 ids.")]
Username: TypeAlias = Annotated[str, strawberry.argument(description="Without regard to case, without the @.")]
