"""Small scenes in which a client is told row by row; each is there for a mistake that it finds."""

from __future__ import annotations

from sqlalchemy import text

from domain.moderation import ModerationChange
from domain.records import Visibility
from services.graph.mute_user import mute_user
from services.graph.unmute_user import unmute_user
from services.graph.update_follow import update_follow
from services.hashtags.follow_hashtag import follow_hashtag
from services.moderation.moderate_account import moderate_account
from services.posts.edit_post import edit_post
from services.posts.unshare_post import unshare_post
from tests.stories.live_watching import held_post
from tests.stories.told_client import ToldClient
from tests.world import World


async def _open(world: World) -> ToldClient:
    await world.add("ada", "bob", "cat", "vera")
    await world.follow("vera", "ada", "bob")
    return await ToldClient.open(world.backends, world.ids["vera"])


async def _newest_rows(world: World, count: int) -> list[int]:
    async with world.backends.database.reading() as session:
        rows = await session.execute(text("SELECT id FROM outbox ORDER BY id DESC LIMIT :count"), {"count": count})
        return sorted(rows.scalars())


async def _edit(world: World, author: str, post_id: int, body: str | None = None, to: Visibility | None = None) -> None:
    await edit_post(world.backends, author_id=world.ids[author], post_id=post_id, body=body, visibility=to)


async def _mute(world: World, name: str) -> None:
    await mute_user(world.backends, viewer_id=world.ids["vera"], user_id=world.ids[name], until=None)


async def _unmute(world: World, name: str) -> None:
    await unmute_user(world.backends, viewer_id=world.ids["vera"], user_id=world.ids[name])


async def changed_there_and_back(world: World) -> None:
    """What was told is known: the way back brings the posts again."""
    await world.add("ada", "bob", "cat", "vera")
    await world.follow("vera", "ada")
    await world.post("ada")
    client = await ToldClient.open(world.backends, world.ids["vera"])
    await _mute(world, "ada")
    await client.look(await _newest_rows(world, 1))
    await client.check()
    await _unmute(world, "ada")
    await client.look(await _newest_rows(world, 1))
    await client.check()


async def told_out_of_order(world: World) -> None:
    """A post that comes while a change of the viewer's own is not named yet, and that change taken back."""
    client = await _open(world)
    await world.post("ada")
    await client.look()
    await _mute(world, "ada")
    (muted,) = await _newest_rows(world, 1)
    await client.look([muted])
    await _unmute(world, "ada")
    (unmuted,) = await _newest_rows(world, 1)
    await world.post("ada", "second")
    await client.look(await _newest_rows(world, 1))
    await _mute(world, "ada")
    await client.look([unmuted, *await _newest_rows(world, 1)])
    await client.check()


async def edited_there_and_back(world: World) -> None:
    """An edit that is not named yet is told along with the follow that shows the post."""
    await world.add("ada", "bob", "cat", "vera")
    post = await world.post("ada", "one", Visibility.PRIVATE)
    client = await ToldClient.open(world.backends, world.ids["vera"])
    await _edit(world, "ada", post, None, Visibility.PUBLIC)
    (shown,) = await _newest_rows(world, 1)
    await world.follow("vera", "ada")
    await client.look(await _newest_rows(world, 1))
    await client.check()
    await _edit(world, "ada", post, None, Visibility.PRIVATE)
    await client.look([shown, *await _newest_rows(world, 1)])
    await client.check()


async def muted_and_unmuted(world: World) -> None:
    """Two changes that cancel each other are nothing."""
    await world.add("ada", "bob", "cat", "vera")
    await world.follow("vera", "ada")
    await world.post("ada")
    client = await ToldClient.open(world.backends, world.ids["vera"])
    await _mute(world, "ada")
    await _unmute(world, "ada")
    await client.look()
    await client.check()
    assert client.changes == []


