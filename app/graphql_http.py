"""GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/ (queries by GET and POST, mutations by POST).

By POST also as a stream of events, where a client prefers that, or subscribes and accepts it: see `app/graphql_sse.py`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import structlog
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response as HttpResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app import metrics
from app.answers import GRAPHQL_TYPE, JSON_TYPE, JsonAnswer, encode_json, internal_error, json_answer, refusal
from app.authentication.bearer import bearer_token
from app.authentication.claims import Claims
from app.authentication.errors import AuthenticationError, KeySetUnavailableError
from app.deadline import LATE
from app.dev_login import DEMO_USERNAME, sign_in
from app.graphiql import graphiql_page
from app.graphql_request import GraphqlRequest
from app.graphql_sse import EventStream, open_stream, stream_of_one
from app.indexed_headers import IndexedHeaders
from app.media_types import STREAM_TYPE, StreamWish, accept_of, answer_type, stream_wish, wants_page
from app.protocols import connection_of
from app.request_json import MAX_BYTES, BadRequestError, check_announced_json, parse_object, receive_body, too_large
from app.watchdog import Watched
from app.web_state import STATE, WebState, address_of
from domain.errors import RateLimitedError, UnavailableError
from schema.documents import RequestError
from schema.errors import BAD_REQUEST, UNAUTHENTICATED, UNAVAILABLE, domain_error
from schema.execution import Response

log = structlog.get_logger(__name__)

_METHODS = "GET, POST"
_BEARER = "Bearer "


class _Request(Watched):
    """A request, and what is known of it so far. `kind`: the type of its operation, as metrics call it."""

    __slots__ = ("kind", "media_type", "receive", "scope", "send", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__()
        self.scope = scope
        self.receive = receive
        self.send = send
        self.kind = "unknown"
        self.media_type = JSON_TYPE
        self.started = time.perf_counter()

    def count(self, outcome: str) -> None:
        """It has its answer."""
        metrics.requests(self.kind, outcome).inc()
        metrics.request_seconds.observe(time.perf_counter() - self.started)

    async def refuse(self) -> None:
        self.count("unavailable")
        answer = refusal(LATE, UNAVAILABLE, status=503, media_type=self.media_type)
        await answer(self.scope, self.receive, self.send)


async def graphql_endpoint(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers every method of `/graphql`, always in GraphQL's form except for the page of GraphiQL."""
    request = _Request(scope, receive, send)
    try:
        response, outcome = await _respond(request)
    except asyncio.CancelledError:
        if not request.is_over:
            raise
    except Exception:
        request_id = secrets.token_hex(8)
        log.exception("graphql.request_failed", request_id=request_id)
        response, outcome = internal_error(request_id), "error"
    if request.is_over:
        # Perhaps long ago. Until it is out, the server must not see this end: it would answer for us.
        await request.refused()
        return
    request.count(outcome)
    if not (isinstance(response, JsonAnswer) and response.write(scope, send)):
        await response(scope, receive, send)


async def _respond(request: _Request) -> tuple[ASGIApp, str]:
    """The answer and the outcome as metrics call it."""
    scope = request.scope
    state: WebState = scope["state"][STATE]
    headers = IndexedHeaders(scope)
    method, accept = scope["method"], accept_of(headers)
    asked_wish, media_type = stream_wish(accept), answer_type(accept)
    wish = asked_wish if method == "POST" else StreamWish.NONE
    if method not in {"GET", "POST"}:
        return refusal("send GET or POST", status=405, headers={"Allow": _METHODS}), "refused"
    if method == "GET" and wants_page(accept) and "query" not in Request(scope).query_params:
        request.kind = "page"
        return await _page(state), "answered"
    # Whoever asks by GET for a stream is told below that subscriptions are not answered by GET.
    is_unacceptable = media_type is None and wish is StreamWish.NONE
    if is_unacceptable and asked_wish is StreamWish.NONE:
        return _not_acceptable(), "refused"
    # What cannot be answered at all is said in JSON, whatever was asked for.
    media_type = request.media_type = media_type or JSON_TYPE
    is_watched = False
    try:
        body = await _read_post(headers, request) if method == "POST" else b""
        operation = state.requests.recall(body) if body else None
        members, is_new = None, False
        if operation is None:
            members = parse_object(body) if method == "POST" else _read_query_string(Request(scope))
        is_watched = True
        state.watchdog.watch(request)
        claims = _recall(state, headers) or await _authenticate(state, headers)
        if operation is None:
            assert members is not None, "read above"
            wanted = GraphqlRequest.read(members)
            operation = state.engine.prepare(wanted.query, wanted.operation_name, wanted.variables)
            is_new = True
        type_ = operation.type
        request.kind = operation.kind
        if type_ is OperationType.SUBSCRIPTION and method == "POST":
            if wish is StreamWish.NONE:
                raise BadRequestError(f"subscriptions are answered over WebSocket, or as {STREAM_TYPE}")
            # It goes on, and its beginning has a deadline of its own.
            state.watchdog.release(request)
            asked = Request(scope, request.receive)
            stream = await open_stream(asked, state, operation, claims, address_of(asked))
            return stream, "answered" if isinstance(stream, EventStream) else "refused"
        if type_ is not OperationType.QUERY and method == "GET":
            message = f"a {request.kind} is not answered by GET"
            return refusal(message, status=405, media_type=media_type, headers={"Allow": "POST"}), "refused"
        if is_unacceptable:
            return _not_acceptable(), "refused"
        address = None
        if state.has_budgets:
            client = scope.get("client")
            address = state.addresses.key(client[0] if client else None, headers.getlist("x-forwarded-for"))
        context, left = await state.begin(operation, claims, address)
        # Not by `work`: whoever is on the way of each page is passed again each time that it waits.
        response = state.finish(operation, await state.engine.answer(operation, context), left)
        if is_new:
            state.requests.remember(body, operation)
    except BadRequestError as problem:
        return refusal(str(problem), status=problem.status, media_type=media_type), "refused"
    except RequestError as problem:
        return _to_http({"errors": problem.errors}, media_type, wish), "refused"
    except KeySetUnavailableError:
        message = "tokens cannot be verified at the moment"
        return refusal(message, UNAVAILABLE, status=503, media_type=media_type), "unavailable"
    except AuthenticationError as problem:
        log.info("authentication.refused", reason=str(problem))
        return unauthenticated(media_type), "refused"
    except RateLimitedError as problem:
        begins_stream = request.kind == OperationType.SUBSCRIPTION.value
        return _limited(problem, media_type, wish, begins_stream=begins_stream), "limited"
    except UnavailableError as problem:
        return refusal(str(problem), UNAVAILABLE, status=503, media_type=media_type), "unavailable"
    finally:
        if is_watched:
            state.watchdog.release(request)
    return _to_http(response, media_type, wish), "failed" if "errors" in response else "answered"


