"""From staged rows to truth: accounts and follows, posts, shares, scores. Files and generated worlds both end here.

Each transaction leaves a true state and is the same whenever it runs; so what was interrupted is simply run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from db.bulk import BulkConnection, is_lost_race
from services.importing import write_accounts, write_activity, write_follows, write_posts, write_shares
from services.importing.progress import PhaseTimes, Progress, ReportProgress

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class StagedOutcome:
    """Rows written, by kind, and those that were there already."""

    new_users: int
    old_users: int
    users_seen_only_elsewhere: int
    replaced_usernames: Sequence[Any]
    """(line, wished, username)"""
    new_follows: int
    old_follows: int
    scored_follows: int
    new_posts: int
    new_shares: int


async def write_staged(
    connection: BulkConnection,
    *,
    celebrity_threshold: int,
    report: ReportProgress,
    times: PhaseTimes,
    has_reposts: bool = False,
) -> StagedOutcome:
    """Writes all that is staged, and numbered (`write_posts.number_posts`). What is there already stays as it is.

    `has_reposts`: there are some, and `choose_shares` has left those that become shares.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            # One transaction: new accounts are written once, with the counts that their first follows give them.
            async with connection.transaction():
                with times.measure("accounts"):
                    report(Progress("accounts", 0, None, "accounts"))
                    await write_accounts.resolve_people(connection)
                with times.measure("activity"):
                    await write_activity.prepare_scores(connection)
                with times.measure("follows"):
                    edges = await write_follows.prepare_follows(connection)
                    report(Progress("follows", 0, edges, "follows"))
                    cuts = await write_follows.cut_follows(connection, edges)
                    first_cut = cuts[0] if cuts else write_follows.FollowCut(1, 0, True)
                    new_follows, scored = await write_follows.insert_follows(connection, first_cut)
                with times.measure("accounts"):
                    await write_accounts.insert_people(connection)
                with times.measure("follows"):
                    await write_follows.count_follows(connection, people_are_counted=True)
            break
        except Exception as error:
            if attempt == _ATTEMPTS or not is_lost_race(error):
                raise
    with times.measure("follows"):
        report(Progress("follows", new_follows, edges, "follows"))
        for cut in cuts[1:]:
            written, with_score = await _insert_follows(connection, cut)
            new_follows, scored = new_follows + written, scored + with_score
            report(Progress("follows", new_follows, edges, "follows"))
        report(Progress("follows", edges, edges, "follows"))
    with times.measure("posts"):
        posts = await _insert_posts(connection, celebrity_threshold, report)
    with times.measure("shares"):
        shares = await _insert_shares(connection, celebrity_threshold, report) if has_reposts else 0
    with times.measure("activity"):
        report(Progress("activity", 0, None, "follows"))
        scored += await write_activity.raise_scores(connection)
    new_users, old_users, elsewhere = await write_accounts.count_people(connection)
    return StagedOutcome(
        new_users=new_users,
        old_users=old_users,
        users_seen_only_elsewhere=elsewhere,
        replaced_usernames=await write_accounts.replaced_usernames(connection),
        new_follows=new_follows,
        old_follows=edges - new_follows,
        scored_follows=scored,
        new_posts=posts,
        new_shares=shares,
    )


async def _insert_follows(connection: BulkConnection, cut: write_follows.FollowCut) -> tuple[int, int]:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with connection.transaction():
                written = await write_follows.insert_follows(connection, cut)
                await write_follows.count_follows(connection)
                return written
        except Exception as error:
            if attempt == _ATTEMPTS or not is_lost_race(error):
                raise
    raise AssertionError("the last attempt returns or raises")


async def _insert_posts(connection: BulkConnection, celebrity_threshold: int, report: ReportProgress) -> int:
    posts = await write_posts.prepare_posts(connection)
    report(Progress("posts", 0, posts, "posts"))
    batch = write_posts.POSTS_PER_TRANSACTION
    for first in range(1, posts + 1, batch):
        last = min(first + batch - 1, posts)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await write_posts.insert_posts(connection, first, last, celebrity_threshold=celebrity_threshold)
                break
            except Exception as error:
                if attempt == _ATTEMPTS or not is_lost_race(error):
                    raise
        report(Progress("posts", last, posts, "posts"))
    return posts


async def _insert_shares(connection: BulkConnection, celebrity_threshold: int, report: ReportProgress) -> int:
    shares = await write_shares.prepare_shares(connection)
    report(Progress("shares", 0, shares, "shares"))
    batch = write_shares.SHARES_PER_TRANSACTION
    written = 0
    for first in range(1, shares + 1, batch):
        last = min(first + batch - 1, shares)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                written += await write_shares.insert_shares(connection, first, last, celebrity_threshold=celebrity_threshold)
                break
            except Exception as error:
                if attempt == _ATTEMPTS or not is_lost_race(error):
                    raise
        report(Progress("shares", last, shares, "shares"))
    return written
