"""Posts and reposts from `posts*.jsonl`. Replies are counted and left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from typing import Any

import orjson

from domain.text import MAX_POST_LENGTH, TextProblem, check_post_text
from services.importing.find_files import read_lines
from services.importing.problems import BadRowError, RowProblems
from services.importing.read_fields import MAX_SOURCE_ID_LENGTH, external_id, microseconds, storable
from services.importing.read_rows import OnBytes
from services.importing.rows import PostRow, order_key

LIKE_WEIGHT, REPOST_WEIGHT = 1.0, 2.0
"""What one like and one repost of the file's totals add to a post's engagement score."""

_MAX_MEDIA = 32
_MAX_ADDRESS_LENGTH = 2_048
_MAX_TOTAL = 1 << 53
_MEDIA_NUMBERS = ("w", "h")
_TEXT_PROBLEMS = {
    TextProblem.BLANK: "text is blank",
    TextProblem.TOO_LONG: f"text is longer than {MAX_POST_LENGTH:,} characters",
    TextProblem.INVALID: "text contains NUL, another control character, or a lone surrogate",
}


@dataclass(slots=True)
class LeftOut:
    """Rows that are understood and not imported. A row that is both a repost and a reply is none of them."""

    replies: int = 0


def read_posts(path: Path, problems: RowProblems, left_out: LeftOut, on_bytes: OnBytes) -> Iterator[PostRow]:
    """One JSON object a line; see the contract's import files. Posts of the future are malformed: they would top all feeds."""
    now_us = time_ns() // 1_000
    for line, raw in read_lines(path, on_bytes):
        if not raw.strip():
            continue
        try:
            post = _parse(raw)
            if post.get("repost_of"):
                yield _repost(path.name, line, post, now_us)
            elif post.get("reply_to"):
                left_out.replies += 1
            else:
                yield _row(path.name, line, post, now_us)
        except BadRowError as error:
            problems.add(path.name, line, str(error))


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        post = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRowError(f"is not JSON: {error}") from None
    if not isinstance(post, dict):
        raise BadRowError("is not a JSON object")
    return post


def _row(file: str, line: int, post: dict[str, Any], now_us: int) -> PostRow:
    source_id = _id(post, "id", MAX_SOURCE_ID_LENGTH)
    text = post.get("text")
    if not isinstance(text, str):
        raise BadRowError("text is missing")
    problem = check_post_text(text)
    if problem is not None:
        raise BadRowError(_TEXT_PROBLEMS[problem])
    return PostRow(
        file=file,
        line=line,
        source_id=source_id,
        order_key=order_key(source_id),
        created_us=_created_us(post, now_us),
        author=_id(post, "user_id"),
        text=text,
        media=_media(post.get("media")),
        score=LIKE_WEIGHT * _total(post, "likes") + REPOST_WEIGHT * _total(post, "reposts"),
    )


def _repost(file: str, line: int, post: dict[str, Any], now_us: int) -> PostRow:
    """Text, media and totals are those of the original, repeated: nobody looks at them."""
    source_id = _id(post, "id", MAX_SOURCE_ID_LENGTH)
    return PostRow(
        file=file,
        line=line,
        source_id=source_id,
        order_key=order_key(source_id),
        created_us=_created_us(post, now_us),
        author=_id(post, "user_id"),
        text="",
        media=[],
        score=0.0,
        repost_of=_id(post, "repost_of"),
    )


def _created_us(post: dict[str, Any], now_us: int) -> int:
    created_at = post.get("created_at")
    if not isinstance(created_at, str):
        raise BadRowError("created_at is missing")
    created_us = microseconds(created_at.strip(), "created_at")
    if created_us > now_us:
        raise BadRowError("created_at lies in the future")
    return created_us


def _id(post: dict[str, Any], name: str, max_length: int | None = None) -> str:
    value = post.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadRowError(f"{name} is missing")
    return external_id(value, name) if max_length is None else external_id(value, name, max_length)


def _total(post: dict[str, Any], name: str) -> int:
    value = post.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_TOTAL:
        raise BadRowError(f"{name} is not a number of people")
    return value


def _media(value: object) -> list[dict[str, Any]]:
    """Remote addresses, as objects with `url`, and `type`, `w`, `h` where the file has them."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MAX_MEDIA:
        raise BadRowError(f"media is not a list of at most {_MAX_MEDIA}")
    return [_medium(item if isinstance(item, dict) else {"url": item}) for item in value]


def _medium(item: dict[str, Any]) -> dict[str, Any]:
    url = item.get("url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise BadRowError("media has an entry without an http(s) address")
    medium: dict[str, Any] = {"url": storable(url, "the address of media", _MAX_ADDRESS_LENGTH)}
    if isinstance(item.get("type"), str):
        medium["type"] = storable(item["type"], "the type of media", 32)
    for name in _MEDIA_NUMBERS:
        size = item.get(name)
        if isinstance(size, int) and not isinstance(size, bool) and 0 < size < 1 << 31:
            medium[name] = size
    return medium