def _not_acceptable() -> HttpResponse:
    return refusal(f"accept {GRAPHQL_TYPE} or {JSON_TYPE}", status=406)


def unauthenticated(media_type: str = JSON_TYPE) -> HttpResponse:
    """The same for every token that is not accepted: why it is not is for the log."""
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return refusal("the token is not accepted", UNAUTHENTICATED, status=401, media_type=media_type, headers=headers)


def _limited(problem: RateLimitedError, media_type: str, wish: StreamWish, *, begins_stream: bool) -> HttpResponse:
    response = {"errors": [domain_error(problem)]}
    if wish is StreamWish.PREFERRED and not begins_stream:
        return stream_of_one(response)
    # Clients of application/json read the body of a 200 alone; whoever knows the newer type, or wants a stream, knows 429.
    status = 429 if media_type == GRAPHQL_TYPE or begins_stream else 200
    headers = {"Retry-After": str(problem.retry_after_seconds)}
    return json_answer(response, status=status, media_type=media_type, headers=headers)


def _to_http(response: Response, media_type: str, wish: StreamWish) -> ASGIApp:
    if wish is StreamWish.PREFERRED:
        return stream_of_one(response)
    if "data" in response:
        return JsonAnswer(encode_json(response), media_type)
    # A request that nobody can answer is a 400 under either type; one that is merely invalid under the newer one only,
    # since clients of application/json read the body of a 200 alone.
    codes = {failure.get("extensions", {}).get("code") for failure in response["errors"]}
    status = 400 if media_type == GRAPHQL_TYPE or BAD_REQUEST in codes else 200
    return json_answer(response, status=status, media_type=media_type)


def _recall(state: WebState, headers: IndexedHeaders) -> Claims | None:
    """The claims of a token that was good before, in the form in which nearly all send it."""
    credentials = headers.text(b"authorization")
    return state.verifier.recall(credentials[len(_BEARER) :]) if credentials.startswith(_BEARER) else None


async def _authenticate(state: WebState, headers: IndexedHeaders) -> Claims | None:
    token = bearer_token(headers)
    if token is None:
        return None
    return state.verifier.recall(token) or await state.verifier.verify(token)


async def _read_post(headers: IndexedHeaders, request: _Request) -> bytes:
    check_announced_json(headers.text(b"content-type"), headers.text(b"content-encoding"))
    connection = connection_of(request.scope)
    body = connection.take_body(request.scope, request.receive) if connection is not None else None
    if body is not None and len(body) <= MAX_BYTES:
        return body
    if body is not None:
        raise too_large()
    return await receive_body(request.receive, announced=headers.text(b"content-length"))


def _read_query_string(request: Request) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name in ("query", "operationName", "variables", "extensions"):
        values = request.query_params.getlist(name)
        if len(values) > 1:
            raise BadRequestError(f"{name} is given twice")
        if values:
            is_json = name in {"variables", "extensions"}
            members[name] = (parse_object(values[0]) if values[0] else None) if is_json else values[0]
    return members


async def _page(state: WebState) -> HttpResponse:
    if not state.settings.has_graphiql:
        return HttpResponse("Not Found", 404, {"Cache-Control": "no-store"}, "text/plain")
    is_development = state.settings.is_development
    token = None
    if is_development:
        try:
            token = await state.deadline.run(sign_in(state, DEMO_USERNAME))
        except UnavailableError:
            log.info("graphiql.shown_without_token")
    return graphiql_page(token=token, username=DEMO_USERNAME if token else None, dev_login=is_development)
