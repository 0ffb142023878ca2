"""Traps of shares, hashtags, blocks and limits as small scenes: each ends with an AssertionError where we fell into one."""

from __future__ import annotations

import itertools

from domain.records import Visibility
from services.graph.block_user import block_user
from services.graph.mute_user import mute_user
from services.hashtags.follow_hashtag import follow_hashtag
from services.hashtags.unfollow_hashtag import unfollow_hashtag
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.unshare_post import unshare_post
from services.preferences.update_preferences import update_preferences
from tests.stories.trap_scenarios import CAP, ada_and_bob, same_by_every_way
from tests.world import World, ids, newest_first

SHARERS = ("cat", "dan")


async def bob_and_sharers(world: World) -> None:
    """Bob follows Cat and Dan, who share; Ada writes, and nobody follows her."""
    world.backends.timelines.cap = CAP
    await world.add("ada", "bob", *SHARERS)
    await world.follow("bob", *SHARERS)
    await world.warm("bob")


async def unshare(world: World, sharer: str, post_id: int) -> None:
    await unshare_post(world.backends, author_id=world.ids[sharer], post_id=post_id)


async def _prefer(world: World, name: str, *, words: list[str] | None = None, hide_seen: bool | None = None) -> None:
    await update_preferences(
        world.backends,
        viewer_id=world.ids[name],
        default_order=None,
        muted_words=words,
        hide_shares=None,
        hide_seen=hide_seen,
    )


async def hidden_shares_do_not_come_back(world: World) -> None:
    """Trap 4: Cat and Dan share; Dan goes, in one of three ways; Cat takes hers back: Dan's never appears."""
    for way in ("unfollow", "block", "mute"):
        world.ids.clear()
        names = {name: f"{name}_{way}" for name in ("ada", "bob", *SHARERS)}
        await world.add(*names.values())
        bob, cat, dan = names["bob"], names["cat"], names["dan"]
        await world.follow(bob, cat, dan)
        await world.warm(bob)
        post = await world.post(names["ada"])
        for sharer in (cat, dan):
            await world.share(sharer, post)
        await world.drain()
        if way == "unfollow":
            await world.unfollow(bob, dan)
        elif way == "block":
            await block_user(world.backends, viewer_id=world.ids[bob], user_id=world.ids[dan])
        else:
            await mute_user(world.backends, viewer_id=world.ids[bob], user_id=world.ids[dan], until=None)
        assert len(await same_by_every_way(world, bob)) == 1
        await unshare(world, cat, post)
        assert await world.walk(bob) == []
        await world.drain()
        assert await same_by_every_way(world, bob) == []


async def one_reason_less(world: World) -> None:
    """Traps 5 and 10: as long as one reason is left, the post is there, once; without any it is not."""
    await bob_and_sharers(world)
    bob = world.ids["bob"]
    reasons = ("author", "cat", "dan", "tag")
    for order in itertools.permutations(reasons):
        await world.follow("bob", "ada")
        await follow_hashtag(world.backends, viewer_id=bob, name="red")
        post = await world.post("ada", "seen #red")
        for sharer in SHARERS:
            await world.share(sharer, post)
        await world.drain()
        for left, reason in zip((3, 2, 1, 0), order, strict=True):
            page = await world.page("bob")
            assert len(page.edges) == 1, f"{left + 1} reasons left of {order}: {ids(page)}"
            assert sum(max(1, told.user_count) for told in page.edges[0].reasons) == left + 1
            if reason == "author":
                await world.unfollow("bob", "ada")
            elif reason == "tag":
                await unfollow_hashtag(world.backends, viewer_id=bob, name="red")
            else:
                await unshare(world, reason, post)
        assert await world.walk("bob") == []
        await delete_post(world.backends, author_id=world.ids["ada"], post_id=post)
        await world.drain()
    assert await same_by_every_way(world, "bob") == []


async def any_order_of_arrival(world: World) -> None:
    """Trap 6: original and shares reach the timeline in any order, or by a later follow: one entry in the same place."""
    await bob_and_sharers(world)
    parts = ("ada", *SHARERS)
    for order in itertools.permutations(parts):
        await world.follow("bob", "ada")
        await world.warm("bob")
        post = await world.post("ada")
        made = {"ada": post, **{sharer: await world.share(sharer, post) for sharer in SHARERS}}
        for part in order:
            await world.backends.timelines.deliver([world.ids["bob"]], made[part])
            assert ids(await world.page("bob"))[0] == post
        await world.drain()
        page = await world.page("bob")
        assert ids(page)[0] == post
        assert made["cat"] not in ids(page)
        await world.unfollow("bob", "ada")
        assert ids(await world.page("bob"))[0] == made["cat"], "the first share stands where the original did"
        await world.follow("bob", "ada")
        assert ids(await world.page("bob"))[0] == post
        await delete_post(world.backends, author_id=world.ids["ada"], post_id=post)
        await world.drain()
    assert await same_by_every_way(world, "bob") == []


