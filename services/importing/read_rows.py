"""Accounts, follows and activity from their files: each row validated, the malformed ones named and skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from services.importing.find_files import read_lines
from services.importing.problems import BadRowError, RowProblems
from services.importing.read_csv import CsvTable
from services.importing.read_fields import decode, external_id, microseconds, optional_milliseconds, storable
from services.importing.rows import AccountRow, ActivityRow, FollowRow

MAX_DISPLAY_NAME_LENGTH = 100
MAX_BIO_LENGTH = 2_000
MAX_WISHED_USERNAME_LENGTH = 255

ACTIVITY_WEIGHTS = {"RT": 3.0, "MT": 2.0, "RE": 2.0}
"""What a retweet, a mention and a reply add to a follow's interaction score."""

OnBytes = Callable[[int], None]


def read_accounts(path: Path, problems: RowProblems, on_bytes: OnBytes) -> Iterator[AccountRow]:
    """`users.csv`: `id`, and where present `screen_name`, `name`, `bio`, `created_at`."""
    table = CsvTable(path, read_lines(path, on_bytes), problems, {"id"})
    columns = [table.column(name) for name in ("id", "screen_name", "name", "bio", "created_at")]
    for line, fields in table.rows():
        try:
            row_id, username, name, bio, created_at = ("" if at is None else fields[at] for at in columns)
            yield AccountRow(
                line=line,
                external_id=external_id(row_id, "id"),
                username=storable(username.strip(), "screen_name", MAX_WISHED_USERNAME_LENGTH) or None,
                display_name=storable(name.strip(), "name", MAX_DISPLAY_NAME_LENGTH),
                bio=storable(bio.strip(), "bio", MAX_BIO_LENGTH),
                created_ms=optional_milliseconds(created_at, "created_at"),
            )
        except BadRowError as error:
            problems.add(path.name, line, str(error))


def read_follows(path: Path, problems: RowProblems, on_bytes: OnBytes) -> Iterator[FollowRow]:
    """`follows.csv`: `follower_id`, `followee_id`, and where present `since`."""
    table = CsvTable(path, read_lines(path, on_bytes), problems, {"follower_id", "followee_id"})
    follower_at, followee_at, since_at = (table.column(name) for name in ("follower_id", "followee_id", "since"))
    assert follower_at is not None, "the table has checked its columns"
    assert followee_at is not None, "the table has checked its columns"
    for line, fields in table.rows():
        try:
            follower = external_id(fields[follower_at], "follower_id")
            followee = external_id(fields[followee_at], "followee_id")
            if follower == followee:
                raise BadRowError("an account cannot follow itself")
            since = None if since_at is None else optional_milliseconds(fields[since_at], "since")
            yield FollowRow(line, follower, followee, since)
        except BadRowError as error:
            problems.add(path.name, line, str(error))


def read_activity(path: Path, problems: RowProblems, on_bytes: OnBytes) -> Iterator[ActivityRow]:
    """`*activity_time.txt`: `actor target unix_time kind` a line, without header."""
    for line, raw in read_lines(path, on_bytes):
        if not raw:
            continue
        try:
            parts = decode(raw).split()
            if len(parts) != 4:
                raise BadRowError(f"has {len(parts)} fields instead of actor, target, time and kind")
            weight = ACTIVITY_WEIGHTS.get(parts[3])
            if weight is None:
                raise BadRowError(f"the kind is none of {', '.join(ACTIVITY_WEIGHTS)}")
            at_ms = microseconds(parts[2], "the time") // 1_000
            yield ActivityRow(external_id(parts[0], "the actor"), external_id(parts[1], "the target"), at_ms, weight)
        except BadRowError as error:
            problems.add(path.name, line, str(error))
