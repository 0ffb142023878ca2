"""What posts say of shares takes as many statements for one post as for thirty."""

from __future__ import annotations

from resolvers.context import OperationContext
from schema.execution import Engine
from services.accounts.find_people import load_visible_users
from services.posts.share_post import share_post
from tests.count_queries import count_queries
from tests.live_hub import idle_hub
from tests.world import World

_QUERY = """
  query ($first: Int!) { user(username: "bob") { posts(first: $first) {
    nodes { id isShare shareCount viewerHasShared sharedPost { id viewerHasShared author { username } } } } } }
"""


async def test_shares_are_loaded_together(world: World) -> None:
    await world.add("ada", "bob", "cat")
    ids = world.ids
    for number in range(30):
        root = await world.post("ada", f"post {number}")
        await share_post(world.backends, author_id=ids["bob"], post_id=root, body="words" if number % 2 else "")
        if number % 3:
            await share_post(world.backends, author_id=ids["cat"], post_id=root, body="")
    engine = Engine(has_introspection=False)
    viewer = (await load_visible_users(world.backends, [ids["cat"]], viewer_id=ids["cat"]))[ids["cat"]]
    counts = []
    for size in (2, 30):
        context = OperationContext(world.backends, idle_hub(world.backends), viewer)
        with count_queries(world.backends) as counted:
            answer = await engine.execute(engine.prepare(_QUERY, None, {"first": size}), context)
        assert "errors" not in answer, answer
        nodes = answer["data"]["user"]["posts"]["nodes"]
        assert len(nodes) == size
        assert all(node["isShare"] and node["sharedPost"]["author"] == {"username": "ada"} for node in nodes)
        counts.append(counted.count)
    shared = [node["sharedPost"]["viewerHasShared"] for node in reversed(nodes)]
    assert shared == [bool(number % 3) for number in range(30)]
    assert counts[0] == counts[1], counted.statements
