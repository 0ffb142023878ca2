"""What the routes of the web process share: made once, when the process starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

from graphql import OperationType
from starlette.requests import HTTPConnection

from app.authentication.claims import Claims
from app.authentication.errors import AuthenticationError
from app.authentication.tokens import TokenVerifier
from app.client_address import ClientAddresses
from app.deadline import Deadline
from app.known_requests import KnownRequests
from app.live_sockets import LiveSockets
from app.recent_activity import RecentActivity
from app.watchdog import Watchdog
from domain.limits import BudgetLeft
from domain.records import UserRecord
from resolvers.context import OperationContext
from schema.execution import Engine, Operation, Response
from schema.live import LiveSink, LiveSubscription, watch
from services.accounts.recognise_account import Recognised, recognise_account
from services.backends import Backends
from services.live.hub import LiveHub
from services.notifications.notification_feed import NotificationFeed
from services.posts.post_counts_feed import PostCountsFeed
from services.protection.charge_operation import OperationKind, charge_operation
from settings import Settings

STATE = "web"
"""Its name in the state of the lifespan, which uvicorn gives to each request and to each socket."""


@dataclass(frozen=True, slots=True)
class WebState:
    """Everything a route may need."""

    settings: Settings
    backends: Backends
    verifier: TokenVerifier
    live_hub: LiveHub
    post_counts: PostCountsFeed
    notifications: NotificationFeed
    engine: Engine
    sockets: LiveSockets
    deadline: Deadline
    watchdog: Watchdog
    addresses: ClientAddresses
    activity: RecentActivity
    requests: KnownRequests
    newest_revision: str
    is_draining: Callable[[], bool]

    @property
    def has_limits(self) -> bool:
        return self.settings.limits == "on"

    @property
    def has_budgets(self) -> bool:
        """Whether anything is charged, for which addresses have to be told apart."""
        return self.backends.budgets is not None

    async def load_viewer(self, claims: Claims | None) -> UserRecord | None:
        """As `recognise` says."""
        recognised = await self.recognise(claims)
        return recognised.user if recognised is not None else None

    async def recognise(self, claims: Claims | None, *, is_looked_at: bool = True) -> Recognised | None:
        """The account behind a verified token as it stands now, made at first sight; None without a token.

        While PostgreSQL is away, as it was when it was last seen. Raises AuthenticationError where the token has run out or the
        account is suspended, UnavailableError. `is_looked_at`: as `recognise_account` has it.
        """
        if claims is None:
            return None
        recognised = await recognise_account(
            self.backends,
            external_id=claims.subject,
            preferred_username=claims.preferred_username,
            name=claims.name,
            avatar_url=claims.picture,
            is_looked_at=is_looked_at,
        )
        if recognised.user.is_suspended:
            raise AuthenticationError("the account is suspended")
        self.activity.note(recognised.user.id)
        return recognised

    def execute(
        self, operation: Operation, claims: Claims | None, *, address: str | None, spent_seconds: float = 0.0
    ) -> Coroutine[Any, Any, Response]:
        """The answer to a query or mutation, for `write_json`, or UnavailableError within the deadline.

        `address`: the client's, as `addresses` gives it. Raises what `charge` and `recognise` raise.
        """
        return self.deadline.run(self.work(operation, claims, address), spent_seconds=spent_seconds)

    async def charge(self, operation: Operation, claims: Claims | None, address: str | None) -> list[BudgetLeft]:
        """What an operation costs, before anything is done for it, over every transport. Raises RateLimitedError.

        What is left of the operation's budgets; nothing where there are no limits.
        """
        budgets = self.backends.budgets
        if budgets is None:
            return []
        return await charge_operation(
            budgets,
            kind=OperationKind(operation.type.value),
            root_fields=operation.root_fields,
            subject=claims.subject if claims is not None else None,
            address=address,
        )

    async def begin_subscription(
        self, operation: Operation, claims: Claims | None, *, address: str | None, resume_after: str | None = None
    ) -> OperationContext:
        """Charges it and opens its context. Raises what `charge` and `recognise` raise."""
        await self.charge(operation, claims, address)
        # It lives as long as the subscription; a look is good for an instant.
        return await self.open_context(claims, resume_after=resume_after, is_looked_at=False)

    async def open_context(
        self, claims: Claims | None, *, resume_after: str | None = None, is_looked_at: bool = True
    ) -> OperationContext:
        """A context for one operation. Raises what `recognise` raises.

        `resume_after`: the event cursor behind which a subscription goes on, whatever its own `after` says.
        """
        recognised = await self.recognise(claims, is_looked_at=is_looked_at)
        return OperationContext(
            self.backends,
            self.live_hub,
            recognised.user if recognised is not None else None,
            seen=recognised.seen if recognised is not None else None,
            post_counts=self.post_counts,
            notifications=self.notifications,
            resume_after=resume_after,
        )

    async def watch(self, operation: Operation, context: OperationContext, sink: LiveSink) -> LiveSubscription:
        """Begins a subscription whose answers go into the sink."""
        return await watch(self.engine, operation, context, sink)

    async def work(self, operation: Operation, claims: Claims | None, address: str | None) -> Response:
        """`execute` without the deadline."""
        context, left = await self.begin(operation, claims, address)
        return self.finish(operation, await self.engine.answer(operation, context), left)

    async def begin(
        self, operation: Operation, claims: Claims | None, address: str | None
    ) -> tuple[OperationContext, list[BudgetLeft]]:
        """What comes before an operation: its charge, and who asks. Raises what `charge` and `recognise` raise."""
        left = await self.charge(operation, claims, address) if self.has_budgets else []
        # What is looked at before a write is no longer true after it.
        return await self.open_context(claims, is_looked_at=operation.type is OperationType.QUERY), left

    @staticmethod
    def finish(operation: Operation, response: Response, left: list[BudgetLeft]) -> Response:
        """What comes after it: the answer with what is left of the budgets."""
        # A page of a feed is asked for far too often to carry figures that nobody comes near to.
        if left and operation.type is OperationType.MUTATION:
            response["extensions"] = {"rateLimit": {one.budget.name: _to_extension(one) for one in left}}
        return response


def _to_extension(left: BudgetLeft) -> dict[str, int]:
    return {"limit": left.budget.burst, "remaining": left.remaining, "resetSeconds": left.reset_seconds}


def address_of(connection: HTTPConnection) -> str | None:
    """The client's address, as limits tell addresses apart."""
    peer = connection.client.host if connection.client else None
    return web_state(connection).addresses.key(peer, connection.headers.getlist("x-forwarded-for"))


def web_state(connection: HTTPConnection) -> WebState:
    """The state of the application that serves this connection."""
    return cast("WebState", connection.scope["state"][STATE])


def seconds_until(claims: Claims) -> float:
    """Until the token's own `exp`; negative within the leeway behind it."""
    return claims.expires_at.timestamp() - time.time()
