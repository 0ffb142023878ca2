"""A world in which nothing is unusual, and every kind of change that may make something so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from domain.feed import FeedOrder, FeedPage
from domain.moderation import ModerationChange
from domain.paging import PageRequest
from domain.records import Visibility
from services.accounts.update_profile import update_profile
from services.engagement.add_comment import add_comment
from services.engagement.like_post import like_post, unlike_post
from services.feeds import read_home_feed
from services.feeds.feed_position import mark_feed_seen
from services.graph.block_user import block_user
from services.graph.mute_user import mute_user
from services.graph.remove_follower import remove_follower
from services.graph.unblock_user import unblock_user
from services.graph.unfollow_user import unfollow_user
from services.graph.unmute_user import unmute_user
from services.graph.update_follow import update_follow
from services.hashtags.follow_hashtag import follow_hashtag
from services.memory.known_viewers import OWN_SIZE
from services.moderation.moderate_account import moderate_account
from services.moderation.remove_post import remove_post
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.share_post import share_post
from services.posts.unshare_post import unshare_post
from services.preferences.update_preferences import update_preferences
from tests.world import World, ids


@dataclass
class QuickWorld(World):
    """Vera follows ada, bob and cora, who writes for friends too; pia is pulled. Nothing of it is unusual."""

    @classmethod
    async def made(cls, world: World) -> QuickWorld:
        """Filled, and read once."""
        policy = replace(world.backends.policy, celebrity_threshold=2)
        made = cls(replace(world.backends, policy=policy))
        await made.fill()
        # The first page that a process reads for somebody goes the long way.
        await made.warm("vera")
        return made

    async def fill(self) -> None:
        await self.add("vera", "ada", "bob", "cora", "pia", "zoe")
        await self.follow("vera", "ada", "bob", "cora", "pia")
        await self.follow("cora", "vera")
        await self.follow("zoe", "ada")
        for number in range(6):
            for name in ("ada", "bob", "cora", "pia"):
                kind = Visibility.FRIENDS if name == "cora" and number % 2 else Visibility.PUBLIC
                await self.post(name, f"{name} {number} " + ("sword" if number == 3 else "words"), kind)
        await self.post("vera", "my own")
        await self.drain()

    async def both(self, size: int = 20, cursor: str | None = None) -> FeedPage:
        """The page by the usual way, which must be what the long way gives at this moment."""
        quick = await self.page("vera", size, cursor)
        long = await read_home_feed.read_home_feed(
            replace(self.backends, memory=None),
            viewer_id=self.ids["vera"],
            page=PageRequest(size, cursor),
            order=FeedOrder.LATEST,
        )
        assert [entry.facts for entry in quick.edges] == [entry.facts for entry in long.edges]
        assert quick.edges == long.edges
        assert quick.page_info == long.page_info
        assert quick.status._replace(as_of=long.status.as_of) == long.status
        return quick

    async def whole(self) -> list[int]:
        """The whole feed by both ways, in small and large pages."""
        found: list[int] = []
        for size in (6, 50):
            seen: list[int] = []
            page = await self.both(size)
            seen += ids(page)
            while page.page_info.has_next_page:
                page = await self.both(size, page.page_info.end_cursor)
                seen += ids(page)
            assert not found or found == seen
            found = seen
        return found


Step = Callable[[QuickWorld], Awaitable[object]]


def _id(world: QuickWorld, name: str) -> int:
    return world.ids[name]


async def _settings(world: QuickWorld, **changes: object) -> None:
    unset: dict[str, object] = {"close_friend": None, "hide_shares": None, "daily_limit": None}
    await update_follow(
        world.backends,
        follower_id=_id(world, "vera"),
        followee_id=_id(world, "ada"),
        **unset | changes,  # type: ignore[arg-type]
    )


async def _prefer(world: QuickWorld, **changes: object) -> None:
    unset: dict[str, object] = dict.fromkeys(("default_order", "muted_words", "hide_shares", "hide_seen"))
    await update_preferences(world.backends, viewer_id=_id(world, "vera"), **unset | changes)  # type: ignore[arg-type]


async def _newest(world: QuickWorld, author: str) -> int:
    page = await world.page("vera", 50)
    return next(entry.node.id for entry in page.edges if entry.node.author_id == _id(world, author))


def mute(name: str, until: timedelta | None = None) -> Step:
    async def step(world: QuickWorld) -> None:
        end = datetime.now(UTC) + until if until is not None else None
        await mute_user(world.backends, viewer_id=_id(world, "vera"), user_id=_id(world, name), until=end)

    return step


async def _edit(world: QuickWorld, author: str, **changes: object) -> None:
    unset: dict[str, object] = {"body": None, "visibility": None}
    await edit_post(
        world.backends,
        author_id=_id(world, author),
        post_id=await _newest(world, author),
        **unset | changes,  # type: ignore[arg-type]
    )


async def _share(world: QuickWorld, sharer: str, body: str) -> None:
    await share_post(world.backends, author_id=_id(world, sharer), post_id=await _newest(world, "ada"), body=body)


async def _unshare(world: QuickWorld) -> None:
    post_id = await _newest(world, "ada")
    await share_post(world.backends, author_id=_id(world, "bob"), post_id=post_id, body="")
    await world.whole()
    await unshare_post(world.backends, author_id=_id(world, "bob"), post_id=post_id)


async def _seen(world: QuickWorld) -> None:
    await _prefer(world, hide_seen=True)
    page = await world.page("vera", 5)
    await mark_feed_seen(world.backends, viewer_id=_id(world, "vera"), cursor=page.edges[3].cursor)


async def _like(world: QuickWorld) -> None:
    await like_post(world.backends, viewer_id=_id(world, "zoe"), post_id=await _newest(world, "ada"))


async def _unlike(world: QuickWorld) -> None:
    await _like(world)
    await world.whole()
    await unlike_post(world.backends, viewer_id=_id(world, "zoe"), post_id=await _newest(world, "ada"))


STEPS: dict[str, Step] = {
    "a post under way": lambda w: w.post("ada", "new"),
    "a pulled post under way": lambda w: w.post("pia", "new"),
    "an own post": lambda w: w.post("vera", "new"),
    "an own post for nobody else": lambda w: w.post("vera", "new", Visibility.PRIVATE),
    "follow": lambda w: w.follow("vera", "zoe"),
    "unfollow": lambda w: unfollow_user(w.backends, follower_id=_id(w, "vera"), followee_id=_id(w, "ada")),
    "unfollow, keeping history": lambda w: unfollow_user(
        w.backends, follower_id=_id(w, "vera"), followee_id=_id(w, "ada"), keep_history=True
    ),
    "no friend any more": lambda w: unfollow_user(w.backends, follower_id=_id(w, "cora"), followee_id=_id(w, "vera")),
    "removed follower": lambda w: remove_follower(w.backends, viewer_id=_id(w, "ada"), follower_id=_id(w, "vera")),
    "mute": mute("ada"),
    "mute of a pulled author": mute("pia"),
    "block": lambda w: block_user(w.backends, viewer_id=_id(w, "vera"), user_id=_id(w, "ada")),
    "blocked": lambda w: block_user(w.backends, viewer_id=_id(w, "ada"), user_id=_id(w, "vera")),
    "close friend": lambda w: _settings(w, close_friend=True),
    "hides shares": lambda w: _settings(w, hide_shares=True),
    "daily limit": lambda w: _settings(w, daily_limit=2),
    "muted word": lambda w: _prefer(w, muted_words=["sword"]),
    "every word muted": lambda w: _prefer(w, muted_words=["words", "sword"]),
    "what was seen": _seen,
    "edited": lambda w: _edit(w, "ada", body="other words"),
    "for friends now": lambda w: _edit(w, "ada", visibility=Visibility.FRIENDS),
    "for nobody now": lambda w: _edit(w, "ada", visibility=Visibility.PRIVATE),
    "pulled, for nobody now": lambda w: _edit(w, "pia", visibility=Visibility.PRIVATE),
    "private account": lambda w: update_profile(
        w.backends, user_id=_id(w, "ada"), display_name=None, bio=None, is_private=True
    ),
    "other name": lambda w: update_profile(w.backends, user_id=_id(w, "ada"), display_name="A.", bio="b", is_private=None),
    "suspended": lambda w: moderate_account(w.backends, username="ada", change=ModerationChange.SUSPEND),
    "shadow-banned": lambda w: moderate_account(w.backends, username="ada", change=ModerationChange.SHADOW_BAN),
    "liked": _like,
    "no longer liked": _unlike,
    "shared": lambda w: _share(w, "bob", ""),
    "shared by a stranger": lambda w: _share(w, "zoe", ""),
    "quoted": lambda w: _share(w, "bob", "a quote"),
    "no longer shared": _unshare,
}


async def _deleted(world: QuickWorld) -> None:
    await delete_post(world.backends, author_id=_id(world, "ada"), post_id=await _newest(world, "ada"))


async def _removed(world: QuickWorld) -> None:
    assert await remove_post(world.backends, post_id=await _newest(world, "ada"))


async def _commented(world: QuickWorld) -> None:
    await add_comment(world.backends, viewer_id=_id(world, "zoe"), post_id=await _newest(world, "ada"), body="hm")


async def _muted_and_back(world: QuickWorld) -> None:
    await mute("ada")(world)
    await world.whole()
    await unmute_user(world.backends, viewer_id=_id(world, "vera"), user_id=_id(world, "ada"))


async def _blocked_and_back(world: QuickWorld) -> None:
    await block_user(world.backends, viewer_id=_id(world, "vera"), user_id=_id(world, "zoe"))
    await world.whole()
    await unblock_user(world.backends, viewer_id=_id(world, "vera"), user_id=_id(world, "zoe"))


async def _grown(world: QuickWorld) -> None:
    for name in ("zed", "zac", "zig"):
        await world.add(name)
        await world.follow(name, "bob")
    await world.post("bob", "now pulled")
    await world.drain()


async def _shared_and_blocked(world: QuickWorld) -> None:
    """Bob passes on what zoe wrote, who wants nothing to do with vera."""
    post_id = await world.post("zoe", "by zoe")
    await share_post(world.backends, author_id=_id(world, "bob"), post_id=post_id, body="")
    await world.drain()
    await block_user(world.backends, viewer_id=_id(world, "zoe"), user_id=_id(world, "vera"))


async def _old_one_shared(world: QuickWorld) -> None:
    """Far below the share, on another page."""
    page = await world.page("vera", 50)
    post_id = next(entry.node.id for entry in reversed(page.edges) if entry.node.author_id == _id(world, "ada"))
    await share_post(world.backends, author_id=_id(world, "bob"), post_id=post_id, body="")


async def _many_own(world: QuickWorld) -> None:
    """More than a look brings along."""
    for number in range(OWN_SIZE + 5):
        await world.post("vera", f"own {number}")


async def _many_own_deleted(world: QuickWorld) -> None:
    await _many_own(world)
    for entry in (await world.page("vera", 15)).edges:
        await delete_post(world.backends, author_id=_id(world, "vera"), post_id=entry.node.id)


async def _hashtag(world: QuickWorld) -> None:
    await world.post("zoe", "#news by a stranger")
    await world.post("ada", "#news by ada")
    await follow_hashtag(world.backends, viewer_id=_id(world, "vera"), name="news")


STEPS |= {
    "hashtag": _hashtag,
    "many own posts": _many_own,
    "many own posts deleted": _many_own_deleted,
    "an old one shared": _old_one_shared,
    "an author grows too large": _grown,
    "shared and then blocked": _shared_and_blocked,
    "deleted": _deleted,
    "removed by a moderator": _removed,
    "commented": _commented,
    "muted and back": _muted_and_back,
    "blocked and back": _blocked_and_back,
}
