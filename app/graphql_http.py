"""GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/ (queries by GET and POST, mutations by POST).

By POST also as a stream of events, where a client prefers that, or subscribes and accepts it: see `app/graphql_sse.py`.
"""

from __future__ import annotations

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
from app.dev_login import DEMO_USERNAME, sign_in
from app.graphiql import graphiql_page
from app.graphql_request import GraphqlRequest
from app.graphql_sse import EventStream, open_stream, stream_of_one
from app.indexed_headers import IndexedHeaders
from app.media_types import STREAM_TYPE, StreamWish, accept_of, answer_type, stream_wish, wants_page
from app.request_json import BadRequestError, check_announced_json, parse_object, receive_body
from app.web_state import STATE, WebState, address_of
from domain.errors import RateLimitedError, UnavailableError
from schema.documents import RequestError
from schema.errors import BAD_REQUEST, UNAUTHENTICATED, UNAVAILABLE, domain_error
from schema.execution import Response

log = structlog.get_logger(__name__)

_METHODS = "GET, POST"


async def graphql_endpoint(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers every method of `/graphql`, always in GraphQL's form except for the page of GraphiQL."""
    started = time.perf_counter()
    try:
        response, kind, outcome = await _respond(scope, receive)
    except Exception:
        request_id = secrets.token_hex(8)
        log.exception("graphql.request_failed", request_id=request_id)
        response, kind, outcome = internal_error(request_id), "unknown", "error"
    metrics.requests(kind, outcome).inc()
    metrics.request_seconds.observe(time.perf_counter() - started)
    await response(scope, receive, send)


async def _respond(scope: Scope, receive: Receive) -> tuple[ASGIApp, str, str]:
    """The answer, the type of the operation and the outcome as metrics call them."""
    state: WebState = scope["state"][STATE]
    headers = IndexedHeaders(scope)
    method, accept = scope["method"], accept_of(headers)
    asked_wish = stream_wish(accept)
    wish = asked_wish if method == "POST" else StreamWish.NONE
    media_type = answer_type(accept)
    if method not in {"GET", "POST"}:
        return refusal("send GET or POST", status=405, headers={"Allow": _METHODS}), "unknown", "refused"
    if method == "GET" and wants_page(accept) and "query" not in Request(scope).query_params:
        return await _page(state), "page", "answered"
    # Whoever asks by GET for a stream is told below that subscriptions are not answered by GET.
    is_unacceptable = media_type is None and wish is StreamWish.NONE
    if is_unacceptable and asked_wish is StreamWish.NONE:
        return _not_acceptable(), "unknown", "refused"
    # What cannot be answered at all is said in JSON, whatever was asked for.
    media_type = media_type or JSON_TYPE
    kind = "unknown"
    try:
        body = await _read_post(headers, receive) if method == "POST" else b""
        operation = state.requests.recall(body) if body else None
        members, is_new = None, False
        if operation is None:
            members = parse_object(body) if method == "POST" else _read_query_string(Request(scope))
        started = time.perf_counter()
        claims = await _authenticate(state, headers)
        if operation is None:
            assert members is not None, "read above"
            wanted = GraphqlRequest.read(members)
            operation = state.engine.prepare(wanted.query, wanted.operation_name, wanted.variables)
            is_new = True
        kind = operation.type.value
        if operation.type is OperationType.SUBSCRIPTION and method == "POST":
            if wish is StreamWish.NONE:
                raise BadRequestError(f"subscriptions are answered over WebSocket, or as {STREAM_TYPE}")
            request = Request(scope, receive)
            stream = await open_stream(request, state, operation, claims, address_of(request))
            return stream, kind, "answered" if isinstance(stream, EventStream) else "refused"
        if operation.type is not OperationType.QUERY and method == "GET":
            message = f"a {kind} is not answered by GET"
            return refusal(message, status=405, media_type=media_type, headers={"Allow": "POST"}), kind, "refused"
        if is_unacceptable:
            return _not_acceptable(), kind, "refused"
        client = scope.get("client")
        address = state.addresses.key(client[0] if client else None, headers.getlist("x-forwarded-for"))
        spent = time.perf_counter() - started
        response = await state.execute(operation, claims, address=address, spent_seconds=spent)
        if is_new:
            state.requests.remember(body, operation)
    except BadRequestError as problem:
        return refusal(str(problem), status=problem.status, media_type=media_type), kind, "refused"
    except RequestError as problem:
        return _to_http({"errors": problem.errors}, media_type, wish), kind, "refused"
    except KeySetUnavailableError:
        message = "tokens cannot be verified at the moment"
        return refusal(message, UNAVAILABLE, status=503, media_type=media_type), kind, "unavailable"
    except AuthenticationError as problem:
        log.info("authentication.refused", reason=str(problem))
        return unauthenticated(media_type), kind, "refused"
    except RateLimitedError as problem:
        begins_stream = kind == OperationType.SUBSCRIPTION.value
        return _limited(problem, media_type, wish, begins_stream=begins_stream), kind, "limited"
    except UnavailableError as problem:
        return refusal(str(problem), UNAVAILABLE, status=503, media_type=media_type), kind, "unavailable"
    return _to_http(response, media_type, wish), kind, "failed" if "errors" in response else "answered"


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


async def _authenticate(state: WebState, headers: IndexedHeaders) -> Claims | None:
    token = bearer_token(headers)
    if token is None:
        return None
    return state.verifier.recall(token) or await state.deadline.run(state.verifier.verify(token))


async def _read_post(headers: IndexedHeaders, receive: Receive) -> bytes:
    check_announced_json(headers.text(b"content-type"), headers.text(b"content-encoding"))
    return await receive_body(receive, announced=headers.text(b"content-length"))


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
