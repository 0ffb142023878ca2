"""`tidings queues`, on a database of its own."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app.cli import main
from app.stack.servers import EmbeddedServers
from settings import Settings
from tests.app.cli.test_moderate import in_world
from tests.services.graph.facts import execute, query
from tests.world import World

_PARK = """
    UPDATE {} SET parked_at = clock_timestamp(), failures = 12, last_error = E'KeyError: \\x1b[2J\\nno' || repeat('x', 500)
    WHERE id = :id
"""
_NOTED = "INSERT INTO activities (kind, actor_id, subject_id) VALUES ('like', 1, 2), ('follow', 1, 3)"


@pytest.fixture
def _named_servers(monkeypatch: pytest.MonkeyPatch, servers: EmbeddedServers, database_url: str) -> None:
    monkeypatch.setenv("TIDINGS_DATABASE_URL", database_url)
    monkeypatch.setenv("TIDINGS_REDIS_URL", servers.urls.redis_url)
    monkeypatch.setenv("TIDINGS_BROKER_URL", servers.urls.broker_url)


def queues(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["queues", *words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


async def _make(world: World) -> tuple[list[int], list[int]]:
    await world.add("ada")
    for _ in range(3):
        await world.post("ada")
    await execute(world, "DELETE FROM activities")
    await execute(world, _NOTED)
    events = [row[0] for row in await query(world, "SELECT id FROM outbox ORDER BY id")]
    noted = [row[0] for row in await query(world, "SELECT id FROM activities ORDER BY id")]
    for event in events[:2]:
        await execute(world, _PARK.format("outbox"), id=event)
    await execute(world, _PARK.format("activities"), id=noted[0])
    return events, noted


@pytest.mark.usefixtures("_named_servers")
def test_what_waits_is_listed_tried_again_and_given_up(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    events, noted = in_world(settings, _make)

    def listed(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        assert queues("list", "--json", *words) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    found = listed()
    assert [row["row"] for row in found["outbox"]["rows"]] == [f"outbox/{event}" for event in events]
    assert (found["outbox"]["open"], found["outbox"]["parked"], found["activities"]["parked"]) == (1, 2, 1)
    parked = found["outbox"]["rows"][0]
    assert (parked["kind"], parked["failures"], parked["lastError"][:9]) == ("post_published", 12, "KeyError:")
    assert parked["parkedAt"] is not None
    assert [row["row"] for row in listed("--parked")["activities"]["rows"]] == [f"activities/{noted[0]}"]
    assert len(listed("--limit", "1")["outbox"]["rows"]) == 1

    assert queues("list") == 0
    shown = capsys.readouterr().out
    assert re.search(r"^activities: 1 open, the oldest \d+ s old; 1 parked$", shown, re.MULTILINE)
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2 + 5

    assert queues("retry", f"outbox/{events[0]}") == 0
    assert capsys.readouterr().out == "1 row is due again\n"
    assert queues("retry", f"outbox/{events[0]}", f"activities/{noted[1]}") == 1
    assert capsys.readouterr().err.endswith(f"not parked: outbox/{events[0]}, activities/{noted[1]}\n")
    assert queues("purge", "--all") == 2
    assert listed()["outbox"]["parked"] == 1
    assert queues("purge", "--all", "--yes") == 0
    assert capsys.readouterr().out == "2 rows are given up\n"
    left = listed()
    assert [row["row"] for row in left["outbox"]["rows"]] == [f"outbox/{events[0]}", f"outbox/{events[2]}"]
    assert [row["row"] for row in left["activities"]["rows"]] == [f"activities/{noted[1]}"]
    assert queues("retry", "--all", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"rows": [], "unknown": []}


@pytest.mark.parametrize(
    "words", [(), ("outbox/1", "--all"), ("outbox/x",), ("posts/1",), ("outbox/" + "9" * 19,), ("outbox/٣",), ("1",)]
)
def test_what_names_no_rows(words: tuple[str, ...]) -> None:
    assert queues("retry", *words) == 2
    assert queues("purge", "--yes", *words) == 2
