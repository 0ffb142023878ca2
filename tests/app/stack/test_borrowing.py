"""Which servers a command gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.stack.answers import answers
from app.stack.borrowing import servers_of
from app.stack.errors import DataDirectoryInUseError
from app.stack.occupation import Occupation, read_occupant
from app.stack.servers import EmbeddedServers
from app.stack.urls import ServerUrls, read_env_file, write_env_file
from tests.app.stack.processes_of import processes_below

GIVEN = ServerUrls("postgresql://somewhere/else", "redis://somewhere/0", "redis://somewhere/1")
DEAD = ServerUrls("postgresql://127.0.0.1:1/no", "redis://127.0.0.1:1", "redis://127.0.0.1:1")

_BORROW = """
import pathlib, sys
from app.stack.borrowing import servers_of
with servers_of(pathlib.Path(sys.argv[1]), command="other") as urls:
    print(urls.database_url, flush=True)
    sys.stdin.readline()
    from app.stack.answers import answers
    print(all(answers(url, timeout_seconds=3) for url in urls.as_tuple()), flush=True)
"""


def test_given_addresses_win_and_nothing_is_started(tmp_path: Path) -> None:
    write_env_file(tmp_path, ServerUrls("a", "b", "c"))
    with servers_of(tmp_path, given=GIVEN) as urls:
        assert urls == GIVEN
    assert [path.name for path in tmp_path.iterdir()] == ["env"]


def test_the_servers_of_a_running_keeper_are_used(tmp_path: Path, servers: EmbeddedServers) -> None:
    with Occupation(tmp_path) as keeper:
        assert keeper.try_take()
        write_env_file(tmp_path, servers.urls)
        with servers_of(tmp_path) as urls:
            assert urls == servers.urls
        with servers_of(tmp_path, given=ServerUrls(redis_url=GIVEN.redis_url)) as urls:
            assert urls == ServerUrls(servers.urls.database_url, GIVEN.redis_url, servers.urls.broker_url)
        assert read_env_file(tmp_path) == servers.urls


def test_a_keeper_whose_servers_do_not_answer_is_waited_for_and_named(tmp_path: Path) -> None:
    with Occupation(tmp_path) as keeper:
        assert keeper.try_take()
        keeper.announce("dev", "http://127.0.0.1:8123")
        write_env_file(tmp_path, ServerUrls(*(f"{scheme}://127.0.0.1:1" for scheme in ("postgresql", "redis", "redis"))))
        with pytest.raises(DataDirectoryInUseError, match=r"tidings dev .* at http://127\.0\.0\.1:8123"):  # noqa: SIM117
            with servers_of(tmp_path, wait_seconds=0.2):
                pass


def test_a_file_left_by_dead_servers_counts_as_none_and_a_mix_starts_only_what_is_missing(
    tmp_path: Path, servers: EmbeddedServers
) -> None:
    given = ServerUrls(database_url=servers.urls.database_url)
    write_env_file(tmp_path, DEAD)
    with servers_of(tmp_path, given=given) as urls:
        assert urls.database_url == given.database_url
        assert all(answers(url, timeout_seconds=3) for url in urls.as_tuple())
        assert read_env_file(tmp_path) == urls
        assert not (tmp_path / "postgres").exists()
    assert not (tmp_path / "env").exists()
    assert not processes_below(tmp_path)


def test_two_commands_at_once_share_one_set_of_servers_until_the_last_is_done(tmp_path: Path) -> None:
    with _borrowing(tmp_path) as first, _borrowing(tmp_path) as second:
        commands = [first, second]
        addresses = [_line(command) for command in commands]
        assert addresses[0] == addresses[1] != ""
        # The one that started the servers is asked to end first, and must not take them from the other.
        commands.sort(key=lambda command: command.pid != read_occupant(tmp_path).pid)
        for command in commands:
            assert command.stdin
            command.stdin.write("done\n")
            command.stdin.flush()
            assert _line(command) == "True\n"
    assert [command.returncode for command in commands] == [0, 0]
    assert not processes_below(tmp_path)


def _borrowing(folder: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", _BORROW, str(folder)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _line(command: subprocess.Popen[str]) -> str:
    assert command.stdout
    return command.stdout.readline()
