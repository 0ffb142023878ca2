"""What depends on the viewer takes as many statements for twenty entries as for one."""

from __future__ import annotations

from typing import Any

from domain.ids import to_global_id
from resolvers.context import OperationContext
from schema.execution import Engine
from services.accounts.find_people import load_visible_users
from services.hashtags.follow_hashtag import follow_hashtag
from tests.count_queries import count_queries
from tests.live_hub import idle_hub
from tests.services.graph.facts import execute
from tests.world import World

POSTS = """
  query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Post {
    entities { hashtag { id name postCount viewerIsFollowing } }
    author { viewerFollow { dailyLimit } viewerIsMuting viewerMutedUntil viewerIsBlocking followsViewer viewerFollowState }
  } } }
"""
HASHTAGS = "query ($first: Int!) { followedHashtags(first: $first) { nodes { name viewerIsFollowing } } }"


async def ask(world: World, query: str, **variables: Any) -> tuple[Any, int]:
    """The data, and how many statements it took."""
    viewer_id = world.ids["bob"]
    viewer = (await load_visible_users(world.backends, [viewer_id], viewer_id=viewer_id))[viewer_id]
    context = OperationContext(world.backends, idle_hub(world.backends), viewer)
    engine = Engine(has_introspection=False)
    with count_queries(world.backends) as counted:
        answer = await engine.execute(engine.prepare(query, None, variables), context)
    assert "errors" not in answer, answer
    return answer["data"], counted.count


async def test_hashtags_and_relations_of_many_posts(world: World) -> None:
    authors = [f"author{number}" for number in range(20)]
    await world.add("bob", *authors)
    posts = []
    for number, author in enumerate(authors):
        await execute(world, "INSERT INTO hashtags (name) VALUES (:name) ON CONFLICT DO NOTHING", name=f"tag{number}")
        posts.append(to_global_id("Post", await world.post(author, f"#tag{number} #nobody_else{number}")))
    await follow_hashtag(world.backends, viewer_id=world.ids["bob"], name="tag3")
    await world.follow("bob", "author5")
    few, few_statements = await ask(world, POSTS, ids=posts[:1])
    many, many_statements = await ask(world, POSTS, ids=posts)
    assert many["nodes"][0] == few["nodes"][0]
    followed = [node["entities"][0]["hashtag"]["viewerIsFollowing"] for node in many["nodes"]]
    assert followed == [number == 3 for number in range(20)]
    assert [node["author"]["viewerFollowState"] for node in many["nodes"]].index("FOLLOWING") == 5
    # The posts with their authors and relations, the hashtags by name, and which of them are followed.
    assert few_statements == many_statements == 3


async def test_followed_hashtags(world: World) -> None:
    await world.add("bob")
    for number in range(20):
        await follow_hashtag(world.backends, viewer_id=world.ids["bob"], name=f"tag{number}")
    for first in (1, 20):
        found, statements = await ask(world, HASHTAGS, first=first)
        assert [node["viewerIsFollowing"] for node in found["followedHashtags"]["nodes"]] == [True] * first
        assert statements == 2
