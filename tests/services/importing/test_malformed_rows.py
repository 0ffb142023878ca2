"""What is wrong with a row is said with file and line; the rest is imported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.importing.errors import ImportFilesError, ImportRowError
from services.importing.import_files import import_files
from services.importing.summary import RowProblem
from tests.import_database import contents, query
from tests.services.importing.world_files import write_file

_USERS = "id,screen_name,name,bio,created_at\n"
_FOLLOWS = "follower_id,followee_id\n"


def _post(**changes: object) -> str:
    post: dict[str, object] = {"id": "1", "user_id": "5", "created_at": "2016-04-25T00:00:31Z", "text": "Hello"}
    return json.dumps({name: value for name, value in (post | changes).items() if value is not None})


@pytest.mark.parametrize(
    ("name", "header", "row", "message"),
    [
        ("users.csv", _USERS, b",a,A,,", "id is missing"),
        ("users.csv", _USERS, b"7,a,A,", "has 4 fields, and the header names 5"),
        ("users.csv", _USERS, b"7,a,A\x00B,,", "name contains NUL"),
        ("users.csv", _USERS, b"7,a,\xff\xfe,,", "name contains NUL, a lone surrogate, or bytes that are not UTF-8"),
        ("users.csv", _USERS, b"7,a," + b"n" * 101 + b",,", "name is longer than 100 characters"),
        ("users.csv", _USERS, b"7,a,A,,yesterday", "created_at is neither an ISO 8601 time nor Unix seconds"),
        ("users.csv", _USERS, b"7,a,A,,1969-12-31T23:59:59Z", "created_at lies before 1970"),
        ("users.csv", _USERS, b"7,a,A,,9999-12-31T23:59:59-23:00", "created_at is neither"),
        ("users.csv", _USERS, b"7,a,A,,2050-01-01", "created_at lies after 2039"),
        ("users.csv", _USERS, b'7,a,A,"never closed,', "has a quote that is never closed"),
        ("users.csv", _USERS, b"8" * 256 + b",a,A,,", "id is longer than 255 characters"),
        ("follows.csv", _FOLLOWS, b"5,5", "an account cannot follow itself"),
        ("follows.csv", _FOLLOWS, b"5,", "followee_id is missing"),
        ("follows.csv", _FOLLOWS, b"5", "has 1 fields"),
        ("posts.jsonl", "", b"{", "is not JSON"),
        ("posts.jsonl", "", b"[1]", "is not a JSON object"),
        ("posts.jsonl", "", _post(id=None).encode(), "id is missing"),
        ("posts.jsonl", "", _post(id=True).encode(), "id is missing"),
        ("posts.jsonl", "", _post(id="9" * 65).encode(), "id is longer than 64 characters"),
        ("posts.jsonl", "", _post(user_id=" ").encode(), "user_id is missing"),
        ("posts.jsonl", "", _post(text=None).encode(), "text is missing"),
        ("posts.jsonl", "", _post(text=" \n ").encode(), "text is blank"),
        ("posts.jsonl", "", _post(text="x" * 5_001).encode(), "text is longer than 5,000 characters"),
        ("posts.jsonl", "", _post(text="a\0b").encode(), "text contains NUL"),
        ("posts.jsonl", "", b'{"id":"1","user_id":"5","created_at":"2016-01-01","text":"\\ud800"}', "is not JSON"),
        ("posts.jsonl", "", _post(created_at=None).encode(), "created_at is missing"),
        ("posts.jsonl", "", _post(created_at="1969-12-31T23:59:59Z").encode(), "created_at lies before 1970"),
        ("posts.jsonl", "", _post(created_at="2039-01-01T00:00:00Z").encode(), "created_at lies in the future"),
        ("posts.jsonl", "", _post(likes=-1).encode(), "likes is not a number of people"),
        ("posts.jsonl", "", _post(media=[{"url": "javascript:alert(1)"}]).encode(), "media has an entry without"),
        ("posts.jsonl", "", b'{"text":"' + b"x" * 3_000_000 + b'"}', "is not JSON"),
        ("x-activity_time.txt", "", b"5 6 1341100972", "has 3 fields"),
        ("x-activity_time.txt", "", b"5 6 1341100972 XX", "the kind is none of RT, MT, RE"),
        ("x-activity_time.txt", "", b"5 6 soon RT", "the time is neither"),
        ("x-activity_time.txt", "", b"5 6 99999999999999999999999 RT", "the time lies after 2039"),
    ],
)
async def test_a_malformed_row_is_named_and_skipped(
    database_url: str, tmp_path: Path, name: str, header: str, row: bytes, message: str
) -> None:
    good = {
        "users.csv": ("1,one,One,,", "2,two,Two,,"),
        "follows.csv": ("1,2", "2,1"),
        "posts.jsonl": (_post(id="11", user_id="1"), _post(id="12", user_id="2")),
        "x-activity_time.txt": ("1 2 1341100972 RT", "2 1 1341100972 RT"),
    }[name]
    write_file(tmp_path, name, header.encode() + good[0].encode() + b"\n" + row + b"\n" + good[1].encode() + b"\n")
    line = 2 + bool(header)

    with pytest.raises(ImportRowError, match=f"{name}:{line}: ") as raised:
        await import_files(database_url, tmp_path, celebrity_threshold=10, strict=True)
    assert (raised.value.file, raised.value.line) == (name, line)
    assert (await contents(database_url))["users"][0] == 0

    summary = await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert summary.malformed_count == 1
    [problem] = summary.malformed
    assert problem == RowProblem(name, line, problem.message)
    assert problem.message.startswith(message)
    assert summary.users.new == 2


async def test_quoted_fields_may_span_lines_and_lines_are_still_counted_right(database_url: str, tmp_path: Path) -> None:
    rows = '1,one,"One, ""the first""","two\nlines",\n2,two,Two,,nonsense\n3,three,Three,"open,\n4,four,Four,,\n'
    write_file(tmp_path, "users.csv", _USERS + rows)
    summary = await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert [(problem.line, problem.message[:10]) for problem in summary.malformed] == [(4, "created_at"), (5, "has a quot")]
    assert [tuple(row) for row in await query(database_url, "SELECT display_name, bio FROM users ORDER BY username")] == [
        ("Four", ""),
        ('One, "the first"', "two\nlines"),
    ]


