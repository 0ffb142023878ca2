"""Fills a database with a generated world: the same for the same seed, apart from its times, which end now."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from time import time_ns

from db.bulk import bulk_connection
from services.demo.generate_people import account_rows, follow_rows, generate_people
from services.demo.generate_posts import post_rows
from services.importing.progress import PhaseTimes, Progress, ReportProgress, report_nothing
from services.importing.stage_rows import create_staging, finish_staging, stage_accounts, stage_follows, stage_posts
from services.importing.write_posts import number_posts
from services.importing.write_staged import write_staged

MIN_USERS = 2


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """What a generated world added; what the same seed had made before is not made again."""

    users: int
    follows: int
    posts: int
    seconds: dict[str, float]
    """Time by phase."""


async def generate_world(
    database_url: str,
    *,
    users: int,
    posts: int,
    seed: int,
    celebrity_threshold: int,
    progress: ReportProgress | None = None,
    now_ms: int | None = None,
) -> WorldSummary:
    """Adds `users` accounts, one of them `demo`, their follows, and `posts` posts that end at `now_ms` (default: now).

    Raises ValueError for fewer than two users or a negative number of posts, UnavailableError without PostgreSQL.
    """
    if users < MIN_USERS or posts < 0:
        raise ValueError(f"a world has at least {MIN_USERS} users and no negative number of posts")
    report = progress or report_nothing
    now = time_ns() // 1_000_000 if now_ms is None else now_ms
    times = PhaseTimes()
    async with bulk_connection(database_url) as connection:
        with times.measure("generate"):
            await create_staging(connection)
            people = generate_people(_random(seed, "people"), users, now)
            report(Progress("generate accounts", users, users, "accounts"))
            await stage_accounts(connection, account_rows(_random(seed, "bios"), people))
            report(Progress("generate follows", 0, None, "follows"))
            await stage_follows(connection, follow_rows(_random(seed, "follows"), people, now))
            report(Progress("generate posts", 0, posts, "posts"))
            await stage_posts(connection, post_rows(_random(seed, "posts"), people, posts, now, f"world-{seed}"))
            report(Progress("generate posts", posts, posts, "posts"))
            await finish_staging(connection)
            await number_posts(connection)
        outcome = await write_staged(connection, celebrity_threshold=celebrity_threshold, report=report, times=times)
    return WorldSummary(outcome.new_users, outcome.new_follows, outcome.new_posts, times.seconds)


def _random(seed: int, purpose: str) -> Random:
    """A generator for each part, so that more of one thing does not change the others."""
    return Random(f"{seed}/{purpose}")  # noqa: S311
