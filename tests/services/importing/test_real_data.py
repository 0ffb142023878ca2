"""The two real data sets, imported whole."""

from __future__ import annotations

import pytest

from services.importing.import_files import import_files
from services.importing.summary import Written
from tests.import_database import contents, query, wrong_counts
from tests.real_data.folders import real_folder
from tests.real_data.oracle import read_posts
from tests.services.importing.share_oracle import expected_shares


async def test_congress2016_is_read_back_as_an_oracle_of_the_files_has_it(database_url: str) -> None:
    folder = real_folder("congress2016")
    summary = await import_files(database_url, folder, celebrity_threshold=200, strict=True)
    assert (summary.users, summary.follows, summary.posts) == (Written(516, 0), Written(61_535, 0), Written(7_822, 0))
    assert (summary.shares, summary.reposts_left_out, summary.replies_left_out) == (Written(520, 0), 1_903, 338)
    assert (summary.duplicate_rows, summary.usernames_replaced, summary.malformed) == (0, (), ())
    assert await wrong_counts(database_url) == []

    rows = list(read_posts(folder))
    shares = await query(
        database_url, "SELECT s.source_id, r.source_id FROM posts s JOIN posts r ON r.id = s.shared_post_id ORDER BY s.id"
    )
    assert {row[0]: row[1] for row in shares} == expected_shares(rows)
    # What the files call earlier has the lower id.
    order = [row[0] for row in await query(database_url, "SELECT source_id FROM posts ORDER BY id")]
    there = set(order)
    written = sorted((row for row in rows if row["id"] in there), key=lambda row: (row["created_at"], int(row["id"])))
    assert order == [row["id"] for row in written]
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
