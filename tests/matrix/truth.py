"""What the tables say, read as they are: what the oracle of the matrix judges by."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

MARK = re.compile(r"zq[0-9a-f]{10}")
"""What the words of every secret carry, each its own: found anywhere in an answer, it tells whose words these are."""

Secret = tuple[str, int]
"""(type name, number)"""


@dataclass(frozen=True)
class Account:
    username: str
    is_private: bool
    is_suspended: bool
    is_shadow_banned: bool


@dataclass(frozen=True)
class Post:
    author: int
    visibility: str
    is_deleted: bool
    shared: int | None
    is_plain_share: bool


@dataclass(frozen=True)
class Comment:
    post: int
    author: int
    is_deleted: bool


@dataclass(frozen=True)
class Notification:
    recipient: int
    post: int | None
    actors: tuple[tuple[int, int | None], ...]
    """(who, with which comment), without those who took it back"""


@dataclass
class Truth:
    """The tables at one moment. Pairs are (who, whom)."""

    accounts: dict[int, Account]
    posts: dict[int, Post]
    comments: dict[int, Comment]
    likes: set[tuple[int, int]]
    bookmarks: set[tuple[int, int]]
    media: dict[int, int]
    """Owner by picture."""
    media_posts: dict[int, int]
    notifications: dict[int, Notification]
    hashtags: dict[int, str]
    hashtag_posts: dict[int, set[int]]
    hashtag_follows: set[tuple[int, int]]
    follows: set[tuple[int, int]]
    requests: set[tuple[int, int]]
    blocks: set[tuple[int, int]]
    mutes: set[tuple[int, int]]
    marks: dict[str, Secret] = field(default_factory=dict)
    """Whose words carry which mark."""

    def numbers(self) -> Mapping[str, list[int]]:
        """Everything that there is, by the name of its type."""
        return {
            "User": sorted(self.accounts),
            "Post": sorted(self.posts),
            "Comment": sorted(self.comments),
            "Media": sorted(self.media),
            "Notification": sorted(self.notifications),
            "Hashtag": sorted(self.hashtags),
        }

    def secrets(self) -> list[Secret]:
        return [(kind, number) for kind, numbers in self.numbers().items() for number in numbers]

    def like_counts(self) -> Counter[int]:
        return Counter(post for _, post in self.likes)

    def comment_counts(self) -> Counter[int]:
        return Counter(one.post for one in self.comments.values() if not one.is_deleted)

    def share_counts(self) -> Counter[int]:
        return Counter(one.shared for one in self.posts.values() if one.shared is not None and not one.is_deleted)

    def post_counts(self) -> Counter[int]:
        """Public existing posts by author; a share without words is none."""
        return Counter(one.author for one in self.posts.values() if self._is_counted(one))

    def hashtag_counts(self) -> Counter[int]:
        return Counter(
            {tag: sum(self._is_counted(self.posts[post]) for post in posts) for tag, posts in self.hashtag_posts.items()}
        )

    def open_hashtag_counts(self) -> Counter[int]:
        """The same, of accounts whose public posts everybody may see."""
        closed = {number for number, one in self.accounts.items() if one.is_private or one.is_suspended or one.is_shadow_banned}
        return Counter(
            {
                tag: sum(self._is_counted(self.posts[post]) and self.posts[post].author not in closed for post in posts)
                for tag, posts in self.hashtag_posts.items()
            }
        )

    @staticmethod
    def _is_counted(post: Post) -> bool:
        return post.visibility == "PUBLIC" and not post.is_deleted and not post.is_plain_share


async def load_truth(connection: asyncpg.Connection) -> Truth:
    """All of it; for worlds of some hundred rows."""

    async def rows(statement: str) -> list[Any]:
        found: list[Any] = await connection.fetch(statement)
        return found

    now = datetime.now(UTC)
    users = await rows("SELECT * FROM users")
    posts = await rows("SELECT * FROM posts")
    comments = await rows("SELECT * FROM comments")
    media = await rows("SELECT * FROM media")
    hashtag_posts: defaultdict[int, set[int]] = defaultdict(set)
    for row in await rows("SELECT hashtag_id, post_id FROM post_hashtags"):
        hashtag_posts[row["hashtag_id"]].add(row["post_id"])

    actors: defaultdict[int, list[tuple[int, int | None]]] = defaultdict(list)
    for row in await rows("SELECT * FROM notification_actors WHERE withdrawn_at IS NULL"):
        actors[row["notification_id"]].append((row["actor_id"], row["comment_id"]))

    async def pairs(table: str, who: str, whom: str) -> set[tuple[int, int]]:
        return {(row[0], row[1]) for row in await rows(f"SELECT {who}, {whom} FROM {table}")}

    truth = Truth(
        accounts={
            row["id"]: Account(
                row["username"], row["is_private"], row["suspended_at"] is not None, row["shadow_banned_at"] is not None
            )
            for row in users
        },
        posts={
            row["id"]: Post(
                row["author_id"],
                row["visibility"],
                row["deleted_at"] is not None,
                row["shared_post_id"],
                row["is_plain_share"],
            )
            for row in posts
        },
        comments={row["id"]: Comment(row["post_id"], row["author_id"], row["deleted_at"] is not None) for row in comments},
        likes=await pairs("likes", "user_id", "post_id"),
        bookmarks=await pairs("bookmarks", "user_id", "post_id"),
        media={row["id"]: row["owner_id"] for row in media},
        media_posts={row[0]: row[1] for row in await rows("SELECT media_id, post_id FROM post_media")},
        notifications={
            row["id"]: Notification(row["recipient_id"], row["post_id"], tuple(actors[row["id"]]))
            for row in await rows("SELECT * FROM notifications")
        },
        hashtags={row["id"]: row["name"] for row in await rows("SELECT id, name FROM hashtags")},
        hashtag_posts=dict(hashtag_posts),
        hashtag_follows=await pairs("hashtag_follows", "user_id", "hashtag_id"),
        follows=await pairs("follows", "follower_id", "followee_id"),
        requests=await pairs("follow_requests", "follower_id", "followee_id"),
        blocks=await pairs("blocks", "blocker_id", "blocked_id"),
        mutes={
            (row["muter_id"], row["muted_id"])
            for row in await rows("SELECT muter_id, muted_id, until FROM mutes")
            if row["until"] is None or row["until"] > now
        },
    )
    for kind, found, columns in (
        ("User", users, ("display_name", "bio")),
        ("Post", posts, ("text", "location_name")),
        ("Comment", comments, ("text",)),
        ("Media", media, ("alt_text",)),
    ):
        for row in found:
            for column in columns:
                truth.marks.update((mark, (kind, row["id"])) for mark in MARK.findall(row[column] or ""))
    return truth
