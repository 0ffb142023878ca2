"""The visibility matrix in short: who may not see something does not meet it, wherever the schema leads.

`make check-matrix` takes all of it."""

from __future__ import annotations

import pytest

from tests.matrix.run import SHORT
from tests.matrix.stage import Stage

MUST_BE_MET = {
    "beginning": {
        "Query.post",
        "Query.node(Post)",
        "Query.node(User)",
        "Query.node(Comment)",
        "Query.node(Media)",
        "Query.node(Notification)",
        "Query.feed.nodes",
        "Query.user",
        "Query.nodes(Post).author",
        "Query.nodes(Post).comments.nodes",
        "Query.nodes(Post).media",
        "Query.nodes(User).posts.nodes",
        "Query.bookmarks.nodes",
        "Query.searchPosts.nodes",
        "Query.searchUsers.nodes",
        "Query.notifications.nodes.actors",
    },
    "one life": {"Subscription.newPosts.edge.node", "Query.missedFeedEvents.events(PostRemoved)"},
    "mutations": {"Mutation.likePost.post", "Mutation.addComment.commentEdge.node", "Mutation.createPost.post"},
}
"""A matrix that meets nothing proves nothing."""
LEAST_CHECKS = {"beginning": 25_000, "one life": 10_000, "mutations": 500}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", sorted(SHORT))
async def test_nothing_hidden_is_met_anywhere(stage: Stage, part: str) -> None:
    found = await SHORT[part](stage)
    assert [str(leak) for leak in found.leaks] == []
    assert MUST_BE_MET[part] - found.places == set()
    assert found.checks >= LEAST_CHECKS[part]
