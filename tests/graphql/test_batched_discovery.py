"""A page of what is found takes as many statements for many entries as for one."""

from __future__ import annotations

from services.discovery.trending_hashtags import refresh_trends
from tests.graphql.test_batched_fields import ask
from tests.world import World

POSTS = """
  query ($first: Int!) { searchPosts(query: "word", first: $first) { nodes {
    id text author { username viewerFollowState viewerIsMuting } viewerHasShared viewerHasLiked viewerHasBookmarked } } }
"""
USERS = """
  query ($first: Int!) { searchUsers(query: "author", first: $first) { nodes { username viewerFollowState followsViewer } } }
"""
TRENDS = "query ($first: Int!) { trendingHashtags(first: $first) { recentPostCount hashtag { name viewerIsFollowing } } }"
SUGGESTED = "query ($first: Int!) { suggestedUsers(first: $first) { username viewerFollowState followsViewer } }"


async def test_statements_do_not_grow_with_the_page(world: World) -> None:
    authors = [f"author{number}" for number in range(20)]
    await world.add("bob", *authors)
    for number, author in enumerate(authors):
        await world.post(author, f"word #tag{number}")
    await world.follow("bob", "author0")
    await world.follow("author0", *authors[1:])
    await refresh_trends(world.backends)
    for query in (POSTS, USERS, TRENDS, SUGGESTED):
        (few, few_statements), (many, many_statements) = [await ask(world, query, first=first) for first in (1, 19)]
        sizes = [len(found["nodes"] if isinstance(found, dict) else found) for data in (few, many) for found in data.values()]
        assert sizes == [1, 19]
        assert few_statements == many_statements <= 8, query
