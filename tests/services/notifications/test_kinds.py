"""Every kind of notification: who is told of it, when it ends, and what happens when it comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.records import Visibility
from services.accounts.update_profile import update_profile
from services.graph.answer_follow_request import answer_follow_request
from services.graph.block_user import block_user
from services.graph.remove_follower import remove_follower
from services.graph.update_follow import update_follow
from services.notifications import activity_facts
from services.notifications.process_activities import process_activities
from services.posts.delete_post import delete_post
from services.posts.edit_post import edit_post
from services.posts.unshare_post import unshare_post
from tests.services.notifications.telling import Telling


async def become_private(telling: Telling, name: str, is_private: bool = True) -> None:
    await update_profile(telling.backends, user_id=telling.world.ids[name], display_name=None, bio=None, is_private=is_private)


async def befriend(telling: Telling, follower: str, followee: str) -> None:
    """Close friends of whoever is followed."""
    await telling.world.follow(follower, followee)
    ids = telling.world.ids
    await update_follow(
        telling.backends,
        follower_id=ids[follower],
        followee_id=ids[followee],
        close_friend=True,
        hide_shares=None,
        daily_limit=None,
    )


async def test_likes(telling: Telling) -> None:
    post_id = await telling.world.post("ada")
    other_id = await telling.world.post("ada")
    await telling.like("bob", post_id)
    await telling.like("ada", post_id)
    assert await telling.told("ada") == [("LIKE", post_id, ("bob",), 1)]
    await telling.like("cat", post_id)
    await telling.like("cat", other_id)
    both = ("LIKE", post_id, ("cat", "bob"), 2)
    assert sorted(await telling.told("ada")) == sorted([both, ("LIKE", other_id, ("cat",), 1)])
    await telling.unlike("cat", other_id)
    await telling.unlike("bob", post_id)
    assert await telling.told("ada") == [("LIKE", post_id, ("cat",), 1)]
    assert await telling.told("bob") == []


async def test_a_like_and_its_end_before_anybody_looked(telling: Telling) -> None:
    post_id = await telling.world.post("ada")
    await telling.like("bob", post_id)
    await telling.unlike("bob", post_id)
    assert await telling.told("ada") == []
    assert await telling.rows("SELECT 1 FROM notifications") == []


async def test_comments(telling: Telling) -> None:
    post_id = await telling.world.post("ada")
    first = await telling.comment("bob", post_id)
    await telling.comment("ada", post_id)
    second = await telling.comment("bob", post_id)
    (only,) = await telling.records("ada")
    assert (only.kind, only.post_id, only.actor_count, only.comment_id) == ("COMMENT", post_id, 1, second)
    await telling.uncomment("bob", second)
    assert (await telling.page("ada")).nodes == [], "what was deleted is not shown, though no worker has looked yet"
    (only,) = await telling.records("ada")
    assert (only.actor_count, only.comment_id) == (1, first)
    await telling.uncomment("ada", first)
    assert await telling.told("ada") == []


async def test_one_more_comment_is_news_and_one_in_place_of_another_is_not(telling: Telling) -> None:
    post_id = await telling.world.post("ada")
    first = await telling.comment("bob", post_id)
    (before,) = await telling.records("ada")
    second = await telling.comment("bob", post_id)
    (after,) = await telling.records("ada")
    assert after.id == before.id
    assert after.place > before.place
    await telling.uncomment("bob", second)
    await telling.process()
    third = await telling.comment("bob", post_id)
    (later,) = await telling.records("ada")
    assert later.place > after.place, "he is there by the first one: one more"
    for comment_id in (first, third):
        await telling.uncomment("bob", comment_id)
    await telling.process()
    await telling.comment("bob", post_id)
    (again,) = await telling.records("ada")
    assert again.place == later.place


async def test_shares_and_quotes(telling: Telling) -> None:
    root = await telling.world.post("ada")
    await telling.world.share("bob", root)
    quote = await telling.world.share("cat", root, "words")
    of_share = await telling.world.share("dan", quote)
    assert await telling.told("ada") == [("SHARE", root, ("cat", "bob"), 2)]
    assert await telling.told("cat") == [("SHARE", quote, ("dan",), 1)]
    await unshare_post(telling.backends, author_id=telling.world.ids["bob"], post_id=root)
    assert await telling.told("ada") == [("SHARE", root, ("cat",), 1)]
    again = await telling.world.share("cat", root)
    assert again != of_share
    await delete_post(telling.backends, author_id=telling.world.ids["cat"], post_id=quote)
    assert await telling.told("ada") == [("SHARE", root, ("cat",), 1)], "her share without words is left"
    await delete_post(telling.backends, author_id=telling.world.ids["cat"], post_id=again)
    assert await telling.told("ada") == []


async def test_a_quote_that_its_subject_may_not_see_is_not_told(telling: Telling) -> None:
    root = await telling.world.post("ada")
    quote = await telling.world.share("cat", root, "words")
    ids = telling.world.ids
    assert await telling.told("ada") == [("SHARE", root, ("cat",), 1)]
    for visibility, is_told in ((Visibility.PRIVATE, False), (Visibility.PUBLIC, True), (Visibility.FRIENDS, False)):
        await edit_post(telling.backends, author_id=ids["cat"], post_id=quote, body=None, visibility=visibility)
        assert bool(await telling.told("ada")) is is_told
    await telling.world.follow("ada", "cat")
    await telling.world.follow("cat", "ada")
    assert ("SHARE", root, ("cat",), 1) in await telling.told("ada")
    await telling.world.share("bob", root)
    await become_private(telling, "bob")
    assert ("SHARE", root, ("cat",), 1) in await telling.told("ada"), "a private account's share is for its followers"


async def test_follows(telling: Telling) -> None:
    await telling.world.follow("bob", "ada")
    await telling.world.follow("cat", "ada")
    assert await telling.told("ada") == [("FOLLOW", None, ("cat", "bob"), 2)]
    await telling.world.unfollow("cat", "ada")
    assert await telling.told("ada") == [("FOLLOW", None, ("bob",), 1)]
    await remove_follower(telling.backends, viewer_id=telling.world.ids["ada"], follower_id=telling.world.ids["bob"])
    assert await telling.told("ada") == []
    await telling.world.follow("dan", "ada")
    await telling.world.follow("ada", "dan")
    await telling.process()
    await block_user(telling.backends, viewer_id=telling.world.ids["dan"], user_id=telling.world.ids["ada"])
    assert await telling.told("ada") == await telling.told("dan") == []
    assert await telling.rows("SELECT 1 FROM notification_actors WHERE withdrawn_at IS NULL") == []


async def test_follow_requests_end_with_their_answer(telling: Telling) -> None:
    ids = telling.world.ids
    await become_private(telling, "ada")
    for name in ("bob", "cat", "dan"):
        await telling.world.follow(name, "ada")
    assert await telling.told("ada") == [("FOLLOW_REQUEST", None, ("dan", "cat", "bob"), 3)]
    await answer_follow_request(telling.backends, viewer_id=ids["ada"], requester_id=ids["bob"], accept=True)
    await telling.world.unfollow("cat", "ada")
    assert await telling.told("ada") == [("FOLLOW_REQUEST", None, ("dan",), 1)]
    await telling.world.follow("cat", "ada")
    await become_private(telling, "ada", False)
    assert await telling.told("ada") == [], "whoever accepts knows"


async def test_mentions_in_posts(telling: Telling) -> None:
    ids = telling.world.ids
    post_id = await telling.world.post("ada", "@bob @bob @cat @ada @nobody_at_all")
    for name in ("bob", "cat"):
        assert await telling.told(name) == [("MENTION", post_id, ("ada",), 1)]
    assert await telling.told("ada") == []
    await edit_post(telling.backends, author_id=ids["ada"], post_id=post_id, body="@cat @dan", visibility=None)
    assert (await telling.page("bob")).nodes == [], "at once"
    assert await telling.told("bob") == []
    (before,) = await telling.records("cat")
    assert await telling.told("dan") == [("MENTION", post_id, ("ada",), 1)]
    await telling.age(timedelta(days=100))
    await edit_post(telling.backends, author_id=ids["ada"], post_id=post_id, body="@cat @dan again", visibility=None)
    assert len(await telling.records("cat")) == 1, "one mention is told once, however often the text is edited"
    await delete_post(telling.backends, author_id=ids["ada"], post_id=post_id)
    assert await telling.told("cat") == []
    assert before.post_id == post_id


async def test_mentions_in_posts_that_not_everybody_sees(telling: Telling) -> None:
    await telling.world.follow("bob", "ada")
    await telling.world.follow("ada", "bob")
    for_friends = await telling.world.post("ada", "@bob @cat", Visibility.FRIENDS)
    await telling.world.post("ada", "@bob @cat", Visibility.PRIVATE)
    assert ("MENTION", for_friends, ("ada",), 1) in await telling.told("bob")
    assert len(await telling.told("bob")) == 2
    assert await telling.told("cat") == []
    await edit_post(
        telling.backends, author_id=telling.world.ids["ada"], post_id=for_friends, body=None, visibility=Visibility.PUBLIC
    )
    assert await telling.told("cat") == [("MENTION", for_friends, ("ada",), 1)]


async def test_mentions_in_comments(telling: Telling) -> None:
    post_id = await telling.world.post("ada")
    first = await telling.comment("bob", post_id, "what do you say, @CAT?")
    (only,) = await telling.records("cat")
    assert (only.kind, only.post_id, only.comment_id) == ("MENTION", post_id, first)
    second = await telling.comment("bob", post_id, "@cat @dan!")
    await telling.process()
    await telling.uncomment("bob", second)
    (only,) = await telling.records("cat")
    assert (only.comment_id, only.actor_count) == (first, 1)
    assert await telling.told("dan") == []
    await telling.uncomment("bob", first)
    assert await telling.told("cat") == []
    hidden = await telling.world.post("ada", "for me", Visibility.PRIVATE)
    await telling.comment("ada", hidden, "@cat")
    assert await telling.told("cat") == []


async def test_close_friends(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_facts, "MOST_FRIENDS", 2)
    monkeypatch.setattr(activity_facts, "FEWEST_FRIENDS", 2)
    for name in ("bob", "cat", "dan"):
        await befriend(telling, name, "ada")
    await telling.world.follow("eve", "ada")
    await telling.process()
    post_id = await telling.world.post("ada", "hello @bob")
    assert (await process_activities(telling.backends)).taken == 1
    assert await telling.rows("SELECT last_follower_id > 0 FROM activities") == [(True,)], "the others have their turn later"
    for name in ("bob", "cat", "dan"):
        assert ("CLOSE_FRIEND_POST", post_id, ("ada",), 1) in await telling.told(name)
    assert ("MENTION", post_id, ("ada",), 1) in await telling.told("bob")
    assert await telling.told("eve") == []
    quiet = await telling.world.post("ada", "for me", Visibility.PRIVATE)
    root = await telling.world.post("eve")
    await telling.world.share("ada", root)
    quote = await telling.world.share("ada", root, "words")
    assert [told[1] for told in await telling.told("cat")] == [quote, post_id], "shares without words are none of hers"
    ids = telling.world.ids
    await edit_post(telling.backends, author_id=ids["ada"], post_id=quiet, body=None, visibility=Visibility.PUBLIC)
    await edit_post(telling.backends, author_id=ids["ada"], post_id=post_id, body="hello again", visibility=None)
    assert [told[1] for told in await telling.told("cat")] == [quiet, quote, post_id]
