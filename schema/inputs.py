"""What the inputs of all mutations share."""

from __future__ import annotations

import strawberry

INPUT = strawberry.argument(description="What to do.")
