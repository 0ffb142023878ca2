"""What posts say of likes and bookmarks takes one statement for one post as for thirty."""

from __future__ import annotations

from services.engagement.bookmark_post import bookmark_post
from services.engagement.like_post import like_post
from tests.count_queries import count_queries
from tests.services.engagement.asking import ask
from tests.world import World

_QUERY = """
  query ($first: Int!) { user(username: "ada") { posts(first: $first) { nodes { viewerHasLiked viewerHasBookmarked } } } }
"""


async def test_marks_are_loaded_together(world: World) -> None:
    await world.add("ada", "bob")
    bob = world.ids["bob"]
    for number in range(30):
        post = await world.post("ada", f"post {number}")
        if number % 2:
            await like_post(world.backends, viewer_id=bob, post_id=post)
        if number % 3:
            await bookmark_post(world.backends, viewer_id=bob, post_id=post)
    counts = []
    for size in (2, 30):
        with count_queries(world.backends) as counted:
            nodes = (await ask(world, "bob", _QUERY, first=size))["user"]["posts"]["nodes"]
        counts.append(counted.count)
    assert [(node["viewerHasLiked"], node["viewerHasBookmarked"]) for node in reversed(nodes)] == [
        (bool(number % 2), bool(number % 3)) for number in range(30)
    ]
    assert counts[0] == counts[1], counted.statements
    with count_queries(world.backends) as counted:
        nodes = (await ask(world, None, _QUERY, first=30))["user"]["posts"]["nodes"]
    assert not any(node["viewerHasLiked"] or node["viewerHasBookmarked"] for node in nodes)
    assert counted.count < counts[0], "nobody asks what nobody has done"
