"""A query or mutation over a socket."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Protocol

import structlog

from app.authentication.claims import Claims
from app.authentication.errors import AuthenticationError, KeySetUnavailableError
from app.socket_output import SocketOutput
from app.web_state import WebState
from domain.errors import RateLimitedError, UnavailableError
from schema.errors import INTERNAL, UNAVAILABLE, domain_error, error
from schema.execution import Operation

log = structlog.get_logger(__name__)


class Host(Protocol):
    """The connection, as its operations see it."""

    state: WebState
    claims: Claims | None
    address: str | None
    """The client's, as limits tell addresses apart."""

    @property
    def output(self) -> SocketOutput:
        """Where what it sends is put."""

    def send(self, message: dict[str, Any]) -> None:
        """Sends a message."""

    def finish(self, operation_id: str, errors: list[dict[str, Any]]) -> None:
        """The operation has ended by itself: with errors alone, or well where there are none."""

    def refuse(self, problem: AuthenticationError) -> None:
        """The token counts no longer, or the account does not."""


class QueryOperation:
    """Executes once and answers. It begins when it is made."""

    __slots__ = ("_task",)

    def __init__(self, host: Host, operation_id: str, operation: Operation) -> None:
        self._task = asyncio.get_running_loop().create_task(_answer(host, operation_id, operation), name="socket-operation")

    def go_on(self) -> None:
        """It has one answer, which is sent in any case."""

    def say_goodbye(self) -> None:
        """It has nothing to resume."""

    def close(self) -> None:
        """Stops it without a word."""
        self._task.cancel()


async def _answer(host: Host, operation_id: str, operation: Operation) -> None:
    try:
        response = await host.state.execute(operation, host.claims, address=host.address)
    except AuthenticationError as problem:
        refuse_or_finish(host, operation_id, problem)
        return
    except Exception as problem:
        host.finish(operation_id, errors_of(problem))
        return
    if "data" not in response:
        host.finish(operation_id, list(response["errors"]))
        return
    host.send({"type": "next", "id": operation_id, "payload": response})
    host.finish(operation_id, [])


def errors_of(problem: Exception) -> list[dict[str, Any]]:
    """What a client is told of an operation that could not be executed."""
    if isinstance(problem, RateLimitedError | UnavailableError):
        return [domain_error(problem)]
    request_id = secrets.token_hex(8)
    log.error("socket.operation_failed", request_id=request_id, exc_info=problem)
    return [error("something went wrong on our side", INTERNAL, requestId=request_id)]


def refuse_or_finish(host: Host, operation_id: str, problem: AuthenticationError) -> None:
    """A key server that is away ends the operation, a token that is refused the connection."""
    if isinstance(problem, KeySetUnavailableError):
        host.finish(operation_id, [error("tokens cannot be verified at the moment", UNAVAILABLE)])
    else:
        host.refuse(problem)