async def deleted_and_hidden(world: World) -> None:
    await world.add("ada", "bob", "cat", "vera")
    await world.follow("vera", "ada", "bob")
    posts = [await world.post("ada"), await world.post("bob"), await world.post("ada")]
    share = await world.share("bob", posts[0])
    client = await ToldClient.open(world.backends, world.ids["vera"])
    await unshare_post(world.backends, author_id=world.ids["bob"], post_id=share)
    await moderate_account(world.backends, username="ada", change=ModerationChange.SHADOW_BAN)
    await client.look(await _newest_rows(world, 1))
    await client.look()
    await client.check()


async def the_only_share_is_gone(world: World) -> None:
    """The share is taken back, but what is named first is something else about the post."""
    await world.add("ada", "bob", "cat", "vera")
    await world.follow("vera", "bob")
    post = await world.post("ada", "one")
    share = await world.share("bob", post)
    client = await ToldClient.open(world.backends, world.ids["vera"])
    await unshare_post(world.backends, author_id=world.ids["bob"], post_id=share)
    await _edit(world, "ada", post, "two")
    await client.look(await _newest_rows(world, 1))
    await client.check()


async def quoted_and_edited(world: World) -> None:
    await world.add("ada", "bob", "cat", "vera")
    await world.follow("vera", "bob")
    post = await world.post("ada", "one")
    await world.share("bob", post, "so true")
    client = await ToldClient.open(world.backends, world.ids["vera"])
    await _edit(world, "ada", post, "two")
    await client.look(await _newest_rows(world, 1))
    await client.check()
    await _edit(world, "ada", post, None, Visibility.PRIVATE)
    await client.look()
    await client.check()


async def no_friends_any_more(world: World) -> None:
    await world.add("ada", "bob", "cat", "vera")
    await world.follow("vera", "ada")
    await world.follow("ada", "vera")
    await world.post("ada", "for friends", Visibility.FRIENDS)
    client = await ToldClient.open(world.backends, world.ids["vera"])
    await world.unfollow("ada", "vera")
    await client.look()
    await client.check()


async def late_before_a_limit(world: World) -> None:
    """A post that commits late moves the one after it beyond the limit of the day."""
    await world.add("ada", "bob", "cat", "vera")
    await world.follow("vera", "ada")
    await update_follow(
        world.backends,
        follower_id=world.ids["vera"],
        followee_id=world.ids["ada"],
        close_friend=None,
        hide_shares=None,
        daily_limit=1,
    )
    async with held_post(world, "ada"):
        await world.post("ada")
        client = await ToldClient.open(world.backends, world.ids["vera"])
    await client.look()
    await client.check()


async def hashtags_lost(world: World) -> None:
    await world.add("ada", "bob", "cat", "vera")
    await follow_hashtag(world.backends, viewer_id=world.ids["vera"], name="red")
    post = await world.post("cat", "#red")
    client = await ToldClient.open(world.backends, world.ids["vera"])
    await _edit(world, "cat", post, "blue")
    await client.look()
    await client.check()


async def hidden_twice_over(world: World) -> None:
    """Shadow-banned before the end of the friendship is named."""
    await world.add("ada", "bob", "cat", "vera")
    await world.follow("vera", "ada", "bob")
    await world.follow("ada", "vera")
    await world.post("ada", "for friends", Visibility.FRIENDS)
    client = await ToldClient.open(world.backends, world.ids["vera"])
    await world.unfollow("ada", "vera")
    ended = await _newest_rows(world, 1)
    await moderate_account(world.backends, username="ada", change=ModerationChange.SHADOW_BAN)
    banned = await _newest_rows(world, 1)
    await world.post("bob")
    await client.look([*ended, *await _newest_rows(world, 1)])
    await world.unfollow("vera", "ada")
    await client.look([*banned, *await _newest_rows(world, 1)])
    await client.check()


async def followed_again(world: World) -> None:
    """What was published while somebody did not follow is in no log of theirs."""
    client = await _open(world)
    await world.unfollow("vera", "ada")
    ended = await _newest_rows(world, 1)
    await world.post("ada")
    await world.follow("vera", "ada")
    await client.look([*ended, *await _newest_rows(world, 1)])
    await client.check()
