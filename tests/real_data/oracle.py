"""Every account's whole home feed, computed from the files of congress2016 alone: no line of Tidings takes part.

A feed holds the posts of the account itself and of those whom it follows, and what those have shared without words: reposts
whose original is in the files. Replies are left out. Newest first: by (created_at, id as a number), both descending. Of the
ways by which one original comes into a feed each is an entry, but for those with another one in the seven days before.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from tests.services.importing.share_oracle import expected_shares

REPEAT_WINDOW = timedelta(days=7)

_Reason = tuple[datetime, int, int]
"""(created_at, id, id of what it is about: the post itself, or what it shares)"""


def expected_feeds(folder: Path) -> dict[str, list[str]]:
    """The feed of every account that users.csv or follows.csv names: ids of posts and reposts by the account's id there."""
    rows = list(read_posts(folder))
    posts: dict[str, list[_Reason]] = defaultdict(list)
    shares: dict[str, list[_Reason]] = defaultdict(list)
    roots = expected_shares(rows)
    for row in rows:
        created_at = datetime.fromisoformat(row["created_at"])
        if row["id"] in roots:
            shares[row["user_id"]].append((created_at, int(row["id"]), int(roots[row["id"]])))
        elif "repost_of" not in row and "reply_to" not in row:
            posts[row["user_id"]].append((created_at, int(row["id"]), int(row["id"])))
    followees: dict[str, set[str]] = defaultdict(set)
    accounts: set[str] = set()
    with _open(folder, "users.csv") as file:
        accounts.update(row["id"] for row in csv.DictReader(file))
    with _open(folder, "follows.csv") as file:
        for row in csv.DictReader(file):
            accounts.update((row["follower_id"], row["followee_id"]))
            followees[row["follower_id"]].add(row["followee_id"])
    accounts.update(posts)
    feeds = {}
    for account in accounts:
        reasons = [*posts[account]]
        for followee in followees[account]:
            reasons += posts[followee] + shares[followee]
        feeds[account] = _feed(reasons)
    return feeds


def _feed(reasons: list[_Reason]) -> list[str]:
    shown = []
    last: dict[int, datetime] = {}
    for created_at, number, root in sorted(reasons):
        if root not in last or created_at - last[root] > REPEAT_WINDOW:
            shown.append(str(number))
        last[root] = created_at
    return shown[::-1]


def read_posts(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of all files of posts, in their order."""
    for line in chain.from_iterable(map(_lines, sorted(folder.glob("posts*.jsonl*")))):
        row = json.loads(line)
        assert len(row["created_at"]) == 20, "whole seconds in UTC"
        assert row["created_at"].endswith("Z"), "whole seconds in UTC"
        yield row


def _lines(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from file


def _open(folder: Path, name: str) -> TextIO:
    packed = folder / f"{name}.gz"
    if packed.exists():
        return gzip.open(packed, "rt", encoding="utf-8", newline="")
    return (folder / name).open(encoding="utf-8", newline="")
