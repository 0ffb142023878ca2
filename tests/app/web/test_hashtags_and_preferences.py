"""Hashtags and feed preferences, as clients see and set them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.web.people_of_a_server import account, done, refused
from tests.app.web.running_server import RunningServer, codes, token_for

HASHTAG = "query ($n: String!) { hashtag(name: $n) { id name postCount viewerIsFollowing } }"
PREFERENCES = "{ feedPreferences { defaultOrder mutedWords hideShares hideSeen } }"
DEFAULTS = {"defaultOrder": "LATEST", "mutedWords": [], "hideShares": False, "hideSeen": False}


async def publish(web: RunningServer, author: str, body: str) -> str:
    post_id: str = (await done(web, author, "createPost", "post { id }", text=body))["post"]["id"]
    return post_id


async def test_a_hashtag_is_followed_and_unfollowed(web: RunningServer) -> None:
    assert await web.data(HASHTAG, n="Joy") == {"hashtag": None}
    for name in ("#Joy", "joy"):
        payload = await done(web, "ada", "followHashtag", "hashtag { id name viewerIsFollowing }", name=name)
        assert payload["hashtag"] | {"id": ""} == {"id": "", "name": "joy", "viewerIsFollowing": True}
    hashtag_id = payload["hashtag"]["id"]
    mine = await web.data(HASHTAG, token_for("ada"), n="JOY")
    assert mine["hashtag"] == {"id": hashtag_id, "name": "joy", "postCount": 0, "viewerIsFollowing": True}
    for token in (None, token_for("bob")):
        assert (await web.data(HASHTAG, token, n="joy"))["hashtag"]["viewerIsFollowing"] is False
    again = "query ($i: [ID!]!) { nodes(ids: $i) { id ... on Hashtag { name } } }"
    assert await web.data(again, i=[hashtag_id, "nonsense"]) == {"nodes": [{"id": hashtag_id, "name": "joy"}, None]}
    await done(web, "ada", "followHashtag", name="art")
    listed = "{ followedHashtags { nodes { name viewerIsFollowing } edges { cursor node { id } } pageInfo { hasNextPage } } }"
    nodes = (await web.data(listed, token_for("ada")))["followedHashtags"]["nodes"]
    assert nodes == [{"name": "art", "viewerIsFollowing": True}, {"name": "joy", "viewerIsFollowing": True}]
    assert codes((await web.post({"query": listed})).json()) == ["UNAUTHENTICATED"]
    for _ in range(2):
        payload = await done(web, "ada", "unfollowHashtag", "hashtag { id viewerIsFollowing }", name="Joy")
        assert payload == {"hashtag": {"id": hashtag_id, "viewerIsFollowing": False}}
    assert await done(web, "ada", "unfollowHashtag", "hashtag { id }", name="never_seen") == {"hashtag": None}


@pytest.mark.parametrize("mutation", ["followHashtag", "unfollowHashtag"])
@pytest.mark.parametrize(
    ("name", "code"), [("", "BLANK"), (" # ", "BLANK"), ("a" * 101, "TOO_LONG"), ("1", "INVALID"), ("a\u0000", "INVALID")]
)
async def test_names_that_are_none(web: RunningServer, mutation: str, name: str, code: str) -> None:
    assert await refused(web, "ada", mutation, name=name) == (code, ["name"])
    assert await web.data(HASHTAG, n=name) == {"hashtag": None}


async def test_posts_of_a_hashtag_and_the_hashtags_of_a_post(web: RunningServer) -> None:
    follow = "followHashtag", "hashtag { id }"
    sea = (await done(web, "cat", *follow, name="sea"))["hashtag"]["id"]
    sky = (await done(web, "dan", *follow, name="Himmel"))["hashtag"]["id"]
    posts = [await publish(web, "cat", "#Sea and #HIMMEL, and more") for number in range(3)]
    query = """
      query ($i: ID!, $a: String) { node(id: $i) { ... on Hashtag { posts(first: 2, after: $a) {
        nodes { id entities { text hashtag { id name viewerIsFollowing } } } pageInfo { hasNextPage endCursor } } } } }
    """
    assert [(await web.data(HASHTAG, n=name))["hashtag"]["postCount"] for name in ("sea", "himmel")] == [3, 3]
    first = (await web.data(query, token_for("cat"), i=sea))["node"]["posts"]
    assert [node["id"] for node in first["nodes"]] == [posts[2], posts[1]]
    assert first["nodes"][0]["entities"] == [
        {"text": "#Sea", "hashtag": {"id": sea, "name": "sea", "viewerIsFollowing": True}},
        {"text": "#HIMMEL", "hashtag": {"id": sky, "name": "himmel", "viewerIsFollowing": False}},
    ]
    rest = (await web.data(query, token_for("cat"), i=sea, a=first["pageInfo"]["endCursor"]))["node"]["posts"]
    assert ([node["id"] for node in rest["nodes"]], rest["pageInfo"]["hasNextPage"]) == ([posts[0]], False)
    for hashtag, token in ((sky, token_for("cat")), (sea, token_for("dan"))):
        variables = {"i": hashtag, "a": first["pageInfo"]["endCursor"]}
        assert codes((await web.post({"query": query, "variables": variables}, token=token)).json()) == ["INVALID_CURSOR"]
    await done(web, "cat", "blockUser", userId=await account(web, "dan"))
    assert (await web.data(query, token_for("dan"), i=sea))["node"]["posts"]["nodes"] == []


async def update(web: RunningServer, **fields: Any) -> Any:
    selection = "preferences { defaultOrder mutedWords hideShares hideSeen }"
    changed = (await done(web, "ada", "updateFeedPreferences", selection, **fields))["preferences"]
    assert (await web.data(PREFERENCES, token_for("ada")))["feedPreferences"] == changed
    return changed


async def test_preferences_stay_unless_given(web: RunningServer) -> None:
    assert await update(web) == DEFAULTS
    assert await update(web, defaultOrder="RANKED", mutedWords=[" one ", "ONE", "two"]) == DEFAULTS | {
        "defaultOrder": "RANKED",
        "mutedWords": ["one", "two"],
    }
    changed = await update(web, hideShares=True, hideSeen=True, mutedWords=None, defaultOrder=None)
    assert changed == {"defaultOrder": "RANKED", "mutedWords": ["one", "two"], "hideShares": True, "hideSeen": True}
    assert (await web.data(PREFERENCES, token_for("bob")))["feedPreferences"] == DEFAULTS
    assert await update(web, defaultOrder="LATEST", mutedWords=[], hideShares=False, hideSeen=False) == DEFAULTS
    assert codes((await web.post({"query": PREFERENCES})).json()) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("words", "code", "index"),
    [
        (["a", " "], "BLANK", "1"),
        (["x" * 101], "TOO_LONG", "0"),
        (["a\u0000"], "INVALID", "0"),
        ([str(number) for number in range(201)], "LIMIT_REACHED", "200"),
    ],
)
async def test_muted_words_that_are_refused(web: RunningServer, words: list[str], code: str, index: str) -> None:
    refusal = await refused(web, "eve", "updateFeedPreferences", mutedWords=words, hideSeen=True)
    assert refusal == (code, ["mutedWords", index])
    assert (await web.data(PREFERENCES, token_for("eve")))["feedPreferences"] == DEFAULTS
