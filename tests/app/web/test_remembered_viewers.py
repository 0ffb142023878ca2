"""What a process remembers of whoever asks, of tokens and accounts, lets nobody in for one request too many."""

from __future__ import annotations

import asyncio

import asyncpg

from db.database import asyncpg_url
from tests.app.web.running_server import RunningServer, token_for

FEED = "{ viewer { username displayName } feed(first: 2) { nodes { text } } }"


async def test_an_account_that_is_remembered_is_out_at_once_when_it_is_suspended(web: RunningServer) -> None:
    token = token_for("warm")
    for _ in range(4):
        await web.data(FEED, token)
    assert web.state.verifier.recall(token) is not None
    assert web.state.backends.memory is not None
    assert await web.state.backends.memory.viewers.see_account("warm") is not None, "signing in goes by memory"
    connection = await asyncpg.connect(asyncpg_url(web.settings.database_url.get_secret_value()), timeout=10)
    try:
        await connection.execute("UPDATE users SET display_name = 'Other' WHERE external_id = 'warm'", timeout=10)
        assert (await web.data(FEED, token))["viewer"]["displayName"] == "Other"
        await connection.execute("UPDATE users SET suspended_at = now() WHERE external_id = 'warm'", timeout=10)
        assert (await web.post({"query": FEED}, token=token)).status_code == 401
        await connection.execute("UPDATE users SET suspended_at = NULL WHERE external_id = 'warm'", timeout=10)
        assert (await web.data(FEED, token))["viewer"]["username"] == "warm"
        await connection.execute("DELETE FROM users WHERE external_id = 'warm'", timeout=10)
        # A good token makes an account at first sight: another one.
        assert (await web.data(FEED, token))["feed"]["nodes"] == []
    finally:
        await connection.close(timeout=5)


async def test_two_tokens_at_once_are_two_viewers(web: RunningServer) -> None:
    tokens = {name: token_for(name) for name in ("one", "two", "three")}
    for _ in range(3):
        answers = await asyncio.gather(*(web.data(FEED, token) for token in tokens.values()))
        assert [answer["viewer"]["username"] for answer in answers] == list(tokens)