@pytest.mark.parametrize("name", ["users.csv", "users.csv.gz"])
async def test_bom_line_ends_and_unknown_or_missing_columns(database_url: str, tmp_path: Path, name: str) -> None:
    write_file(tmp_path, name, b"\xef\xbb\xbfparty,id,screen_name\r\nx,1,one\r\n\r\ny,2,\r\n")
    summary = await import_files(database_url, tmp_path, celebrity_threshold=10, strict=True)
    assert (summary.users.new, summary.accounts_seen_only_elsewhere) == (2, 0)
    rows = await query(database_url, "SELECT external_id, username, display_name FROM users ORDER BY external_id")
    assert [tuple(row) for row in rows] == [("1", "one", "one"), ("2", "u2", "u2")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("users.csv", "screen_name,name\na,A\n", "has no column id"),
        ("users.csv", "", "has no column id"),
        ("follows.csv", "follower_id\n1\n", "has no column followee_id"),
        ("follows.csv.gz", None, "cannot be read to its end"),
    ],
)
async def test_a_file_that_is_wrong_as_a_whole(
    database_url: str, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    path = write_file(tmp_path, name, content or _FOLLOWS + "1,2\n" * 1_000)
    if content is None:
        path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(ImportFilesError, match=message):
        await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert (await contents(database_url))["users"][0] == 0


async def test_folders_that_cannot_be_imported(tmp_path: Path) -> None:
    for folder, message in [
        (tmp_path, "holds nothing to import"),
        (tmp_path / "absent", "does not exist"),
        (write_file(tmp_path / "other", "notes.txt", "x"), "is not a folder"),
    ]:
        with pytest.raises(ImportFilesError, match=message):
            await import_files("postgresql://127.0.0.1:1/none", folder, celebrity_threshold=10)
    write_file(tmp_path / "both", "users.csv", _USERS)
    write_file(tmp_path / "both", "users.csv.gz", _USERS)
    with pytest.raises(ImportFilesError, match="without \\.gz too"):
        await import_files("postgresql://127.0.0.1:1/none", tmp_path / "both", celebrity_threshold=10)
