"""A text's mentions, hashtags and links: from the spans found in it to the JSON rows stored with the post, and back.

A stored row is `{"k": kind, "s": start, "e": end, "t": text}` with code point offsets, and for a mention of an account
that exists `"u"` (its id as a string: JSON numbers lose 64-bit ids), for a hashtag `"h"` (normalised), for a link `"l"`
(address).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.records import TextEntityKind, TextEntityRecord
from domain.text import SpanKind, TextSpan


def mentioned_names(spans: Iterable[TextSpan]) -> set[str]:
    """The usernames that are mentioned, in lower case: what `entity_rows` wants to have looked up."""
    return {span.target for span in spans if span.kind is SpanKind.MENTION}


def entity_rows(spans: Iterable[TextSpan], user_ids_by_lower_name: Mapping[str, int]) -> list[dict[str, Any]]:
    """The rows to store. A mention of nobody we know stays a mention, without an account."""
    rows: list[dict[str, Any]] = []
    for span in spans:
        row: dict[str, Any] = {"k": span.kind.value, "s": span.start, "e": span.end, "t": span.text}
        if span.kind is SpanKind.HASHTAG:
            row["h"] = span.target
        elif span.kind is SpanKind.LINK:
            row["l"] = span.target
        elif (user_id := user_ids_by_lower_name.get(span.target)) is not None:
            row["u"] = str(user_id)
        rows.append(row)
    return rows


def hashtag_names(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The hashtags among stored rows, normalised."""
    return {row["h"] for row in rows if "h" in row}


def to_records(rows: Iterable[Mapping[str, Any]]) -> list[TextEntityRecord]:
    """The stored rows as records."""
    return [
        TextEntityRecord(
            kind=TextEntityKind(row["k"]),
            start=row["s"],
            end=row["e"],
            text=row["t"],
            user_id=int(row["u"]) if "u" in row else None,
            hashtag=row.get("h"),
            url=row.get("l"),
        )
        for row in rows
    ]
