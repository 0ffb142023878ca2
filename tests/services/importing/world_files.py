"""Folders to import: a small one in which everything that matters occurs, and single files of any bytes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random

USERS, FOLLOWS, POSTS = 120, 1_500, 900


def write_file(folder: Path, name: str, content: str | bytes) -> Path:
    """Writes a file, as gzip where its name says so."""
    folder.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def write_world(folder: Path, seed: int = 1) -> Path:
    """People, follows, posts (some in one millisecond, some left out), reposts and activity; ids also beyond users.csv.

    Reposts are of posts outside, of posts before and behind them, of replies, of reposts, in circles, and repeated.
    """
    random = Random(seed)
    users = ["id,screen_name,name,bio,created_at"]
    users += [f'{n},name_{n},"Name, {n}",Bio {n},2015-01-{n % 28 + 1:02}T00:00:00Z' for n in range(1, USERS + 1)]
    write_file(folder, "users.csv.gz", "\n".join(users))
    pairs = {(random.randint(1, USERS + 9), int(random.paretovariate(0.7)) % USERS + 1) for _ in range(FOLLOWS)}
    edges = [f"{a},{b},{1_300_000_000 + a * b}" for a, b in sorted(pairs) if a != b]
    write_file(folder, "follows.csv", "follower_id,followee_id,since\n" + "\n".join(edges) + "\n")
    posts = []
    for n in range(POSTS):
        post: dict[str, object] = {
            "id": str(7_000 + n),
            "user_id": str(random.randint(1, USERS)),
            "created_at": f"2016-04-{random.randint(1, 2):02}T00:00:{random.randint(0, 59):02}Z",
            "text": f"Post {n} for @name_{random.randint(1, USERS + 9)} #tag{n % 7} https://example.org/{n}",
            "likes": n % 50,
            "reposts": n % 7,
        }
        if n % 10 == 3:
            post["repost_of"] = (
                str(n) if n % 50 == 3 else str(7_000 + random.choice((n * 7 % POSTS, n - 1, n + 1, n - 10, n % 40)))
            )
        if n % 15 == 3:
            post["reply_to"] = str(n)
        posts.append(json.dumps(post))
    write_file(folder, "posts-1.jsonl.gz", "\n".join(posts[:500]))
    write_file(folder, "posts-2.jsonl", "\n".join(posts[500:]))
    activity = [f"{a} {b} {1_330_000_000 + n} {random.choice(['RT', 'MT', 'RE'])}" for n, (a, b) in enumerate(sorted(pairs))]
    write_file(folder, "x-activity_time.txt", "\n".join(activity))
    return folder
