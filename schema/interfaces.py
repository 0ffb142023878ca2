"""Types that others are made of."""

from __future__ import annotations

import strawberry

from domain.errors import RefusalCode
from domain.paging import PageInfo as PageInfoRecord
from schema.records import represents


@strawberry.interface(description="Anything that has an id of its own.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque; the same for ever.")


@represents(PageInfoRecord)
@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more beyond the end of the page.")
    has_previous_page: bool = strawberry.field(description="Whether there is something before the page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first entry.")
    end_cursor: str | None = strawberry.field(description="Where to go on: the cursor of the last entry that was looked at.")


@strawberry.type(description="A refusal that the caller can put right.")
class UserError:
    field: list[str] | None = strawberry.field(description="The path within the input; null when it concerns the whole.")
    message: str = strawberry.field(description="What is wrong, in English.")
    code: RefusalCode = strawberry.field(description="What is wrong, for programs.")
