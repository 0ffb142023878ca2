"""The rows of the outbox that each of the hiding cases must write: whose feed, or which account or post."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from tests.services.feeds.hiding_cases import HidingWorld

ROWS: dict[str, list[str]] = {
    "createPost": ["post_published new"],
    "updatePost text": ["post_edited by ada, before"],
    "updatePost to private": ["post_edited by ada, before"],
    "updatePost of what is shared": ["post_edited by rita, before"],
    "updatePost of what is quoted": ["post_edited quoted, before"],
    "deletePost": ["post_deleted by ada, before"],
    "deletePost of what is shared": ["post_deleted by rita, before"],
    "sharePost": ["post_published new"],
    "unsharePost": ["post_deleted new, before"],
    "unsharePost by the second sharer": ["post_deleted new, before"],
    "followUser": ["vera's relation to rita"],
    "unfollowUser": ["vera's relation to ada"],
    "unfollowUser keeping history": ["fred's relation to vera", "vera's relation to fred"],
    "unfollowUser by a friend": ["fred's relation to vera", "vera's relation to fred"],
    "updateFollow hiding shares": ["vera's relation to bob"],
    "updateFollow with a limit": ["vera's relation to ada"],
    "removeFollower": ["vera's relation to cora"],
    "answerFollowRequest": ["zoe's relation to cora"],
    "blockUser the viewer": ["ada's relation to vera", "vera's relation to ada"],
    "blockUser by the viewer": ["rita's relation to vera", "vera's relation to rita"],
    "unblockUser": ["vera's relation to zoe", "zoe's relation to vera"],
    "muteUser": ["vera's relation to bob"],
    "muteUser whose post is shared": ["vera's relation to rita"],
    "unmuteUser": ["vera's relation to zoe"],
    "updateProfile": ["account rita"],
    "followHashtag": ["vera's hashtag"],
    "unfollowHashtag": ["vera's hashtag"],
    "updateFeedPreferences words": ["vera's preferences"],
    "updateFeedPreferences shares": ["vera's preferences"],
    "likePost": [],
    "likePost of what is quoted": [],
    "likePost by somebody else": [],
    "unlikePost": [],
    "bookmarkPost": [],
    "unbookmarkPost": [],
    "addComment": [],
    "deleteComment": [],
    "markFeedSeen": [],
    "markFeedSeen hiding what was seen": [],
    "moderate_account suspend": ["account ada"],
    "moderate_account shadow-ban": ["account rita"],
    "remove_post": ["post_deleted by ada, before"],
}


async def newest_row(world: HidingWorld) -> int:
    async with world.backends.database.reading() as session:
        return int((await session.execute(text("SELECT coalesce(max(id), 0) FROM outbox"))).scalar_one())


async def noted_since(world: HidingWorld, above: int) -> list[str]:
    """What the rows behind one say, in the order of the alphabet."""
    statement = text("SELECT kind, author_id, post_id, before FROM outbox WHERE id > :above")
    async with world.backends.database.reading() as session:
        rows = await session.execute(statement, {"above": above})
        return sorted(_told(world, *row) for row in rows)


def _told(world: HidingWorld, kind: str, author_id: int, post_id: int | None, before: dict[str, Any] | None) -> str:
    names = {number: name for name, number in world.ids.items()}
    posts = {number: name for name, number in world.posts.items()}
    if kind == "account_changed":
        return f"account {names[author_id]}"
    if post_id is not None:
        return f"{kind} {posts.get(post_id, 'new')}{', before' if before is not None else ''}"
    assert before is not None
    ((subject, value),) = before.items()
    return f"{names[author_id]}'s {subject}{' to ' + names[value['user_id']] if subject == 'relation' else ''}"
