"""REST for those who want it: `/v1`, where each path is one GraphQL document, executed like any other.

The same tokens, deadline, limits and errors: nothing is decided here but the form. See docs/rest.md.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response as HttpResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app import metrics
from app.answers import NO_STORE
from app.authentication.bearer import bearer_token
from app.authentication.errors import AuthenticationError, KeySetUnavailableError
from app.request_json import BadRequestError
from app.rest_answers import NOT_FOUND, rest_refusal, to_rest
from app.rest_documents import CREATE_POST, HOME_FEED, LIKE_POST, USER_POSTS, RestDocument
from app.rest_requests import like_input, page_variables, post_input, user_page_variables
from app.web_state import address_of, web_state
from domain.errors import InvalidArgumentError, RateLimitedError, UnavailableError
from graphql_compiler import plain
from schema.errors import BAD_USER_INPUT, INTERNAL, UNAUTHENTICATED, UNAVAILABLE, domain_error
from schema.execution import Response

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RestEndpoint:
    """One path and what it asks. `success`: the status of an answer that is none of the errors."""

    method: str
    document: RestDocument
    read_variables: Callable[[Request], Awaitable[dict[str, Any]]]
    success: int = 200

    @property
    def methods(self) -> str:
        """As `Allow` names them."""
        return "GET, HEAD, OPTIONS" if self.method == "GET" else f"{self.method}, OPTIONS"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers every method, always in JSON."""
        request = Request(scope, receive)
        started = time.perf_counter()
        try:
            response, outcome = await self._respond(request)
        except Exception:
            request_id = secrets.token_hex(8)
            log.exception("rest.request_failed", request_id=request_id)
            response = rest_refusal("something went wrong on our side", INTERNAL, requestId=request_id)
            outcome = "error"
        kind = "mutation" if self.method == "POST" else "query"
        metrics.requests(kind, outcome).inc()
        metrics.request_seconds.observe(time.perf_counter() - started)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> tuple[HttpResponse, str]:
        """The answer, and the outcome as metrics call it."""
        allow = {"Allow": self.methods}
        if request.method == "OPTIONS":
            return HttpResponse(status_code=204, headers=NO_STORE | allow), "answered"
        if request.method not in self.methods.split(", "):
            return rest_refusal(f"send {self.method}", status=405, headers=allow), "refused"
        try:
            response = await self._execute(request)
        except BadRequestError as problem:
            return rest_refusal(str(problem), status=problem.status), "refused"
        except InvalidArgumentError as problem:
            return rest_refusal(str(problem), BAD_USER_INPUT), "refused"
        except AuthenticationError as problem:
            if isinstance(problem, KeySetUnavailableError):
                return rest_refusal("tokens cannot be verified at the moment", UNAVAILABLE), "unavailable"
            log.info("authentication.refused", reason=str(problem))
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return rest_refusal("the token is not accepted", UNAUTHENTICATED, headers=headers), "refused"
        except RateLimitedError as problem:
            return to_rest({"errors": [domain_error(problem)]}, self.document, success=self.success), "limited"
        except UnavailableError as problem:
            return rest_refusal(str(problem), UNAVAILABLE), "unavailable"
        return to_rest(response, self.document, success=self.success), "failed" if "errors" in response else "answered"

    async def _execute(self, request: Request) -> Response:
        state = web_state(request)
        variables = await self.read_variables(request)
        started = time.perf_counter()
        token = bearer_token(request.headers)
        claims = None if token is None else await state.deadline.run(state.verifier.verify(token))
        operation = state.engine.prepare(self.document.query, self.document.operation_name, variables)
        spent = time.perf_counter() - started
        response = await state.execute(operation, claims, address=address_of(request), spent_seconds=spent)
        readable: Response = plain(response)
        return readable


async def _no_such_path(scope: Scope, receive: Receive, send: Send) -> None:
    await rest_refusal("there is no such path", NOT_FOUND)(scope, receive, send)


class _NoSuchPath:
    """A class, since Starlette lets only functions be restricted to GET."""

    __call__ = staticmethod(_no_such_path)


def rest_routes() -> list[BaseRoute]:
    """Everything under `/v1`."""
    return [
        Route("/v1/posts", RestEndpoint("POST", CREATE_POST, post_input, success=201)),
        Route("/v1/posts/{id}/like", RestEndpoint("POST", LIKE_POST, like_input)),
        Route("/v1/feed", RestEndpoint("GET", HOME_FEED, page_variables)),
        Route("/v1/users/{id}/posts", RestEndpoint("GET", USER_POSTS, user_page_variables)),
        Route("/v1", _NoSuchPath()),
        Route("/v1/{rest:path}", _NoSuchPath()),
    ]
