"""The reader's place in the feed, what is seen already, and why a post is shown or not: as clients ask for it."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from domain.ids import to_global_id
from tests.app.web.people_of_a_server import account, done, mutate
from tests.app.web.running_server import RunningServer, codes, token_for

_FEED = """
  query ($first: Int, $after: String, $order: FeedOrder) { feed(first: $first, after: $after, order: $order) {
    edges { cursor node { id } } pageInfo { hasNextPage endCursor } status { state order degradations } } }
"""
_POSITION = "{ feedPosition { cursor unseenCount } }"
_EXPLAIN = "query ($id: ID!) { explainFeedPost(postId: $id) { shown rule message } }"


def _name() -> str:
    return f"r{uuid.uuid4().hex[:12]}"


async def _feed(web: RunningServer, name: str, **variables: object) -> Any:
    return (await web.data(_FEED, token_for(name), **variables))["feed"]


async def _post(web: RunningServer, name: str, text: str, **more: object) -> str:
    return str((await done(web, name, "createPost", "post { id }", text=text, **more))["post"]["id"])


async def _rule(web: RunningServer, name: str, post_id: str) -> str:
    found = (await web.data(_EXPLAIN, token_for(name), id=post_id))["explainFeedPost"]
    assert found["shown"] is (found["rule"] == "SHOWN")
    assert found["message"]
    return str(found["rule"])


async def _reader_and_author(web: RunningServer) -> tuple[str, str]:
    reader, author = _name(), _name()
    await account(web, reader)
    await done(web, reader, "followUser", userId=await account(web, author))
    return reader, author


async def _position(web: RunningServer, name: str) -> Any:
    return (await web.data(_POSITION, token_for(name)))["feedPosition"]


async def test_the_place_only_moves_forward_from_however_many_devices(web: RunningServer) -> None:
    reader, author = await _reader_and_author(web)
    assert await _position(web, reader) == {"cursor": None, "unseenCount": 0}
    posts = [await _post(web, author, f"number {number}") for number in range(5)]
    cursors = [edge["cursor"] for edge in (await _feed(web, reader))["edges"]]
    assert (await _position(web, reader)) == {"cursor": None, "unseenCount": 5}
    moved = await done(web, reader, "markFeedSeen", "position { cursor unseenCount }", cursor=cursors[3])
    assert moved["position"]["unseenCount"] == 3
    await asyncio.gather(*(done(web, reader, "markFeedSeen", cursor=cursor) for cursor in cursors[1:]))
    assert (await _position(web, reader))["unseenCount"] == 1
    await done(web, reader, "markFeedSeen", cursor=cursors[4])
    place = await _position(web, reader)
    assert place["unseenCount"] == 1
    # The position is a cursor of the feed: from there on is what was seen.
    below = await _feed(web, reader, after=place["cursor"])
    assert [edge["node"]["id"] for edge in below["edges"]] == posts[2::-1]


async def test_a_cursor_that_is_not_the_viewers(web: RunningServer) -> None:
    reader, author = await _reader_and_author(web)
    await _post(web, author, "hello")
    cursor = (await _feed(web, author))["edges"][0]["cursor"]
    for wrong in (cursor, "", "x", cursor + "A"):
        payload = await mutate(web, reader, "markFeedSeen", "position { unseenCount }", cursor=wrong)
        assert payload["position"] is None
        assert [(error["code"], error["field"]) for error in payload["userErrors"]] == [("INVALID", ["cursor"])]
    assert (await _position(web, reader)) == {"cursor": None, "unseenCount": 1}


async def test_what_was_seen_stays_away_from_the_walks_beginning_on(web: RunningServer) -> None:
    reader, author = await _reader_and_author(web)
    posts = [await _post(web, author, f"number {number}") for number in range(6)]
    await done(web, reader, "updateFeedPreferences", hideSeen=True)
    first = await _feed(web, reader, first=2)
    assert [edge["node"]["id"] for edge in first["edges"]] == [posts[5], posts[4]]
    # Marked in the middle of a walk: the walk goes on as it began.
    await done(web, reader, "markFeedSeen", cursor=first["edges"][0]["cursor"])
    rest = await _feed(web, reader, first=10, after=first["pageInfo"]["endCursor"])
    assert [edge["node"]["id"] for edge in rest["edges"]] == posts[3::-1]
    assert rest["status"]["state"] == "END_OF_FEED"
    again = await _feed(web, reader)
    assert again["edges"] == []
    assert again["status"]["state"] == "END_OF_FEED"
    assert await _rule(web, reader, posts[2]) == "ALREADY_SEEN"
    newest = await _post(web, author, "one more")
    assert [edge["node"]["id"] for edge in (await _feed(web, reader))["edges"]] == [newest]
    assert await _rule(web, reader, newest) == "SHOWN"


async def test_the_preferred_order_is_tried_and_the_page_says_what_it_is(web: RunningServer) -> None:
    reader, _ = await _reader_and_author(web)
    await done(web, reader, "updateFeedPreferences", defaultOrder="RANKED")
    status = (await _feed(web, reader))["status"]
    assert (status["order"], status["degradations"]) == ("LATEST", ["RANKER_UNAVAILABLE"])
    assert (await _feed(web, reader, order="LATEST"))["status"]["degradations"] == []


async def test_every_rule_is_named(web: RunningServer) -> None:
    reader, author = await _reader_and_author(web)
    stranger, friend = _name(), _name()
    reader_id, stranger_id, friend_id = [await account(web, name) for name in (reader, stranger, friend)]
    await done(web, reader, "followUser", userId=friend_id)
    plain, muted_word = await _post(web, author, "plain"), await _post(web, author, "a Spoiler here")
    for_friends = await _post(web, author, "for friends", visibility="FRIENDS")
    by_stranger, shared = await _post(web, stranger, "stranger"), await _post(web, stranger, "shared one")
    own = await _post(web, reader, "own")
    await done(web, reader, "updateFeedPreferences", mutedWords=["spoiler"])
    share = (await done(web, friend, "sharePost", "post { id }", postId=shared))["post"]["id"]
    again = (await done(web, friend, "sharePost", "post { id }", postId=plain))["post"]["id"]
    expected = {
        plain: "SHOWN",
        own: "SHOWN",
        muted_word: "MUTED_WORD",
        for_friends: "NOT_VISIBLE",
        by_stranger: "NOT_FOLLOWING",
        shared: "SHOWN",
        share: "SHOWN",
        again: "REPEATED",
    }
    assert {post: await _rule(web, reader, post) for post in expected} == expected
    await done(web, reader, "updateFollow", userId=friend_id, hideShares=True)
    assert [await _rule(web, reader, post) for post in (share, shared, plain)] == ["SHARES_HIDDEN", "SHARES_HIDDEN", "SHOWN"]
    author_id = await account(web, author)
    await done(web, reader, "updateFollow", userId=author_id, dailyLimit=1)
    assert await _rule(web, reader, await _post(web, author, "one too many")) == "DAILY_LIMIT"
    await done(web, reader, "muteUser", userId=author_id)
    assert await _rule(web, reader, plain) == "MUTED"
    await done(web, author, "deletePost", postId=plain)
    assert await _rule(web, reader, plain) == "DELETED"
    await done(web, reader, "blockUser", userId=stranger_id)
    assert await _rule(web, reader, by_stranger) == "BLOCKED"
    await done(web, reader, "unblockUser", userId=stranger_id)
    await done(web, stranger, "blockUser", userId=reader_id)
    nothing = (await web.data(_EXPLAIN, token_for(reader), id=to_global_id("Post", 1 << 60)))["explainFeedPost"]
    assert nothing["rule"] == "NOT_VISIBLE"
    for hidden in (by_stranger, for_friends, "rubbish", reader_id):
        assert (await web.data(_EXPLAIN, token_for(reader), id=hidden))["explainFeedPost"] == nothing


async def test_all_of_it_belongs_to_a_viewer(web: RunningServer) -> None:
    for query in (
        _POSITION,
        '{ explainFeedPost(postId: "x") { rule } }',
        'mutation { markFeedSeen(input: {cursor: "x"}) { position { cursor } } }',
    ):
        answer = (await web.post({"query": query})).json()
        assert codes(answer) == ["UNAUTHENTICATED"]
        assert list(answer["data"].values()) == [None]


async def test_an_empty_cursor_is_none_of_ours(web: RunningServer) -> None:
    """A client that lost its cursor is told so, instead of reading the first page for ever."""
    reader, author = await _reader_and_author(web)
    await _post(web, author, "hello")
    asked = [f'{{ feed({argument}: "") {{ nodes {{ id }} }} }}' for argument in ("after", "before")]
    lists = ("posts", "followers", "following")
    asked += [f'{{ user(username: "{author}") {{ {many}(after: "") {{ nodes {{ id }} }} }} }}' for many in lists]
    await done(web, reader, "followHashtag", name="sea")
    asked += [
        '{ followedHashtags(after: "") { nodes { id } } }',
        '{ hashtag(name: "sea") { posts(after: "") { nodes { id } } } }',
    ]
    for query in asked:
        assert codes((await web.post({"query": query}, token=token_for(reader))).json()) == ["INVALID_CURSOR"], query
    assert len((await _feed(web, reader, after=None))["edges"]) == 1