async def blocked_in_either_direction(world: World) -> None:
    """Trap 9: nothing of, by or about the blocked is left on the next page, nor behind a cursor that was open before."""
    for blocker, blocked in (("bob", "ada"), ("ada", "bob")):
        names = {name: f"{name}_of_{blocker}" for name in ("ada", "bob", *SHARERS)}
        await world.add(*names.values())
        ada, bob, cat, dan = names.values()
        await world.follow(bob, ada, cat, dan)
        await follow_hashtag(world.backends, viewer_id=world.ids[bob], name=f"red{blocker}")
        await world.warm(bob)
        theirs = await world.post(dan, "other")
        own = await world.post(ada, f"mine #red{blocker}")
        await world.share(cat, own)
        quote = await world.share(cat, own, "look")
        await world.share(ada, theirs)
        newest = await world.post(dan, "newest")
        await world.drain()
        cursor = (await world.page(bob, 1)).edges[0].cursor
        assert own in await world.walk(bob)
        await block_user(world.backends, viewer_id=world.ids[names[blocker]], user_id=world.ids[names[blocked]])
        assert ids(await world.page(bob, 50, cursor)) == [quote, theirs]
        assert await same_by_every_way(world, bob) == [newest, quote, theirs]
        page = await world.page(bob, 50)
        assert all(user.id != world.ids[ada] for edge in page.edges for told in edge.reasons for user in told.users)


async def muted_originals_are_not_shared_in(world: World) -> None:
    """Trap 9 for mutes: neither the muted nor what others share of them; their posts are still there to be opened."""
    await bob_and_sharers(world)
    post = await world.post("ada")
    await world.share("cat", post)
    assert len(await world.walk("bob")) == 1
    await mute_user(world.backends, viewer_id=world.ids["bob"], user_id=world.ids["ada"], until=None)
    assert await same_by_every_way(world, "bob") == []


async def unfollowed_hashtag(world: World) -> None:
    """Trap 10: exactly the posts that had no other reason go; own ones never."""
    await ada_and_bob(world)
    await world.add("cat")
    await follow_hashtag(world.backends, viewer_id=world.ids["bob"], name="red")
    followed = await world.post("ada", "one #red")
    stranger = await world.post("cat", "two #red")
    own = await world.post("bob", "three #red")
    await world.drain()
    assert await same_by_every_way(world, "bob") == [own, stranger, followed]
    await world.unfollow("bob", "ada")
    assert await world.walk("bob") == [own, stranger, followed], "the hashtag brings it all the same"
    await world.follow("bob", "ada")
    await unfollow_hashtag(world.backends, viewer_id=world.ids["bob"], name="red")
    assert await same_by_every_way(world, "bob") == [own, followed]


async def changed_between_two_pages(world: World) -> None:
    """Trap 13: what happens between two pages of one walk makes nothing come twice and nothing get lost."""
    await ada_and_bob(world)
    await world.add("cat")
    await world.follow("bob", "cat")
    posts = [await world.post("ada", f"number {number}") for number in range(3 * CAP)]
    await world.drain()
    found: list[int] = []
    cursor = None
    for turn in range(3 * CAP):
        page = await world.page("bob", 2, cursor)
        found += ids(page)
        cursor = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            break
        await world.post("ada", f"new {turn}")
        await world.share("cat", found[-1])
        await edit_post(
            world.backends, author_id=world.ids["ada"], post_id=found[0], body=f"edited {turn}", visibility=Visibility.PUBLIC
        )
        await world.drain()
    assert found == newest_first(posts)


async def shares_go_with_what_they_share(world: World) -> None:
    """A share is nowhere once its original is deleted, hidden, or holds a muted word."""
    await bob_and_sharers(world)
    posts = [await world.post("ada", f"about apple {number}") for number in range(3)]
    for post in posts:
        await world.share("cat", post)
    await world.drain()
    assert len(await world.walk("bob")) == 3
    await delete_post(world.backends, author_id=world.ids["ada"], post_id=posts[0])
    assert len(await world.walk("bob")) == 2
    change = {"author_id": world.ids["ada"], "post_id": posts[1], "body": None}
    await edit_post(world.backends, visibility=Visibility.FRIENDS, **change)  # type: ignore[arg-type]
    assert len(await world.walk("bob")) == 1
    await _prefer(world, "bob", words=["APPLE"])
    assert await same_by_every_way(world, "bob") == []
    await _prefer(world, "bob", words=[])
    assert len(await same_by_every_way(world, "bob")) == 1


SCENES = [
    hidden_shares_do_not_come_back,
    one_reason_less,
    any_order_of_arrival,
    blocked_in_either_direction,
    muted_originals_are_not_shared_in,
    unfollowed_hashtag,
    changed_between_two_pages,
    shares_go_with_what_they_share,
]
