"""One own post as an entry, by one short statement: the same as the judge of reasons says, whatever has happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from db import facts_of_many
from db.counters import LIKE_COUNT
from domain.errors import RefusedError, TidingsError
from domain.feed import FeedEntry, FeedReasonKind
from domain.moderation import ModerationChange
from domain.records import Visibility
from services.accounts.update_profile import update_profile
from services.engagement.add_comment import add_comment
from services.engagement.like_post import like_post
from services.feeds.feed_position import mark_feed_seen
from services.feeds.find_feed_entry import find_feed_entry
from services.graph.block_user import block_user
from services.hashtags.follow_hashtag import follow_hashtag
from services.hashtags.unfollow_hashtag import unfollow_hashtag
from services.moderation.moderate_account import moderate_account
from services.moderation.remove_post import remove_post
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.unshare_post import unshare_post
from services.preferences.update_preferences import update_preferences
from tests.count_queries import count_queries
from tests.stories.planting import Patch, change_sql
from tests.world import World

_STEPS = 25
_TEXTS = ("words", "a sword", "#news", "#news #sport and a sword", "#sport")


@dataclass
class OwnWorld(World):
    """Vera writes, and asks for what she has written as it stands in her feed. `own`: her posts, shares and quotes."""

    own: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    @classmethod
    async def made(cls, world: World) -> OwnWorld:
        made = cls(world.backends)
        await made.add("vera", "ada", "bob", "zoe")
        await made.follow("vera", "ada", "bob")
        await made.follow("bob", "vera")
        for name in ("ada", "zoe"):
            made.others.append(await made.post(name, "#news by somebody"))
        made.own.append(await made.post("vera", "words"))
        return made

    async def prefer(self, **changes: object) -> None:
        unset: dict[str, object] = dict.fromkeys(("default_order", "muted_words", "hide_shares", "hide_seen"))
        await update_preferences(self.backends, viewer_id=self.ids["vera"], **unset | changes)  # type: ignore[arg-type]

    async def both(self, post_id: int) -> FeedEntry | None:
        """The entry by the usual way, which must be what the long way gives at this moment."""
        vera = self.ids["vera"]
        quick = await find_feed_entry(self.backends, viewer_id=vera, post_id=post_id)
        long = await find_feed_entry(replace(self.backends, memory=None), viewer_id=vera, post_id=post_id)
        assert quick == long
        assert quick is None or long is None or (quick.node, quick.reasons) == (long.node, long.reasons)
        return quick

    async def all_agree(self) -> list[int]:
        """Posts that are in the feed."""
        return [post_id for post_id in [*self.own, *self.others, 1] if await self.both(post_id) is not None]


async def _write(world: OwnWorld, random: Random) -> None:
    world.own.append(await world.post("vera", random.choice(_TEXTS), random.choice(list(Visibility))))


async def _quote(world: OwnWorld, random: Random) -> None:
    world.own.append(await world.share("vera", random.choice(world.others), random.choice(_TEXTS)))


async def _pass_on(world: OwnWorld, random: Random) -> None:
    world.own.append(await world.share("vera", random.choice(world.others)))


async def _passed_on(world: OwnWorld, random: Random) -> None:
    shared = await world.share(random.choice(("bob", "zoe", "vera")), world.own[0], random.choice(("", "words")))
    world.others.append(shared)


async def _taken_back(world: OwnWorld, random: Random) -> None:
    await unshare_post(world.backends, author_id=world.ids[random.choice(("bob", "zoe"))], post_id=world.own[0])


async def _edit(world: OwnWorld, random: Random) -> None:
    visibility = random.choice(list(Visibility)) if len(world.own) > 1 else None
    await edit_post(
        world.backends,
        author_id=world.ids["vera"],
        post_id=world.own[-1],
        body=random.choice(_TEXTS),
        visibility=visibility,
    )


async def _delete(world: OwnWorld, random: Random) -> None:
    await delete_post(world.backends, author_id=world.ids["vera"], post_id=random.choice(world.own[1:] or [1]))


async def _removed(world: OwnWorld, random: Random) -> None:
    await remove_post(world.backends, post_id=random.choice(world.own[1:] or [1]))


async def _words(world: OwnWorld, random: Random) -> None:
    await world.prefer(muted_words=random.choice(([], ["sword"], ["words", "news"])), hide_shares=random.random() < 0.5)


async def _seen(world: OwnWorld, _: Random) -> None:
    await world.prefer(hide_seen=True)
    page = await world.page("vera", 1)
    if page.edges:
        await mark_feed_seen(world.backends, viewer_id=world.ids["vera"], cursor=page.edges[0].cursor)


async def _hashtag(world: OwnWorld, random: Random) -> None:
    change = random.choice((follow_hashtag, unfollow_hashtag))
    await change(world.backends, viewer_id=world.ids["vera"], name=random.choice(("news", "sport")))


async def _engaged(world: OwnWorld, random: Random) -> None:
    await like_post(world.backends, viewer_id=world.ids["vera"], post_id=random.choice(world.own))
    await add_comment(world.backends, viewer_id=world.ids["vera"], post_id=random.choice(world.own), body="hm")


async def _moderated(world: OwnWorld, random: Random) -> None:
    await moderate_account(world.backends, username="vera", change=random.choice(list(ModerationChange)))
    await world.all_agree()
    await moderate_account(world.backends, username="vera", change=random.choice(list(ModerationChange)[1:]))


async def _private(world: OwnWorld, random: Random) -> None:
    await update_profile(
        world.backends, user_id=world.ids["vera"], display_name=None, bio=None, is_private=random.random() < 0.5
    )


async def _blocked(world: OwnWorld, _: Random) -> None:
    await block_user(world.backends, viewer_id=world.ids["zoe"], user_id=world.ids["vera"])


_ACTIONS: list[Callable[[OwnWorld, Random], Awaitable[None]]] = [
    *([_write] * 4),
    *(_quote, _pass_on, _passed_on, _taken_back, _edit, _delete, _removed, _words, _words, _seen, _hashtag, _hashtag),
    *(_engaged, _moderated, _private, _blocked),
]


async def _walk(world: OwnWorld, seed: int) -> None:
    """Random actions, some of which are refused."""
    random = Random(seed)
    for _ in range(_STEPS):
        action = random.choice(_ACTIONS)
        with suppress(RefusedError, TidingsError):
            await action(world, random)
        await world.all_agree()


@pytest.mark.parametrize("seed", range(8))
async def test_both_ways_agree_whatever_happens(world: World, seed: int) -> None:
    await _walk(await OwnWorld.made(world), seed)


async def _scenes(own: OwnWorld) -> None:
    """Entries that are there, that are hidden, and posts that only the long way can tell of."""
    assert await own.all_agree() == [own.own[0], own.others[0]]
    await own.prefer(muted_words=["words"])
    assert await own.all_agree() == [own.others[0]]
    await own.prefer(muted_words=[])
    for name in ("news", "sport"):
        await follow_hashtag(own.backends, viewer_id=own.ids["vera"], name=name)
    tagged = await own.post("vera", "#sport and #news")
    entry = await own.both(tagged)
    assert entry is not None
    assert [reason.kind for reason in entry.reasons] == [
        FeedReasonKind.OWN_POST,
        FeedReasonKind.FOLLOWED_HASHTAG,
        FeedReasonKind.FOLLOWED_HASHTAG,
    ]
    await like_post(own.backends, viewer_id=own.ids["ada"], post_id=tagged)
    entry = await own.both(tagged)
    assert entry is not None
    assert entry.node.like_count == 1
    await own.share("bob", tagged)
    entry = await own.both(tagged)
    assert entry is not None
    assert FeedReasonKind.FOLLOWED_SHARER in {reason.kind for reason in entry.reasons}
    assert not (await own.both(await own.share("vera", own.others[0])))
    for gone in (tagged, await own.post("vera", "soon gone")):
        await delete_post(own.backends, author_id=own.ids["vera"], post_id=gone)
        assert await own.both(gone) is None
    await moderate_account(own.backends, username="vera", change=ModerationChange.SHADOW_BAN)
    assert await own.both(own.own[0]) is not None
    await moderate_account(own.backends, username="vera", change=ModerationChange.SUSPEND)
    assert await own.all_agree() == []


async def test_both_ways_agree_on_what_they_are_about(world: World) -> None:
    await _scenes(await OwnWorld.made(world))


async def test_it_is_one_statement(world: World) -> None:
    own = await OwnWorld.made(world)
    post_id = await own.post("vera", "a new one")
    with count_queries(own.backends) as counted:
        assert await find_feed_entry(own.backends, viewer_id=own.ids["vera"], post_id=post_id) is not None
    assert counted.count == 1
    with count_queries(own.backends) as counted:
        await asyncio.gather(
            *(find_feed_entry(own.backends, viewer_id=own.ids["vera"], post_id=one) for one in own.own for _ in range(9))
        )
    assert counted.count == 1, "of all who ask in the same instant"


def _hashtags_forgotten(patch: Patch) -> None:
    change_sql(patch, facts_of_many, "_OWN_POSTS", "h.user_id = u.id", "h.user_id = 0")


def _hashtags_in_any_order(patch: Patch) -> None:
    change_sql(patch, facts_of_many, "_OWN_POSTS", "ORDER BY t.hashtag_id", "ORDER BY t.hashtag_id DESC")


def _deleted_forgotten(patch: Patch) -> None:
    change_sql(patch, facts_of_many, "_OWN_POSTS", "p.deleted_at IS NOT NULL", "false")


def _preferences_forgotten(patch: Patch) -> None:
    change_sql(patch, facts_of_many, "_OWN_POSTS", "u.settings", "'{}'::jsonb")


def _counts_forgotten(patch: Patch) -> None:
    change_sql(patch, facts_of_many, "_OWN_POSTS", LIKE_COUNT, "p.like_count")


def _shares_forgotten(patch: Patch) -> None:
    change_sql(patch, facts_of_many, "_OWN_POSTS", "p.share_count,", "0,")


PLANTS = (
    _hashtags_forgotten,
    _hashtags_in_any_order,
    _deleted_forgotten,
    _preferences_forgotten,
    _counts_forgotten,
    _shares_forgotten,
)


@pytest.mark.parametrize("plant", PLANTS)
async def test_the_comparison_finds_what_is_planted(
    world: World, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Patch], None]
) -> None:
    own = await OwnWorld.made(world)
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        await _scenes(own)
