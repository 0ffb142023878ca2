"""PostgreSQL refuses root: the ways around it, each with the real server."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.stack.identity import server_identity
from app.stack.postgres import EmbeddedPostgres
from app.stack.processes import ChildProcess
from tests.app.stack.processes_of import processes_below

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

_ROUND = """
import os, pathlib, sys
from app.stack.servers import EmbeddedServers
assert os.geteuid() != 0
with EmbeddedServers(pathlib.Path(sys.argv[1]), durable=False) as servers:
    assert servers.ended == []
"""


@pytest.fixture
def private_folder() -> Iterator[Path]:
    """A folder below one that nobody else can enter, as root's home is."""
    parent = Path(tempfile.mkdtemp())
    folder = parent / "data"
    folder.mkdir()
    yield folder
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700
    assert parent.stat().st_uid == os.geteuid()
    shutil.rmtree(parent)


def nobody() -> str:
    user = pwd.getpwnam("nobody")
    return f"user:{user.pw_uid}:{user.pw_gid}"


def is_open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


@as_root
def test_root_never_runs_postgres_as_root() -> None:
    kind, user_id, _ = server_identity().split(":")
    assert kind in ("namespace", "user")
    assert int(user_id) != 0


@as_root
def test_without_namespaces_it_is_nobody_who_reaches_a_folder_closed_to_him(
    private_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedPostgres(private_folder / "postgres", durable=False)
    monkeypatch.setattr("app.stack.postgres.server_identity", nobody)
    server.start()
    try:
        assert Path(f"/proc/{server.pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    finally:
        server.stop()
    # The machine may allow namespaces later, or the folder may move to one that does.
    monkeypatch.undo()
    server.start()
    server.stop()
    assert (private_folder / "postgres/cluster").stat().st_uid in (0, pwd.getpwnam("nobody").pw_uid)


@as_root
@pytest.mark.parametrize("user_id", [pwd.getpwnam("nobody").pw_uid, 54_321], ids=["named", "without a name"])
def test_an_ordinary_user_needs_no_rights(private_folder: Path, user_id: int) -> None:
    if user_id == 54_321 and not (server_identity().startswith("namespace") and is_open_to_all(Path(sys.executable))):
        pytest.skip("a user without a name needs user namespaces, and an interpreter outside root's home")
    os.chown(private_folder, user_id, user_id)
    argv = [sys.executable, "-c", _ROUND, str(private_folder)]
    child = ChildProcess(argv, name="round", identity=f"user:{user_id}:{user_id}")
    assert child.wait(60)
    assert child.returncode == 0
    assert {path.stat().st_uid for path in private_folder.rglob("*")} == {user_id}
    assert not processes_below(private_folder)
