"""What an import makes of good rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from db.database import asyncpg_url
from domain.ids import created_at_of, make_id, milliseconds_of, shard_of
from services.importing.import_files import import_files
from services.importing.progress import Progress
from services.importing.summary import UsernameReplaced, Written
from tests.import_database import query, wrong_counts
from tests.services.importing.world_files import write_file, write_world

_USERS = "id,screen_name,name,bio,created_at\n"
_FOLLOWS = "follower_id,followee_id\n"


def _posts(*posts: Mapping[str, object]) -> str:
    defaults = {"user_id": "1", "created_at": "2016-04-25T00:00:31Z", "text": "Hello"}
    return "\n".join(json.dumps({**defaults, **post}) for post in posts)


async def test_a_whole_world(database_url: str, tmp_path: Path) -> None:
    said: list[Progress] = []
    summary = await import_files(database_url, write_world(tmp_path), celebrity_threshold=100, progress=said.append)
    assert await wrong_counts(database_url) == []
    assert summary.malformed == ()
    assert summary.shares.new + summary.reposts_left_out == 90
    assert summary.shares.new > 30
    assert summary.replies_left_out == 30
    assert summary.posts == Written(780, 0)
    assert summary.accounts_seen_only_elsewhere == summary.users.new - 120
    assert summary.scored_follows == summary.follows.new
    assert set(summary.seconds) >= {"read users", "read follows", "read posts", "accounts", "follows", "posts"}
    assert Progress("posts", 780, 780, "posts") in said
    assert all(progress.total is None or progress.done <= progress.total for progress in said)

    [pulled] = await query(
        database_url,
        """
        SELECT count(*) FILTER (WHERE (p.delivery = 'PULL') <> (u.follower_count >= 100)) AS wrong,
          count(*) FILTER (WHERE p.delivery = 'PULL') AS pulled,
          count(*) FILTER (WHERE p.delivery = 'PULL' AND NOT u.has_pulled_posts) AS unmarked
        FROM posts p JOIN users u ON u.id = p.author_id
        """,
    )
    assert pulled["wrong"] == pulled["unmarked"] == 0
    assert pulled["pulled"] > 0
    [marked] = await query(
        database_url,
        "SELECT count(*) FROM users u WHERE has_pulled_posts AND NOT EXISTS "
        "(SELECT FROM posts p WHERE p.author_id = u.id AND delivery = 'PULL')",
    )
    assert marked[0] == 0


async def test_ids_of_posts_carry_time_order_and_shard(database_url: str, tmp_path: Path) -> None:
    write_file(tmp_path, "users.csv", _USERS + "1,one,,,\n2,two,,,\n")
    instant = "2016-04-25T00:00:31.250Z"
    write_file(
        tmp_path,
        "posts.jsonl",
        _posts(
            {"id": "b", "created_at": instant},
            {"id": "10", "created_at": instant, "user_id": "2"},
            {"id": "9", "created_at": "2016-04-25T02:00:31.250+02:00"},
            {"id": "3", "created_at": "2016-04-25T00:00:31.250400Z"},
            {"id": "a", "created_at": "2016-04-25T00:00:31.249999Z"},
        ),
    )
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    rows = await query(database_url, "SELECT id, author_id, source_id, created_at FROM posts ORDER BY id")
    assert [row["source_id"] for row in rows] == ["a", "9", "10", "b", "3"]
    second = int(datetime(2016, 4, 25, 0, 0, 31, tzinfo=UTC).timestamp()) * 1_000
    places = [(249, 0), (250, 0), (250, 1), (250, 2), (250, 3)]
    for row, (milliseconds, sequence) in zip(rows, places, strict=True):
        assert row["id"] == make_id(milliseconds=second + milliseconds, sequence=sequence, shard=shard_of(row["author_id"]))
        assert row["created_at"] == created_at_of(row["id"])


async def test_posts_beside_others_of_the_same_millisecond_take_free_numbers(database_url: str, tmp_path: Path) -> None:
    write_file(tmp_path / "first", "posts.jsonl", _posts({"id": "5"}, {"id": "6"}))
    await import_files(database_url, tmp_path / "first", celebrity_threshold=10)
    write_file(tmp_path / "second", "posts.jsonl", _posts({"id": "4"}, {"id": "5"}, {"id": "7"}))
    summary = await import_files(database_url, tmp_path / "second", celebrity_threshold=10)
    assert summary.posts == Written(2, 1)
    rows = await query(database_url, "SELECT source_id, (id >> 10) & 4095 FROM posts ORDER BY id")
    assert [tuple(row) for row in rows] == [("5", 0), ("6", 1), ("4", 2), ("7", 3)]


async def test_a_millisecond_holds_4096_posts(database_url: str, tmp_path: Path) -> None:
    write_file(tmp_path, "posts.jsonl", _posts(*({"id": str(n), "user_id": str(n % 7)} for n in range(4_098))))
    summary = await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert summary.posts == Written(4_096, 0)
    assert summary.duplicate_rows == 0
    assert [(row.line, row.message) for row in summary.malformed] == [
        (line, "more than 4,096 posts in the same millisecond") for line in (4_097, 4_098)
    ]


async def test_what_a_post_keeps(database_url: str, tmp_path: Path) -> None:
    write_file(tmp_path, "users.csv", _USERS + "1,One_A,,,\n")
    media = [{"url": "https://example.org/a.jpg", "type": "photo", "w": 10, "h": 20, "more": 1}]
    post = {"id": "1", "text": "👋 @one_a @nobody #Tag https://example.org/x", "likes": 5, "reposts": 2, "media": media}
    write_file(tmp_path, "posts.jsonl", _posts(post))
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    [row] = await query(database_url, "SELECT p.*, u.id AS user_id FROM posts p JOIN users u ON u.id = author_id")
    assert (row["engagement_score"], row["like_count"], row["share_count"]) == (9.0, 0, 0)
    assert json.loads(row["media_links"]) == [{"url": "https://example.org/a.jpg", "type": "photo", "w": 10, "h": 20}]
    assert json.loads(row["entities"]) == [
        {"k": "MENTION", "s": 2, "e": 8, "t": "@one_a", "u": str(row["user_id"])},
        {"k": "MENTION", "s": 9, "e": 16, "t": "@nobody"},
        {"k": "HASHTAG", "s": 17, "e": 21, "t": "#Tag", "h": "tag"},
        {"k": "LINK", "s": 22, "e": 43, "t": "https://example.org/x", "l": "https://example.org/x"},
    ]
    assert (row["visibility"], row["delivery"]) == ("PUBLIC", "PUSH")
    assert await query(database_url, "SELECT FROM outbox") == []


async def test_names_that_are_bad_or_taken(database_url: str, tmp_path: Path) -> None:
    await query(database_url, "INSERT INTO users (external_id, username) VALUES ('old', 'Taken'), ('5', 'five')")
    rows = ["1,taken,,,", "2,Same,,,", "3,same,,,", "4,no spaces,,,", "5,other,,,", "6,u7,,,", "7,,,,", "8-x,,,,", "8_x,,,,"]
    write_file(tmp_path, "users.csv", _USERS + "\n".join(rows))
    summary = await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert summary.users == Written(8, 1)
    assert summary.usernames_replaced == (
        UsernameReplaced("users.csv", 2, "taken", "u1"),
        UsernameReplaced("users.csv", 4, "same", "u3"),
        UsernameReplaced("users.csv", 5, "no spaces", "u4"),
    )
    names = {row[0]: row[1] for row in await query(database_url, "SELECT external_id, username FROM users")}
    assert {key: names[key] for key in ("1", "2", "3", "4", "5", "6")} == {
        "1": "u1", "2": "Same", "3": "u3", "4": "u4", "5": "five", "6": "u7",
    }  # fmt: skip
    assert names["7"].startswith("u7_")
    assert {names["8-x"], names["8_x"]} > {"u8_x"}


async def test_dates_of_accounts_and_follows(database_url: str, tmp_path: Path) -> None:
    write_file(tmp_path, "users.csv", _USERS + "1,,,,2010-05-06T07:08:09Z\n2,,,,\n")
    write_file(tmp_path, "follows.csv", "follower_id,followee_id,since\n1,2,1341674210\n2,1,\n3,1,\n")
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    accounts = {row["external_id"]: row for row in await query(database_url, "SELECT * FROM users")}
    assert accounts["1"]["created_at"] == datetime(2010, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert accounts["2"]["created_at"] == datetime.fromtimestamp(1_341_674_210, UTC)
    assert accounts["3"]["created_at"] < datetime(1970, 1, 3, tzinfo=UTC)
    assert all(created_at_of(row["id"]) == row["created_at"] for row in accounts.values())
    assert all(milliseconds_of(row["id"]) > 0 for row in accounts.values())
    dates = [row[0] for row in await query(database_url, "SELECT created_at FROM follows ORDER BY created_at")]
    assert dates == [accounts["1"]["created_at"], accounts["2"]["created_at"], accounts["2"]["created_at"]]


async def test_activity_raises_scores_and_only_raises_them(database_url: str, tmp_path: Path) -> None:
    write_file(tmp_path, "follows.csv", _FOLLOWS + "1,2\n2,1\n")
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    write_file(tmp_path, "x-activity_time.txt", "1 2 1341100972 RT\n1 2 1341100973 MT\n3 1 1341100974 RE\n4 4 1341100974 RE\n")
    for scored in (1, 0):
        summary = await import_files(database_url, tmp_path, celebrity_threshold=10)
        assert (summary.scored_follows, summary.activity_rows) == (scored, 4)
    scores = "SELECT interaction_score FROM follows ORDER BY interaction_score"
    assert [row[0] for row in await query(database_url, scores)] == [0, 5]
    await query(database_url, "UPDATE follows SET interaction_score = 50")
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert [row[0] for row in await query(database_url, scores)] == [50, 50]
    assert len(await query(database_url, "SELECT FROM users")) == 3


async def test_graph_versions_grow_for_new_follows_and_for_followers_of_imported_authors(
    database_url: str, tmp_path: Path
) -> None:
    versions = "SELECT graph_version FROM users ORDER BY external_id"
    write_file(tmp_path, "follows.csv", _FOLLOWS + "1,2\n1,3\n2,3\n")
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert [row[0] for row in await query(database_url, versions)] == [1, 1, 0]
    write_file(tmp_path, "posts.jsonl", _posts({"id": "1", "user_id": "2"}))
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert [row[0] for row in await query(database_url, versions)] == [2, 1, 0]
    write_file(tmp_path, "follows.csv", _FOLLOWS + "1,2\n3,1\n1,2\n")
    summary = await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert [row[0] for row in await query(database_url, versions)] == [2, 1, 1]
    assert (summary.follows, summary.duplicate_rows) == (Written(1, 1), 1)
    assert await wrong_counts(database_url) == []


async def test_no_follow_is_imported_across_a_block(database_url: str, tmp_path: Path) -> None:
    write_file(tmp_path, "follows.csv", _FOLLOWS + "1,2\n")
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    await query(
        database_url,
        "INSERT INTO blocks (blocker_id, blocked_id) SELECT a.id, b.id FROM users a, users b "
        "WHERE a.external_id = '1' AND b.external_id = '2'",
    )
    await query(database_url, "DELETE FROM follows")
    await query(database_url, "UPDATE users SET follower_count = 0, following_count = 0")
    write_file(tmp_path, "follows.csv", _FOLLOWS + "1,2\n2,1\n1,3\n")
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    followed = "SELECT b.external_id FROM follows f JOIN users b ON b.id = f.followee_id"
    assert [row[0] for row in await query(database_url, followed)] == ["3"]
    assert await wrong_counts(database_url) == []


async def test_an_import_beside_a_living_registration(database_url: str, tmp_path: Path) -> None:
    folder = write_world(tmp_path)
    connection = await asyncpg.connect(asyncpg_url(database_url), timeout=10)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("INSERT INTO users (external_id, username) VALUES ('7', 'name_8')")
        running = asyncio.create_task(import_files(database_url, folder, celebrity_threshold=100))
        await _wait_until_blocked(database_url)
        await transaction.commit()
        summary = await asyncio.wait_for(running, 30)
    finally:
        await connection.close(timeout=10)
    assert summary.users.already_there == 1
    assert summary.usernames_replaced == (UsernameReplaced("users.csv.gz", 9, "name_8", "u8"),)
    assert await wrong_counts(database_url) == []


async def _wait_until_blocked(database_url: str) -> None:
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(20):
        while not await query(database_url, waiting):
            await asyncio.sleep(0.02)
