"""Searches, trends and suggestions, as clients see them."""

from __future__ import annotations

from typing import Any

from tests.app.web.people_of_a_server import account, done
from tests.app.web.running_server import RunningServer, codes, token_for

POSTS = """
  query ($q: String!, $n: Int, $a: String) { searchPosts(query: $q, first: $n, after: $a) {
    edges { cursor node { id text author { username } } } pageInfo { hasNextPage endCursor } } }
"""
USERS = "query ($q: String!, $n: Int, $a: String) { searchUsers(query: $q, first: $n, after: $a) { nodes { username } } }"
TRENDS = "query ($n: Int) { trendingHashtags(first: $n) { recentPostCount hashtag { name } } }"
SUGGESTED = "query ($n: Int) { suggestedUsers(first: $n) { username } }"


async def refusal(web: RunningServer, query: str, token: str | None = None, **variables: Any) -> list[str]:
    answer = (await web.post({"query": query, "variables": variables}, token=token)).json()
    assert list(answer["data"].values()) == [None]
    return codes(answer)


async def test_posts_and_people_are_found_by_anybody(web: RunningServer) -> None:
    ids = [
        (await done(web, "ada", "createPost", "post { id }", text=f"Quince jam, jar {number} #Preserves"))["post"]["id"]
        for number in range(3)
    ]
    for token in (None, token_for("ada"), token_for("bob")):
        first = (await web.data(POSTS, token, q="#preserves", n=2))["searchPosts"]
        assert [edge["node"]["id"] for edge in first["edges"]] == [ids[2], ids[1]]
        rest = (await web.data(POSTS, token, q="#preserves", n=2, a=first["pageInfo"]["endCursor"]))["searchPosts"]
        assert ([edge["node"]["id"] for edge in rest["edges"]], rest["pageInfo"]["hasNextPage"]) == ([ids[0]], False)
        wrong = {"q": "#preserve", "a": first["pageInfo"]["endCursor"]}
        assert await refusal(web, POSTS, token, **wrong) == ["INVALID_CURSOR"]
        assert (await web.data(USERS, token, q="ADA"))["searchUsers"]["nodes"][0] == {"username": "ada"}
    await account(web, "bob")
    await done(web, "ada", "blockUser", userId=await account(web, "bob"))
    assert (await web.data(POSTS, token_for("bob"), q="quince"))["searchPosts"]["edges"] == []
    assert {"username": "ada"} not in (await web.data(USERS, token_for("bob"), q="ada"))["searchUsers"]["nodes"]


async def test_what_is_refused(web: RunningServer) -> None:
    for query in ("", " ", "x" * 201, "a\u0000b", "a\nb"):
        assert await refusal(web, POSTS, q=query) == ["BAD_USER_INPUT"]
        assert await refusal(web, USERS, q=query) == ["BAD_USER_INPUT"]
    for size in (-1, 101, 2**31 - 1):
        for document, token in ((TRENDS, None), (SUGGESTED, token_for("ada"))):
            assert await refusal(web, document, token, n=size) == ["BAD_USER_INPUT"]
        assert await refusal(web, POSTS, q="a", n=size) == ["BAD_USER_INPUT"]
    assert await refusal(web, SUGGESTED) == ["UNAUTHENTICATED"]
    for document in (TRENDS, SUGGESTED):
        assert list((await web.data(document, token_for("ada"), n=0)).values()) == [[]]
        (found,) = (await web.data(document, token_for("ada"), n=None)).values()
        assert isinstance(found, list)


async def test_large_searches_are_too_complex(web: RunningServer) -> None:
    query = '{ searchUsers(query: "a", first: 100) { nodes { followers(first: 100) { nodes { posts { nodes { id } } } } } } }'
    assert codes((await web.post({"query": query})).json()) == ["QUERY_TOO_COMPLEX"]
