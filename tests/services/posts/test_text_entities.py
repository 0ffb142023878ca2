from __future__ import annotations

from domain.records import TextEntityKind, TextEntityRecord
from domain.text import find_entities
from services.posts.text_entities import entity_rows, mentioned_names, to_records

_TEXT = "👋 @Ada and @nobody: #Früh www.example.org"


def test_rows_say_who_is_meant_and_come_back_as_records() -> None:
    spans = find_entities(_TEXT)
    assert mentioned_names(spans) == {"ada", "nobody"}
    rows = entity_rows(spans, {"ada": (1 << 62) + 1})
    assert rows == [
        {"k": "MENTION", "s": 2, "e": 6, "t": "@Ada", "u": "4611686018427387905"},
        {"k": "MENTION", "s": 11, "e": 18, "t": "@nobody"},
        {"k": "HASHTAG", "s": 20, "e": 25, "t": "#Früh", "h": "früh"},
        {"k": "LINK", "s": 26, "e": 41, "t": "www.example.org", "l": "https://www.example.org"},
    ]
    records = to_records(rows)
    assert records[0] == TextEntityRecord(TextEntityKind.MENTION, 2, 6, "@Ada", (1 << 62) + 1, None, None)
    assert [record.user_id for record in records[1:]] == [None, None, None]
    assert [(record.hashtag, record.url) for record in records[2:]] == [
        ("früh", None),
        (None, "https://www.example.org"),
    ]
    assert all(_TEXT[record.start : record.end] == record.text for record in records)
