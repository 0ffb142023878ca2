"""What can go wrong, in words that know nothing of HTTP or GraphQL. `schema/errors.py` alone maps it to answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TidingsError(Exception):
    """An error whose code and message may be shown to the caller."""

    code = "INTERNAL_SERVER_ERROR"

    @property
    def extensions(self) -> dict[str, object]:
        """What a program is told besides the code."""
        return {}


class UnauthenticatedError(TidingsError):
    """The operation belongs to a signed-in viewer and there is none."""

    code = "UNAUTHENTICATED"


class InvalidArgumentError(TidingsError):
    """An argument outside its range (page sizes, combinations of arguments)."""

    code = "BAD_USER_INPUT"


class InvalidCursorError(TidingsError):
    """A cursor that was edited, belongs to another viewer, or to another list."""

    code = "INVALID_CURSOR"


class FeedResetError(TidingsError):
    """Missed events can no longer be replayed: fetch the feed again and go on from its `eventCursor`."""

    code = "FEED_RESET"


class UnavailableError(TidingsError):
    """A server that the answer depends on did not answer in time. The same request may succeed later."""

    code = "UNAVAILABLE"


class RateLimitedError(TidingsError):
    """A budget does not suffice for what was asked, and nothing was done. It may succeed after `retry_after_seconds`."""

    code = "RATE_LIMITED"

    def __init__(self, budget: str, retry_after_seconds: int) -> None:
        super().__init__(f"too much at once: try again in {retry_after_seconds} s")
        self.budget = budget
        self.retry_after_seconds = retry_after_seconds

    @property
    def extensions(self) -> dict[str, object]:
        return {"retryAfter": self.retry_after_seconds, "budget": self.budget}


class CacheUnavailableError(Exception):
    """Redis did not answer: never shown to a caller, PostgreSQL answers instead."""


class RefusalCode(StrEnum):
    """Why an input was refused; the names are those of the public `UserErrorCode`."""

    BLANK = "BLANK"
    TOO_LONG = "TOO_LONG"
    INVALID = "INVALID"
    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    SELF_REFERENCE = "SELF_REFERENCE"
    LIMIT_REACHED = "LIMIT_REACHED"
    CONTENT_REJECTED = "CONTENT_REJECTED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that the caller can put right. `field` is the path within the input, None for the whole of it."""

    code: RefusalCode
    message: str
    field: tuple[str, ...] | None = None


class RefusedError(Exception):
    """A use case declines: nothing was written. Becomes `userErrors`."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(", ".join(f"{refusal.code}: {refusal.message}" for refusal in refusals))
        self.refusals = refusals


def refused(code: RefusalCode, message: str, *field: str) -> RefusedError:
    """A `RefusedError` with a single reason."""
    return RefusedError(Refusal(code, message, field or None))
