"""The visibility matrix in short: who may not see something does not meet it, wherever the schema leads. `make check-matrix` takes
all of it."""

from __future__ import annotations

import pytest

from app.stack.servers import EmbeddedServers
from tests.matrix.__main__ import matrix_settings
from tests.matrix.run import take_short

MUST_BE_MET = {
    "Query.post",
    "Query.node(Post)",
    "Query.node(User)",
    "Query.feed.nodes",
    "Query.user",
    "Query.nodes(Post).author",
    "Query.nodes(User).posts.nodes",
    "Subscription.newPosts.edge.node",
}
"""A matrix that meets nothing proves nothing."""


@pytest.mark.timeout(300)
async def test_nothing_hidden_is_met_anywhere(servers: EmbeddedServers, database_url: str) -> None:
    found = await take_short(matrix_settings(database_url, servers.urls.redis_url))
    assert [str(leak) for tally in found.values() for leak in tally.leaks] == []
    assert set().union(*(tally.places for tally in found.values())) >= MUST_BE_MET
    assert sum(tally.checks for tally in found.values()) > 30_000
