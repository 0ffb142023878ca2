"""What an import did: the record that is printed, or given out as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that was skipped, and why. `line` counts from 1, the header included."""

    file: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class UsernameReplaced:
    """An account that could not get the name in the file: not a username, or taken by another account."""

    file: str
    line: int
    wanted: str
    username: str


@dataclass(frozen=True, slots=True)
class Written:
    """Rows of one kind: new ones, and those that the database already had."""

    new: int
    already_there: int


@dataclass(frozen=True, slots=True)
class RepostsLeftOut:
    """Reposts that did not become shares, by the reason why."""

    original_absent: int
    """Neither in the files nor in the database, left out itself, or deleted."""
    repeated: int
    """The same account has shared the same original before: the first share stays."""
    not_public: int
    """The original is not public, or its author's account is private."""

    @property
    def total(self) -> int:
        return self.original_absent + self.repeated + self.not_public


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """The outcome of one import."""

    users: Written
    follows: Written
    posts: Written
    shares: Written
    """Reposts that became shares without words."""
    accounts_seen_only_elsewhere: int
    """New accounts without a row in users.csv: named by follows, posts or activity alone. Part of `users.new`."""
    reposts_left_out: int
    reposts_left_out_because: RepostsLeftOut
    replies_left_out: int
    duplicate_rows: int
    """Rows of users, follows and posts that repeat an earlier row's id; the first one counts."""
    activity_rows: int
    scored_follows: int
    """Follows whose interaction score the activity raised."""
    malformed_count: int
    malformed: tuple[RowProblem, ...]
    """The first `MAX_LISTED` of the malformed rows."""
    usernames_replaced_count: int
    usernames_replaced: tuple[UsernameReplaced, ...]
    """The first `MAX_LISTED` of them."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time by phase."""
    follows_rows_per_second: float | None = None
    """Rows of follows files by the seconds for reading, writing, indexing and counting them; None without any row."""


MAX_LISTED = 1_000
"""Problems kept with their places; beyond that they are only counted, so that a wrong file cannot fill the memory."""
