"""Servers for one command: those that are named, those of a running `tidings dev`, or its own meanwhile."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.stack.answers import answers
from app.stack.occupation import FileLock, Occupation, guests_lock, occupied_error
from app.stack.servers import EmbeddedServers
from app.stack.urls import ServerUrls, read_env_file, remove_env_file

_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 3.0
_WAIT_SECONDS = 60.0
_GUESTS_NOTICE_SECONDS = 0.2


def _to_stderr(text: str) -> None:
    sys.stderr.write(text + "\n")


@contextmanager
def servers_of(
    data_dir: Path,
    *,
    given: ServerUrls | None = None,
    command: str = "command",
    wait_seconds: float = _WAIT_SECONDS,
    notice: Callable[[str], None] = _to_stderr,
) -> Iterator[ServerUrls]:
    """The addresses to work with while the block lasts.

    `given` addresses (from TIDINGS_…_URL) go before everything. What they leave open comes from whoever keeps the
    folder; where nobody does, the missing servers are started here and stopped at the end, after the last command that
    came to use them. While the folder's keeper is just starting or stopping, at most `wait_seconds` are waited. Raises
    DataDirectoryInUseError beyond that, ServerStartError if a server does not start.
    """
    given = given or ServerUrls()
    if given.is_complete:
        yield given
        return
    deadline = time.monotonic() + wait_seconds
    with Occupation(data_dir) as occupation, guests_lock(data_dir) as guests:
        while True:
            if occupation.try_take():
                yield from _own_servers(data_dir, given, occupation, guests, command, notice)
                return
            if borrowed := _borrowed_servers(data_dir, given, guests):
                yield borrowed
                return
            if time.monotonic() >= deadline:
                raise occupied_error(data_dir)
            time.sleep(_POLL_SECONDS)


def _borrowed_servers(data_dir: Path, given: ServerUrls, guests: FileLock) -> ServerUrls | None:
    # The guests' lock first: from here on a keeper that is a short command does not stop what the file names.
    if not guests.try_take(shared=True):
        return None
    named = read_env_file(data_dir)
    urls = given.or_else(named)
    if urls.is_complete and all(
        answers(theirs, timeout_seconds=_ANSWER_SECONDS)
        for ours, theirs in zip(given.as_tuple(), named.as_tuple(), strict=True)
        if not ours
    ):
        return urls
    guests.release()
    return None


def _own_servers(
    data_dir: Path,
    given: ServerUrls,
    occupation: Occupation,
    guests: FileLock,
    command: str,
    notice: Callable[[str], None],
) -> Iterator[ServerUrls]:
    # Nobody keeps the folder, so whatever the file names is dead or about to die with its killed parent.
    remove_env_file(data_dir)
    occupation.announce(command)
    with EmbeddedServers(data_dir, given=given) as servers:
        servers.write_env_file()
        try:
            yield servers.urls
        except KeyboardInterrupt:
            raise
        except BaseException:
            _wait_for_guests(data_dir, guests, notice)
            raise
        _wait_for_guests(data_dir, guests, notice)


def _wait_for_guests(data_dir: Path, guests: FileLock, notice: Callable[[str], None]) -> None:
    # Taken and kept until the servers are down: from here on nobody comes to use them.
    if guests.take(timeout_seconds=_GUESTS_NOTICE_SECONDS):
        return
    notice(f"waiting for other commands that use the servers in {data_dir}")
    while not guests.try_take():
        time.sleep(_POLL_SECONDS)
