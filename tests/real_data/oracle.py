"""Every account's whole home feed, computed from the files of congress2016 alone: no line of Tidings takes part.

A feed holds the posts of the account itself and of those whom it follows, without reposts and replies, newest first: by
(created_at, id as a number), both descending.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from heapq import merge
from itertools import chain
from pathlib import Path
from typing import TextIO

_Post = tuple[str, int]
"""(created_at as ISO 8601 with whole seconds in UTC, which sorts as text; id)"""


def expected_feeds(folder: Path) -> dict[str, list[str]]:
    """The feed of every account that users.csv or follows.csv names: ids of posts by the account's id in the files."""
    posts = _posts_by_author(folder)
    followees: dict[str, set[str]] = defaultdict(set)
    accounts: set[str] = set()
    with _open(folder, "users.csv") as file:
        accounts.update(row["id"] for row in csv.DictReader(file))
    with _open(folder, "follows.csv") as file:
        for row in csv.DictReader(file):
            accounts.update((row["follower_id"], row["followee_id"]))
            followees[row["follower_id"]].add(row["followee_id"])
    accounts.update(posts)
    return {account: _feed(posts, {account, *followees[account]}) for account in accounts}


def _feed(posts: dict[str, list[_Post]], authors: set[str]) -> list[str]:
    newest_first = merge(*(posts[author] for author in authors if author in posts), reverse=True)
    return [str(post_id) for _, post_id in newest_first]


def _posts_by_author(folder: Path) -> dict[str, list[_Post]]:
    """Each author's posts, newest first."""
    posts: dict[str, list[_Post]] = defaultdict(list)
    for line in chain.from_iterable(map(_lines, sorted(folder.glob("posts*.jsonl*")))):
        row = json.loads(line)
        if "repost_of" in row or "reply_to" in row:
            continue
        assert len(row["created_at"]) == 20, "whole seconds in UTC"
        assert row["created_at"].endswith("Z"), "whole seconds in UTC"
        posts[row["user_id"]].append((row["created_at"], int(row["id"])))
    for own in posts.values():
        own.sort(reverse=True)
    return posts


def _lines(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from file


def _open(folder: Path, name: str) -> TextIO:
    packed = folder / f"{name}.gz"
    if packed.exists():
        return gzip.open(packed, "rt", encoding="utf-8", newline="")
    return (folder / name).open(encoding="utf-8", newline="")
