"""Imports a folder of users, follows, posts and activity. See the contract's import files for their form."""

from __future__ import annotations

from pathlib import Path

from db.bulk import BulkConnection, bulk_connection
from services.importing.choose_shares import ChosenShares, choose_shares
from services.importing.find_files import ImportFiles, find_files
from services.importing.problems import RowProblems
from services.importing.progress import PhaseTimes, Progress, ReportProgress, report_nothing
from services.importing.read_posts import LeftOut, read_posts
from services.importing.read_rows import OnBytes, read_accounts, read_activity, read_follows
from services.importing.stage_rows import (
    create_staging,
    finish_staging,
    stage_accounts,
    stage_activity,
    stage_follows,
    stage_posts,
)
from services.importing.summary import MAX_LISTED, ImportSummary, RepostsLeftOut, UsernameReplaced, Written
from services.importing.write_posts import number_posts
from services.importing.write_staged import StagedOutcome, write_staged


async def import_files(
    database_url: str,
    folder: Path,
    *,
    celebrity_threshold: int,
    strict: bool = False,
    progress: ReportProgress | None = None,
) -> ImportSummary:
    """Imports what the folder holds; what the database has already stays as it is, so a second run changes nothing.

    All files are read and checked before anything is written. May run beside living servers. A malformed row is skipped
    and named in the summary; when `strict`, the first one raises ImportRowError and nothing is written at all.

    Raises ImportFilesError for a folder or file that cannot be read as a whole, UnavailableError without PostgreSQL.
    """
    files = find_files(folder)
    report = progress or report_nothing
    async with bulk_connection(database_url) as connection:
        reading = _Reading(connection, files, strict=strict, report=report)
        await reading.run()
        outcome = await write_staged(
            connection,
            celebrity_threshold=celebrity_threshold,
            report=report,
            times=reading.times,
            has_reposts=reading.reposts.total > 0,
        )
        return _summary(reading, outcome)


class _Reading:
    """Files into staging tables, with everything that is to be told about their rows."""

    def __init__(self, connection: BulkConnection, files: ImportFiles, *, strict: bool, report: ReportProgress) -> None:
        self._connection = connection
        self.files = files
        self._report = report
        self.problems = RowProblems(strict=strict)
        self.left_out = LeftOut()
        self.times = PhaseTimes()
        self.accounts = self.follows = self.posts = self.activity = 0
        self.distinct_accounts = self.distinct_posts = self.overflowed_posts = self.overflowed_reposts = 0
        self.reposts = ChosenShares()

    async def run(self) -> None:
        connection, problems = self._connection, self.problems
        await create_staging(connection)
        for path in self.files.users:
            with self.times.measure("read users"):
                self.accounts += await stage_accounts(connection, read_accounts(path, problems, self._on_bytes(path)))
        for path in self.files.follows:
            with self.times.measure("read follows"):
                self.follows += await stage_follows(connection, read_follows(path, problems, self._on_bytes(path)))
        for path in self.files.posts:
            with self.times.measure("read posts"):
                rows = read_posts(path, problems, self.left_out, self._on_bytes(path))
                self.posts += await stage_posts(connection, rows)
        for path in self.files.activity:
            with self.times.measure("read activity"):
                self.activity += await stage_activity(connection, read_activity(path, problems, self._on_bytes(path)))
        await finish_staging(connection)
        self.distinct_accounts = await connection.fetch_value("SELECT count(DISTINCT external_id) FROM staged_accounts")
        self.distinct_posts = await connection.fetch_value("SELECT count(DISTINCT source_id) FROM staged_posts")
        if await connection.fetch_value("SELECT EXISTS (SELECT FROM staged_posts WHERE repost_of IS NOT NULL)"):
            with self.times.measure("choose shares"):
                self.reposts = await choose_shares(connection)
        for file, line, is_repost in await number_posts(connection):
            self.overflowed_reposts += is_repost
            self.overflowed_posts += not is_repost
            problems.add(file, line, "more than 4,096 posts in the same millisecond")

    def _on_bytes(self, path: Path) -> OnBytes:
        total = path.stat().st_size
        phase = f"read {path.name}"
        self._report(Progress(phase, 0, total, "bytes"))
        return lambda done: self._report(Progress(phase, done, total, "bytes"))


def _summary(reading: _Reading, outcome: StagedOutcome) -> ImportSummary:
    users_file = reading.files.users[0].name if reading.files.users else ""
    follows = outcome.new_follows + outcome.old_follows
    posts = reading.distinct_posts - reading.reposts.total - reading.overflowed_posts
    # Chosen and not written: the original had no place itself, or people were faster.
    lost = reading.reposts.shared - reading.overflowed_reposts - outcome.new_shares
    left_out = RepostsLeftOut(
        original_absent=reading.reposts.absent + lost,
        repeated=reading.reposts.repeated,
        not_public=reading.reposts.not_public,
    )
    seconds = reading.times.seconds
    follows_seconds = seconds.get("read follows", 0.0) + seconds["follows"]
    return ImportSummary(
        users=Written(outcome.new_users, outcome.old_users),
        follows=Written(outcome.new_follows, outcome.old_follows),
        posts=Written(outcome.new_posts, posts - outcome.new_posts),
        shares=Written(outcome.new_shares, reading.reposts.there),
        accounts_seen_only_elsewhere=outcome.users_seen_only_elsewhere,
        reposts_left_out=left_out.total,
        reposts_left_out_because=left_out,
        replies_left_out=reading.left_out.replies,
        duplicate_rows=(reading.accounts - reading.distinct_accounts)
        + (reading.follows - follows)
        + (reading.posts - reading.distinct_posts),
        activity_rows=reading.activity,
        scored_follows=outcome.scored_follows,
        malformed_count=reading.problems.count,
        malformed=reading.problems.listed,
        usernames_replaced_count=len(outcome.replaced_usernames),
        usernames_replaced=tuple(UsernameReplaced(users_file, *row) for row in outcome.replaced_usernames[:MAX_LISTED]),
        seconds=seconds,
        follows_rows_per_second=reading.follows / follows_seconds if reading.follows else None,
    )
