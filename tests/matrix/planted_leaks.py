"""Mistakes for the matrix to find: a gate that somebody forgot in one place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.records import PostFacts, VisiblePost
from tests.matrix.asking import Depths
from tests.matrix.findings import Tally
from tests.matrix.moments import BY_NAME
from tests.matrix.mutations import Mutator
from tests.matrix.stage import Stage

_LISTS = Depths(looked_up=1, listed=1)


def _lets_through(facts: PostFacts, **_: object) -> VisiblePost:
    return VisiblePost(facts.post, facts.author, facts.relation)


def _yes(*_: object, **__: object) -> bool:
    return True


async def _always(*_: object, **__: object) -> bool:
    return True


async def _nothing(*_: object, **__: object) -> None:
    return None


def _look(viewer: str, *fields: str) -> Callable[[Stage], Awaitable[Tally]]:
    async def look(stage: Stage) -> Tally:
        return await stage.look("planted", _LISTS, [viewer], fields)

    return look


def _try(viewer: str, mutation: str) -> Callable[[Stage], Awaitable[Tally]]:
    async def mutate(stage: Stage) -> Tally:
        return await Mutator(stage, "planted", hidden=100, visible=0, turn=0).read(mutation, [viewer])

    return mutate


def _after(moment: str, viewer: str, *fields: str) -> Callable[[Stage], Awaitable[Tally]]:
    async def take(stage: Stage) -> Tally:
        await BY_NAME[moment].change(stage)
        return await _look(viewer, *fields)(stage)

    return take


@dataclass(frozen=True)
class Leaky:
    """What is replaced by what, and the part of the matrix that must find it, at a place that begins so."""

    target: str
    replacement: Any
    find: Callable[[Stage], Awaitable[Tally]]
    place: str
    more: dict[str, Any] = field(default_factory=dict)

    def plant(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(self.target, self.replacement)
        for target, replacement in self.more.items():
            patch.setattr(target, replacement)


LEAKS = {
    "posts by id": Leaky(
        "services.posts.load_visible_posts.only_visible", _lets_through, _look("stranger", "post"), "Query.post"
    ),
    "posts of an account": Leaky(
        "services.posts.list_user_posts.only_visible", _lets_through, _look("follower", "user"), "Query.user.posts"
    ),
    "posts of a hashtag": Leaky(
        "services.hashtags.list_hashtag_posts.only_visible", _lets_through, _look("stranger", "hashtag"), "Query.hashtag.posts"
    ),
    "posts searched for": Leaky(
        "services.discovery.search_posts.only_visible", _lets_through, _look("blocked", "searchPosts"), "Query.searchPosts"
    ),
    "likes by the blocked": Leaky(
        "services.engagement.list_likers.can_be_listed", _yes, _look("ada", "post"), "Query.post.likers"
    ),
    "comments by the blocked": Leaky(
        "services.engagement.list_comments.can_see_comment", _yes, _look("ada", "post"), "Query.post.comments"
    ),
    "followers of a private account": Leaky(
        "services.graph.list_people._may_look", _always, _look("stranger", "user"), "Query.user.follow"
    ),
    "accounts that block the viewer": Leaky(
        "services.accounts.find_people.can_see_account", _yes, _look("blocked", "user"), "Query.user"
    ),
    "actions on those who block": Leaky(
        "services.graph.the_other.can_see_account", _yes, _try("blocked", "muteUser"), "Mutation.muteUser"
    ),
    "a count that stays": Leaky(
        "services.posts.edit_post.posts.add_to_post_count",
        _nothing,
        _after("ada narrows a post to friends", "stranger", "user"),
        "Query.user.postCount",
    ),
}
