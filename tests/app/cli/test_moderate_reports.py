"""`tidings moderate reports` and `dismiss`, on a database of their own."""

from __future__ import annotations

import json

import pytest

from app.stack.servers import EmbeddedServers
from domain.ids import to_global_id
from domain.moderation import ReportReason
from services.reports.report_post import report_post
from settings import Settings
from tests.app.cli.test_moderate import in_world, moderate
from tests.world import World


@pytest.fixture
def _named_servers(monkeypatch: pytest.MonkeyPatch, servers: EmbeddedServers, database_url: str) -> None:
    monkeypatch.setenv("TIDINGS_DATABASE_URL", database_url)
    monkeypatch.setenv("TIDINGS_REDIS_URL", servers.urls.redis_url)
    monkeypatch.setenv("TIDINGS_BROKER_URL", servers.urls.broker_url)


@pytest.mark.usefixtures("_named_servers")
def test_reports(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    async def make(world: World) -> list[int]:
        await world.add("ada", "bob")
        posts = [await world.post("ada", body) for body in ("first\nline \x9b2J", "x" * 200)]
        for post_id in posts:
            await report_post(
                world.backends, reporter_id=world.ids["bob"], post_id=post_id, reason=ReportReason.SPAM, comment="buy \u202enow"
            )
        return posts

    assert moderate("reports") == 0
    assert capsys.readouterr().out == "no open reports\n"
    first, second = in_world(settings, make)

    assert moderate("reports") == 0
    text = capsys.readouterr().out
    newer, older = text.rstrip().split("\n\n")
    assert newer.startswith(f"{to_global_id('Post', second)}  @ada  ")
    assert f"  {'x' * 120}…\n  > buy  now" in newer
    assert "  1 spam\n  first line  2J\n" in older
    assert not set(text) & set("\x9b\u202e")

    assert moderate("reports", "--json", "--limit", "1") == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert only.pop("firstAt") == only.pop("newestAt")
    assert only == {
        "postId": to_global_id("Post", second),
        "number": str(second),
        "author": "ada",
        "text": "x" * 200,
        "state": "open",
        "count": 1,
        "reasons": {"SPAM": 1},
        "comments": ["buy \u202enow"],
    }

    assert moderate("dismiss", to_global_id("Post", second)) == 0
    assert capsys.readouterr().out == f"1 report of post {to_global_id('Post', second)} dismissed\n"
    for post_id in (str(second), "5", "nonsense", "9" * 40):
        assert moderate("dismiss", post_id) == 1
        assert capsys.readouterr().err == f"tidings moderate: no open reports of this post: {post_id}\n"
    assert moderate("remove", str(first)) == 0
    capsys.readouterr()
    assert moderate("reports", "--all", "--json") == 0
    assert [post["state"] for post in json.loads(capsys.readouterr().out)] == ["closed", "removed"]
    assert moderate("reports") == 0
    assert capsys.readouterr().out == "no open reports\n"
