"""Where a hot connection goes: what redis-py makes of an address, so that both understand the same ones."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from collections.abc import Sequence
from dataclasses import dataclass
from ssl import SSLContext

from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import parse_url
from redis.exceptions import RedisError

from cache.hot_socket import HotSocket


@dataclass(frozen=True, slots=True)
class HotAddress:
    """A server over TCP, TLS (`tls`) or a unix socket (`path`), and the commands with which a connection to it begins."""

    host: str
    port: int
    path: str
    tls: SSLContext | None
    greeting: Sequence[Sequence[str | int]]
    socket_options: Sequence[tuple[int, int, int | bytes]] = ()
    """Level, name and value, as `setsockopt` takes them."""

    async def connect(self, socket: HotSocket) -> None:
        """Opens it. Raises OSError, or UnicodeError for a host that cannot be one."""
        loop = asyncio.get_running_loop()
        if self.path:
            await loop.create_unix_connection(lambda: socket, self.path)
        else:
            transport, _ = await loop.create_connection(lambda: socket, self.host, self.port, ssl=self.tls)
            for level, option, value in self.socket_options:
                # Not every system has every one of them.
                with contextlib.suppress(OSError, TypeError):
                    transport.get_extra_info("socket").setsockopt(level, option, value)


def parse_address(url: str) -> HotAddress:
    """`redis://`, `rediss://` and `unix://`, with all that redis-py reads from an address.

    Raises ValueError, and OSError where files of certificates that it names cannot be read.
    """
    options = dict(parse_url(url))
    make = options.pop("connection_class", Connection)
    options.pop("max_connections", None)
    # Never connected: only asked what it has been told.
    try:
        told = make(**options)  # type: ignore[operator]
    except (TypeError, RedisError) as error:
        raise ValueError(f"the address of Redis has options that are not understood: {error}") from error
    greeting: list[Sequence[str | int]] = []
    if told.username:
        greeting.append(("AUTH", told.username, told.password or ""))
    elif told.password:
        greeting.append(("AUTH", told.password))
    if told.client_name:
        greeting.append(("CLIENT", "SETNAME", told.client_name))
    if told.db:
        greeting.append(("SELECT", told.db))
    if isinstance(told, UnixDomainSocketConnection):
        if not told.path:
            raise ValueError("a unix:// address must name the path of a socket")
        return HotAddress("", 0, told.path, None, greeting)
    tls = told.ssl_context.get() if isinstance(told, SSLConnection) else None
    options_of_socket: list[tuple[int, int, int | bytes]] = []
    if told.socket_keepalive:
        options_of_socket.append((sockets.SOL_SOCKET, sockets.SO_KEEPALIVE, 1))
        options_of_socket += [(sockets.SOL_TCP, name, value) for name, value in told.socket_keepalive_options.items()]
    return HotAddress(told.host, told.port, "", tls, greeting, options_of_socket)
