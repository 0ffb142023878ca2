"""The web process: routes, and what they share."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app.authentication.tokens import TokenVerifier
from app.client_address import ClientAddresses
from app.deadline import Deadline
from app.dev_login import dev_login
from app.front_page import front_page
from app.graphql_http import graphql_endpoint
from app.health import livez, readyz
from app.known_requests import KnownRequests
from app.live_sockets import LiveSockets
from app.media import media_routes
from app.metrics import WebObserver, note_executor
from app.metrics_page import metrics_page
from app.recent_activity import RecentActivity
from app.rest import rest_routes
from app.rest_requests import KEY_HEADER
from app.socket_messages import CloseCode
from app.static_files import static_routes
from app.tally import hand_on_all
from app.watchdog import Watchdog
from app.web_state import STATE, WebState
from bootstrap import open_backends
from domain.event_log import unpack_ids
from live import channels
from live.event_logs import EventLogs
from live.listener import BellListener
from migrations.run import newest_revision
from schema.execution import Engine
from schema.feed_subscription import deliver
from services.backends import Backends
from services.live.hub import LiveHub
from services.notifications.notification_feed import NotificationFeed
from services.posts.post_counts_feed import PostCountsFeed
from settings import Settings

log = structlog.get_logger(__name__)

_LATE_WORK_SECONDS = 0.3
GC_THRESHOLDS = (20_000, 20, 50)
"""Far fewer collections than by default: a request makes thousands of objects, hardly any in cycles."""
_CLOSE_SECONDS = 0.5
_PREFLIGHT_SECONDS = 600


_GRAPHQL_PATH = "/graphql"


class _GraphqlEndpoint:
    """A class, since Starlette lets only functions be restricted to GET."""

    __call__ = staticmethod(graphql_endpoint)


def create_app(settings: Settings, *, is_draining: Callable[[], bool] = lambda: False) -> Starlette:
    """The ASGI application. It starts even when PostgreSQL or Redis is away, and finds them when they come back.

    `is_draining`: whether this process is on its way out. Starting raises ValueError where a server's address is not set.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, WebState]]:
        async with AsyncExitStack() as stack:
            backends = await stack.enter_async_context(_open_backends(settings))
            stack.callback(hand_on_all)
            verifier = TokenVerifier(settings.hs256_secret, settings.jwks_url, settings.jwt_issuer, settings.jwt_audience)
            stack.push_async_callback(verifier.aclose)
            deadline = Deadline()
            stack.push_async_callback(deadline.close, timeout_seconds=_LATE_WORK_SECONDS)
            watchdog = Watchdog()
            stack.push_async_callback(watchdog.close, timeout_seconds=_LATE_WORK_SECONDS)
            activity = RecentActivity(backends.database)
            stack.push_async_callback(activity.close)
            sockets = LiveSockets()
            live_hub = LiveHub(
                backends, EventLogs(backends.redis), deliver=deliver, on_suspended=partial(_close_suspended, sockets)
            )
            live_hub.start()
            stack.push_async_callback(live_hub.stop)
            post_counts = PostCountsFeed(backends)
            post_counts.start()
            stack.push_async_callback(post_counts.stop)
            notifications = NotificationFeed(backends)
            notifications.start()
            stack.push_async_callback(notifications.stop)
            ring = partial(_hand_on, live_hub, post_counts, notifications)
            listener = BellListener(settings.redis_url.get_secret_value(), ring)
            listener.start()
            stack.push_async_callback(listener.stop)
            state = WebState(
                settings=settings,
                backends=backends,
                verifier=verifier,
                live_hub=live_hub,
                post_counts=post_counts,
                notifications=notifications,
                engine=Engine(has_introspection=settings.has_introspection, note_executor=note_executor),
                sockets=sockets,
                deadline=deadline,
                watchdog=watchdog,
                addresses=ClientAddresses(settings.trusted_proxies),
                activity=activity,
                requests=KnownRequests(),
                newest_revision=await asyncio.to_thread(newest_revision),
                is_draining=is_draining,
            )
            # What is loaded by now stays: looking through it again and again costs tens of milliseconds each time.
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLDS)
            yield {STATE: state}

    middleware = _middleware(settings)
    application = Starlette if middleware else _Application
    return application(routes=_routes(), middleware=middleware, lifespan=lifespan)


class _Application(Starlette):
    """Without middleware nothing stands between the server and the endpoint that nearly all requests are for.

    That endpoint answers every method and every failure itself; routing and its wrappers are a tenth of a request's price.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == _GRAPHQL_PATH:
            scope["app"] = self
            await graphql_endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _hand_on(
    live_hub: LiveHub, post_counts: PostCountsFeed, notifications: NotificationFeed, channel: str, message: bytes | None
) -> None:
    """Gives what the one listener hears to whom it concerns."""
    if channel == channels.POST_COUNTS:
        post_counts.ring(unpack_ids(message) if message is not None else None)
    elif channel == channels.NOTIFICATIONS:
        notifications.hear(channel, message)
    else:
        live_hub.ring(channel, message)


def _close_suspended(sockets: LiveSockets, user_ids: Collection[int]) -> None:
    for user_id in user_ids:
        sockets.close_user(user_id, CloseCode.FORBIDDEN, "the account is suspended")


@asynccontextmanager
async def _open_backends(settings: Settings) -> AsyncIterator[Backends]:
    """Closes within _CLOSE_SECONDS: a server that has stopped must not keep this process from ending."""
    opened = open_backends(settings, observer=WebObserver())
    yield await opened.__aenter__()
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await opened.__aexit__(None, None, None)
    except TimeoutError:
        log.warning("web.left_connections_open")


def _routes() -> list[BaseRoute]:
    return [
        Route("/", front_page),
        Route(_GRAPHQL_PATH, _GraphqlEndpoint()),
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", metrics_page),
        Route("/dev/login", dev_login, methods=["POST"]),
        *rest_routes(),
        *media_routes(),
        *static_routes(),
    ]


def _middleware(settings: Settings) -> list[Middleware]:
    if not settings.allowed_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "POST", "PUT"),
            allow_headers=("authorization", "content-type", "last-event-id", KEY_HEADER),
            expose_headers=("retry-after",),
            max_age=_PREFLIGHT_SECONDS,
        )
    ]
