"""The two real data sets, imported whole."""

from __future__ import annotations

import pytest

from services.importing.import_files import import_files
from services.importing.summary import Written
from tests.import_database import contents, query, wrong_counts
from tests.real_data.folders import real_folder
from tests.real_data.oracle import expected_feeds


async def test_congress2016_is_read_back_as_an_oracle_of_the_files_has_it(database_url: str) -> None:
    folder = real_folder("congress2016")
    summary = await import_files(database_url, folder, celebrity_threshold=200, strict=True)
    assert (summary.users, summary.follows, summary.posts) == (Written(516, 0), Written(61_535, 0), Written(7_822, 0))
    assert (summary.reposts_left_out, summary.replies_left_out) == (2_423, 338)
    assert (summary.duplicate_rows, summary.usernames_replaced, summary.malformed) == (0, (), ())
    assert await wrong_counts(database_url) == []

    expected = expected_feeds(folder)
    assert len(expected) == 516
    rows = await query(
        database_url,
        """
        SELECT v.external_id, array_agg(p.source_id ORDER BY p.id DESC) AS feed
        FROM users v JOIN LATERAL (
          SELECT v.id AS author_id UNION ALL SELECT followee_id FROM follows WHERE follower_id = v.id
        ) AS authors ON true JOIN posts p USING (author_id) GROUP BY v.id
        """,
    )
    feeds = {row["external_id"]: row["feed"] for row in rows}
    assert {account: feeds.get(account, []) for account in expected} == expected
    [largest] = await query(database_url, "SELECT max(follower_count), max(following_count) FROM users")
    assert tuple(largest) == (292, 509)


@pytest.mark.real_data(whole_only=True)
@pytest.mark.timeout(300)
async def test_higgs2012_at_two_thresholds(database_url: str) -> None:
    folder = real_folder("higgs2012")
    summary = await import_files(database_url, folder, celebrity_threshold=10_000, strict=True)
    assert (summary.users, summary.follows) == (Written(304_198, 0), Written(461_192, 0))
    assert (summary.activity_rows, summary.malformed_count, summary.scored_follows) == (563_069, 0, 461_192)
    assert await wrong_counts(database_url) == []
    [largest] = await query(database_url, "SELECT max(follower_count) FROM users")
    assert largest[0] == 23_143
    before = await contents(database_url)
    again = await import_files(database_url, folder, celebrity_threshold=30_000)
    assert (again.users.new, again.follows.new, again.scored_follows) == (0, 0, 0)
    assert await contents(database_url) == before
