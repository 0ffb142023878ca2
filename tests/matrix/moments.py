"""What changes between two looks: everything that takes something away from somebody, and what gives it back.

Each is one action of one person, done as a client does it, or of a moderator.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from domain.ids import to_global_id
from domain.moderation import ModerationChange
from domain.records import Visibility
from services.moderation.moderate_account import moderate_account
from services.moderation.remove_post import remove_post
from tests.matrix.cast import mark
from tests.matrix.stage import Stage

Change = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Moment:
    """`viewers`: whom it concerns most; the short form asks only these."""

    name: str
    change: Change
    viewers: tuple[str, ...]


def _on_post(actor: str, mutation: str, post: str, more: str = "") -> Change:
    async def change(stage: Stage) -> None:
        await stage.do(actor, f'{mutation}(input: {{postId: "{to_global_id("Post", stage.posts[post])}"{more}}})')

    return change


def _on_person(actor: str, mutation: str, person: str, more: str = "") -> Change:
    async def change(stage: Stage) -> None:
        await stage.do(actor, f'{mutation}(input: {{userId: "{to_global_id("User", stage.world.ids[person])}"{more}}})')

    return change


def _profile(actor: str, changes: str) -> Change:
    async def change(stage: Stage) -> None:
        await stage.do(actor, f"updateProfile(input: {{{changes}}})")

    return change


def _moderated(person: str, how: ModerationChange) -> Change:
    async def change(stage: Stage) -> None:
        await moderate_account(stage.world.backends, username=person, change=how)

    return change


async def _removed(stage: Stage) -> None:
    assert await remove_post(stage.world.backends, post_id=stage.posts["ada.edited"])


def _writes(author: str) -> Change:
    """A post of each kind."""

    async def change(stage: Stage) -> None:
        for visibility in Visibility:
            words = f"matrix {mark()} @ada @pat #common #{author}_later_{visibility.lower()}"
            await stage.do(author, f'createPost(input: {{text: "{words}", visibility: {visibility}}})')

    return change


_OUTSIDERS = ("stranger", "follower", "removed", "anonymous")

MOMENTS = (
    Moment("ada writes", _writes("ada"), ("follower", "stranger", "muting")),
    Moment("pat writes", _writes("pat"), ("friend", "requested")),
    Moment("dan writes", _writes("dan"), ("dan", "friend")),
    Moment("ada narrows a post to friends", _on_post("ada", "updatePost", "ada.PUBLIC", ", visibility: FRIENDS"), _OUTSIDERS),
    Moment("ada hides a post", _on_post("ada", "updatePost", "ada.FRIENDS", ", visibility: PRIVATE"), ("friend", "follower")),
    Moment("ada edits a post", _on_post("ada", "updatePost", "ada.PUBLIC", ', text: "other words"'), ("follower", "stranger")),
    Moment("ada deletes a post", _on_post("ada", "deletePost", "ada.PUBLIC"), ("ada", "friend", "stranger")),
    Moment("a moderator removes a post", _removed, ("ada", "follower")),
    Moment("a share is taken back", _on_post("follower", "unsharePost", "ada.PUBLIC"), ("follower", "friend")),
    Moment("the friend unfollows ada", _on_person("friend", "unfollowUser", "ada"), ("friend", "ada")),
    Moment("the follower unfollows pat", _on_person("follower", "unfollowUser", "pat", ", keepHistory: true"), ("follower",)),
    Moment("pat removes the friend", _on_person("pat", "removeFollower", "friend"), ("friend", "pat")),
    Moment("pat accepts a request", _on_person("pat", "answerFollowRequest", "requested", ", accept: true"), ("requested",)),
    Moment("ada blocks the friend", _on_person("ada", "blockUser", "friend"), ("friend", "ada")),
    Moment("the follower blocks ada", _on_person("follower", "blockUser", "ada"), ("follower", "ada")),
    Moment("ada unblocks", _on_person("ada", "unblockUser", "blocked"), ("blocked", "ada")),
    Moment("the stranger mutes the friend", _on_person("stranger", "muteUser", "friend"), ("stranger",)),
    Moment("ada becomes private", _profile("ada", "isPrivate: true"), _OUTSIDERS),
    Moment("pat becomes public", _profile("pat", "isPrivate: false"), ("requested", "stranger")),
    Moment("ada is suspended", _moderated("ada", ModerationChange.SUSPEND), ("friend", "stranger", "anonymous")),
    Moment("ada is shadow-banned", _moderated("ada", ModerationChange.SHADOW_BAN), ("ada", "friend", "stranger")),
    Moment("the friend is suspended", _moderated("friend", ModerationChange.SUSPEND), ("ada", "stranger")),
    Moment("dan is restored", _moderated("dan", ModerationChange.RESTORE), ("friend", "stranger")),
)

BY_NAME = {moment.name: moment for moment in MOMENTS}
IN_ONE_LIFE = tuple(
    BY_NAME[name]
    for name in (
        "ada writes",
        "pat writes",
        "dan writes",
        "ada narrows a post to friends",
        "ada edits a post",
        "ada hides a post",
        "pat accepts a request",
        "the friend unfollows ada",
        "pat removes the friend",
        "ada unblocks",
        "the follower blocks ada",
        "ada deletes a post",
        "a moderator removes a post",
        "pat becomes public",
        "the friend is suspended",
        "dan is restored",
        "ada is shadow-banned",
        "ada is suspended",
    )
)
"""Those that can follow one another without a new beginning."""
