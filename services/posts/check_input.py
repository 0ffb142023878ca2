"""What a post's input must look like."""

from __future__ import annotations

import math

from domain.errors import RefusalCode, refused
from domain.records import LocationRecord
from domain.text import TextProblem, check_line, check_post_text

MAX_POST_LENGTH = 5_000
"""Code points."""
MAX_PLACE_LENGTH = 200

_PROBLEMS = {
    TextProblem.BLANK: (RefusalCode.BLANK, "must not be blank"),
    TextProblem.TOO_LONG: (RefusalCode.TOO_LONG, "is too long"),
    TextProblem.INVALID: (RefusalCode.INVALID, "holds characters that are not allowed"),
}


def check_body(body: str, *, max_length: int = MAX_POST_LENGTH) -> None:
    """Raises RefusedError: BLANK, TOO_LONG or INVALID. `max_length`: code points."""
    problem = check_post_text(body, max_length=max_length)
    if problem is not None:
        code, message = _PROBLEMS[problem]
        hint = f" (at most {max_length} characters)" if problem is TextProblem.TOO_LONG else ""
        raise refused(code, f"text {message}{hint}", "text")


def has_words(body: str) -> bool:
    """Whether there is anything in a text to be seen: a share without is one without words."""
    return check_post_text(body.strip(), max_length=MAX_POST_LENGTH) is not TextProblem.BLANK


def check_location(location: LocationRecord | None) -> None:
    """Raises RefusedError for a name that is no line of text, or degrees that are no place on Earth."""
    if location is None:
        return
    problem = check_line(location.name, max_length=MAX_PLACE_LENGTH)
    if problem is not None:
        code, message = _PROBLEMS[problem]
        raise refused(code, f"the location's name {message}", "location", "name")
    if (location.latitude is None) != (location.longitude is None):
        raise refused(RefusalCode.INVALID, "latitude and longitude go together", "location")
    for name, value, limit in (("latitude", location.latitude, 90.0), ("longitude", location.longitude, 180.0)):
        if value is not None and not (math.isfinite(value) and abs(value) <= limit):
            raise refused(RefusalCode.INVALID, f"{name} must be between -{limit:.0f} and {limit:.0f}", "location", name)
