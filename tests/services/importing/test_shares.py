"""Reposts whose original is there become shares without words."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from domain.ids import milliseconds_of, shard_of
from services.importing.import_files import import_files
from services.importing.summary import RepostsLeftOut, Written
from tests.import_database import query, wrong_counts
from tests.services.importing.share_oracle import expected_shares
from tests.services.importing.world_files import write_file, write_world

_SHARES = """
SELECT s.source_id, r.source_id FROM posts s JOIN posts r ON r.id = s.shared_post_id
WHERE s.is_plain_share AND s.deleted_at IS NULL
"""


def _lines(*posts: Mapping[str, object]) -> str:
    defaults = {"user_id": "1", "created_at": "2016-04-25T00:00:31Z", "text": "RT: Hello #tag"}
    return "\n".join(json.dumps({**defaults, **post}) for post in posts)


async def _shares(database_url: str) -> dict[str, str]:
    return {row[0]: row[1] for row in await query(database_url, _SHARES)}


async def test_a_world_s_shares_are_those_of_the_files(database_url: str, tmp_path: Path) -> None:
    folder = write_world(tmp_path)
    summary = await import_files(database_url, folder, celebrity_threshold=100)
    posts: list[dict[str, Any]] = []
    for path in sorted(folder.glob("posts*")):
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        posts += [json.loads(line) for line in text.splitlines()]
    expected = expected_shares(posts)
    assert await _shares(database_url) == expected
    assert summary.shares == Written(len(expected), 0)
    assert summary.reposts_left_out_because.repeated > 0
    assert await wrong_counts(database_url) == []


@pytest.mark.parametrize("seed", range(6))
async def test_random_chains_of_reposts(database_url: str, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    posts: list[dict[str, Any]] = []
    for n in range(150):
        post: dict[str, Any] = {
            "id": str(random.choice((n, n, n, random.randrange(150)))),
            "user_id": str(random.randrange(6)),
            "created_at": f"2016-04-25T00:{random.randrange(3):02}:{random.randrange(60):02}Z",
            "text": f"{n} #t{n % 3}",
        }
        if random.random() < 0.7:
            post["repost_of"] = str(random.randrange(160))
        elif random.random() < 0.1:
            post["reply_to"] = "1"
        posts.append(post)
    random.shuffle(posts)
    cut = random.randrange(150)
    write_file(tmp_path, "posts-1.jsonl", _lines(*posts[:cut]))
    write_file(tmp_path, "posts-2.jsonl", _lines(*posts[cut:]))
    summary = await import_files(database_url, tmp_path, celebrity_threshold=10, strict=True)
    expected = expected_shares(posts)
    assert await _shares(database_url) == expected
    assert summary.shares == Written(len(expected), 0)
    distinct: dict[str, dict[str, Any]] = {}
    for post in posts:
        if "repost_of" in post or "reply_to" not in post:
            distinct.setdefault(post["id"], post)
    assert summary.posts.new == sum("repost_of" not in post for post in distinct.values())
    assert summary.shares.new + summary.reposts_left_out == sum("repost_of" in post for post in distinct.values())
    assert summary.duplicate_rows == sum("repost_of" in p or "reply_to" not in p for p in posts) - len(distinct)
    assert await wrong_counts(database_url) == []


async def test_what_a_share_is(database_url: str, tmp_path: Path) -> None:
    media = [{"url": "https://example.org/a.jpg"}]
    write_file(
        tmp_path,
        "posts.jsonl",
        _lines(
            {"id": "9", "user_id": "2", "repost_of": "5", "likes": 7, "media": media, "created_at": "2016-04-25T00:00:32.5Z"},
            {"id": "5", "text": "Hello #tag"},
        ),
    )
    write_file(tmp_path, "follows.csv", "follower_id,followee_id\n" + "\n".join(f"{n},2" for n in range(3, 9)))
    await import_files(database_url, tmp_path, celebrity_threshold=5)
    [root, share] = await query(database_url, "SELECT * FROM posts ORDER BY id")
    assert (share["source_id"], share["shared_post_id"], share["is_plain_share"]) == ("9", root["id"], True)
    assert (share["text"], share["entities"], share["media_links"], share["engagement_score"]) == ("", "[]", "[]", 0)
    assert (share["visibility"], share["delivery"], root["delivery"]) == ("PUBLIC", "PULL", "PUSH")
    assert milliseconds_of(share["id"]) == milliseconds_of(root["id"]) + 1_500
    assert shard_of(share["id"]) == shard_of(share["author_id"])
    assert (root["share_count"], share["share_count"]) == (1, 0)
    people = await query(database_url, "SELECT external_id, post_count, has_pulled_posts, import_version FROM users")
    versions = {row["external_id"]: tuple(row)[1:] for row in people}
    assert versions["1"] == (1, False, 1)
    assert versions["2"] == (0, True, 1)
    assert (await query(database_url, "SELECT pulled_version FROM deployment"))[0][0] == 1
    tags = await query(database_url, "SELECT name, post_count, post_id FROM hashtags JOIN post_hashtags ON hashtag_id = id")
    assert [tuple(row) for row in tags] == [("tag", 1, root["id"])]
    assert await query(database_url, "SELECT FROM outbox") == []


async def test_originals_of_an_earlier_import_and_the_reasons_for_leaving_out(database_url: str, tmp_path: Path) -> None:
    first = write_file(tmp_path / "first", "posts.jsonl", _lines(*({"id": str(n)} for n in range(1, 7)))).parent
    await import_files(database_url, first, celebrity_threshold=10)
    await query(database_url, "UPDATE posts SET visibility = 'FRIENDS' WHERE source_id = '2'")
    await query(database_url, "UPDATE posts SET deleted_at = now() WHERE source_id = '3'")
    rows: list[dict[str, object]] = [
        {"id": "11", "user_id": "2", "repost_of": "1"},
        {"id": "12", "user_id": "2", "repost_of": "1"},
        {"id": "13", "user_id": "3", "repost_of": "12"},
        {"id": "14", "user_id": "2", "repost_of": "2"},
        {"id": "15", "user_id": "2", "repost_of": "3"},
        {"id": "16", "user_id": "2", "repost_of": "77"},
        {"id": "17", "user_id": "2", "repost_of": "18"},
        {"id": "18", "user_id": "2", "repost_of": "17"},
        {"id": "19", "user_id": "2", "repost_of": "19"},
        {"id": "20", "user_id": "1", "repost_of": 6},
    ]
    second = write_file(tmp_path / "second", "posts.jsonl", _lines(*rows)).parent
    left_out = RepostsLeftOut(original_absent=5, repeated=1, not_public=1)
    for written in (Written(3, 0), Written(0, 3)):
        summary = await import_files(database_url, second, celebrity_threshold=10)
        assert (summary.shares, summary.reposts_left_out_because) == (written, left_out)
        assert summary.posts == Written(0, 0)
        assert await _shares(database_url) == {"11": "1", "13": "1", "20": "6"}
    # Nobody came only to have a repost left out.
    assert len(await query(database_url, "SELECT FROM users")) == 3
    # A share that was taken back stays so, and a later import does not put another one of the same files in its place.
    await query(database_url, "UPDATE posts SET deleted_at = now() WHERE source_id = '11'")
    await query(database_url, "UPDATE posts SET share_count = share_count - 1 WHERE source_id = '1'")
    third = write_file(tmp_path / "third", "posts.jsonl", _lines(*rows, {"id": "21", "user_id": "4", "repost_of": "11"})).parent
    summary = await import_files(database_url, third, celebrity_threshold=10)
    assert (summary.shares, summary.reposts_left_out_because) == (Written(1, 3), left_out)
    assert await _shares(database_url) == {"13": "1", "20": "6", "21": "1"}
    counts = await query(database_url, "SELECT source_id, share_count FROM posts WHERE share_count > 0 ORDER BY source_id")
    assert [tuple(row) for row in counts] == [("1", 2), ("6", 1)]


async def test_posts_of_private_accounts_are_not_shared(database_url: str, tmp_path: Path) -> None:
    write_file(tmp_path, "users.csv", "id\n1\n2\n")
    await import_files(database_url, tmp_path, celebrity_threshold=10)
    await query(database_url, "UPDATE users SET is_private = true WHERE external_id = '1'")
    write_file(tmp_path, "posts.jsonl", _lines({"id": "1"}, {"id": "2", "user_id": "2", "repost_of": "1"}))
    summary = await import_files(database_url, tmp_path, celebrity_threshold=10)
    assert summary.reposts_left_out_because == RepostsLeftOut(original_absent=0, repeated=0, not_public=1)
    assert await _shares(database_url) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "id is missing"),
        ({"user_id": None}, "user_id is missing"),
        ({"created_at": "soon"}, "created_at is neither"),
        ({"repost_of": ["1"]}, "repost_of is missing"),
        ({"repost_of": "  "}, "repost_of is missing"),
        ({"repost_of": "1\0"}, "repost_of contains NUL"),
    ],
)
async def test_malformed_reposts(database_url: str, tmp_path: Path, changes: dict[str, object], message: str) -> None:
    bad: dict[str, object] = {"id": "2", "user_id": "2", "repost_of": "1"}
    write_file(tmp_path, "posts.jsonl", _lines({"id": "1"}, bad | changes, {"id": "3", "user_id": "3", "repost_of": "1"}))
    summary = await import_files(database_url, tmp_path, celebrity_threshold=10)
    [problem] = summary.malformed
    assert (problem.file, problem.line) == ("posts.jsonl", 2)
    assert problem.message.startswith(message)
    assert await _shares(database_url) == {"3": "1"}
