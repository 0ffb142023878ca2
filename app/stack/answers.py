"""Does a server really answer at an address? Asked before an address left in a file is believed."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from urllib.parse import unquote, urlsplit

from app.stack.binaries import postgres_program


def answers(url: str, *, timeout_seconds: float) -> bool:
    """PostgreSQL and Redis are asked; of anything else (amqp://) it is only tried whether somebody listens."""
    scheme = urlsplit(url).scheme
    if scheme.startswith("postgres"):
        return postgres_answers(url, timeout_seconds=timeout_seconds)
    if scheme.startswith("redis"):
        return redis_answers(url.replace("+cluster", "", 1), timeout_seconds=timeout_seconds)
    return _listens(url, timeout_seconds=timeout_seconds)


def redis_answers(url: str, *, timeout_seconds: float) -> bool:
    """AUTH and PING by hand (redis.io, RESP): a client library would take longer to import than the server to start."""
    address = urlsplit(url)
    if address.scheme not in ("redis", "rediss") or not address.hostname:
        return False
    try:
        with socket.create_connection((address.hostname, address.port or 6379), timeout=timeout_seconds) as plain:
            if address.scheme == "redis":
                return _pings(plain, address.username, address.password)
            context = ssl.create_default_context()
            with context.wrap_socket(plain, server_hostname=address.hostname) as encrypted:
                return _pings(encrypted, address.username, address.password)
    except OSError:
        return False


def postgres_answers(url: str, *, timeout_seconds: float) -> bool:
    """One statement through psql: checks the password, too, so a stranger on a reused port is not taken for ours."""
    libpq_url = url.replace("+asyncpg", "", 1)
    try:
        result = subprocess.run(  # noqa: S603 - fixed program
            [str(postgres_program("psql")), "-XAtqc", "SELECT 1"],
            env={"PATH": os.defpath, "LC_ALL": "C", **_libpq_environment(libpq_url)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def _listens(url: str, *, timeout_seconds: float) -> bool:
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname, address.port or 5672), timeout=timeout_seconds):
            return True
    except OSError:
        return False


def _libpq_environment(url: str) -> dict[str, str]:
    """The address in variables: a command line is readable for everybody on the machine."""
    address = urlsplit(url)
    parts = {
        "PGHOST": address.hostname,
        "PGPORT": str(address.port or 5432),
        "PGUSER": unquote(address.username or ""),
        "PGPASSWORD": unquote(address.password or ""),
        "PGDATABASE": unquote(address.path.lstrip("/")),
        "PGCONNECT_TIMEOUT": "2",
    }
    return {name: value for name, value in parts.items() if value}


def _pings(connection: socket.socket, user: str | None, password: str | None) -> bool:
    commands = []
    if password:
        commands.append(["AUTH", unquote(user), unquote(password)] if user else ["AUTH", unquote(password)])
    commands.append(["PING"])
    connection.sendall(b"".join(_encoded(command) for command in commands))
    with connection.makefile("rb") as replies:
        return [replies.readline() for _ in commands][-1] == b"+PONG\r\n"


def _encoded(command: list[str]) -> bytes:
    parts = [part.encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
