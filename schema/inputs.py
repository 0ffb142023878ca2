"""What the inputs of all mutations share."""

from __future__ import annotations

import strawberry

INPUT = strawberry.argument(description="What to do.")

IDEMPOTENCY_KEY = (
    "1 to 255 characters of the caller's choice. The same key with the same input returns the first result, for at least "
    "24 hours; with another input: IDEMPOTENCY_MISMATCH; while the first is under way: IDEMPOTENCY_CONFLICT. "
    "What was refused leaves the key free."
)
"""The description of every `idempotencyKey`."""
