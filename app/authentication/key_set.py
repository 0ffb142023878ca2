"""The keys of an identity provider, fetched over HTTP, kept for less than a minute, and never fetched in a flood.

The times follow from two promises that pull against each other. A removed key is refused after at most 60 s, so keys
older than 55 s are fetched anew before they are used. Whatever tokens arrive, the key server is asked at most once
every 30 s, so a `kid` nobody knows cannot be used to flood it; the price is that a key first published right after such
a fetch is unknown until the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import httpx
import jwt
import structlog

from app.authentication.errors import KeySetUnavailableError
from app.authentication.json_web_keys import KeySet, parse_key_set

REFRESH_AFTER_SECONDS = 40.0  # from here on in the background: the request at hand does not wait
REQUIRE_AFTER_SECONDS = 55.0  # from here on before the answer
ATTEMPT_INTERVAL_SECONDS = 30.0
FIRST_ATTEMPT_INTERVAL_SECONDS = 5.0  # while there is no key at all and every token is refused
STALE_LIMIT_SECONDS = 3_600.0  # so long old keys count while the key server is away
FETCH_TIMEOUT_SECONDS = 2.0
MAX_BODY_BYTES = 256 * 1024

_log = structlog.get_logger(__name__)


class RemoteKeySet:
    """The key set at one address. For one event loop; any number of requests may call `find` at the same time.

    `monotonic` is a clock in seconds. A `client` that is passed in stays open on `aclose`.
    """

    def __init__(
        self, url: str, *, client: httpx.AsyncClient | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._client = client or httpx.AsyncClient()
        self._owns_client = client is None
        self._monotonic = monotonic
        self._keys: KeySet = {}
        self._fetched_at = float("-inf")
        self._attempted_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, algorithm: str, kid: str | None) -> jwt.PyJWK | None:
        """The key of this algorithm and name, or None. Without `kid` there must be exactly one key of the algorithm.

        Waits at most 2 s. Raises KeySetUnavailableError while there are no keys, or only keys older than an hour.
        """
        age = self._age()
        if age > REQUIRE_AFTER_SECONDS:
            await self._refresh()
        elif age > REFRESH_AFTER_SECONDS:
            self._start_refresh()
        key = self._lookup(algorithm, kid)
        if key is None:
            await self._refresh()
            key = self._lookup(algorithm, kid)
        if self._age() > STALE_LIMIT_SECONDS:
            raise KeySetUnavailableError("the key server does not answer")
        return key

    def held(self, algorithm: str, kid: str | None) -> jwt.PyJWK | None:
        """What `find` would answer at once; None where it would ask the key server, too."""
        return self._lookup(algorithm, kid) if self._age() <= REFRESH_AFTER_SECONDS else None

    async def aclose(self) -> None:
        """Ends a fetch under way and closes the client that this object made."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            with suppress(asyncio.CancelledError):
                await self._refreshing
        if self._owns_client:
            await self._client.aclose()

    def _age(self) -> float:
        return self._monotonic() - self._fetched_at

    def _lookup(self, algorithm: str, kid: str | None) -> jwt.PyJWK | None:
        if kid is not None:
            return self._keys.get((algorithm, kid))
        candidates = [key for (name, _), key in self._keys.items() if name == algorithm]
        return candidates[0] if len(candidates) == 1 else None

    async def _refresh(self) -> None:
        self._start_refresh()
        if self._refreshing is not None:
            # A request that is cancelled while it waits must not take the fetch away from the others.
            await asyncio.shield(self._refreshing)

    def _start_refresh(self) -> None:
        """Starts a fetch unless one is under way or the last attempt is too recent."""
        if self._refreshing is not None:
            return
        interval = FIRST_ATTEMPT_INTERVAL_SECONDS if self._age() > STALE_LIMIT_SECONDS else ATTEMPT_INTERVAL_SECONDS
        if self._monotonic() - self._attempted_at < interval:
            return
        self._attempted_at = self._monotonic()
        self._refreshing = asyncio.create_task(self._fetch(), name="refresh key set")
        self._refreshing.add_done_callback(self._forget_refresh)

    def _forget_refresh(self, _: asyncio.Task[None]) -> None:
        self._refreshing = None

    async def _fetch(self) -> None:
        asked_at = self._monotonic()
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                keys = parse_key_set(await self._download())
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            _log.warning("authentication.refresh_key_set_failed", error=type(error).__name__, keys_held=len(self._keys))
            return
        self._keys, self._fetched_at = keys, asked_at

    async def _download(self) -> bytes:
        # Without compression no small answer can unfold into a large one.
        headers = {"accept": "application/jwk-set+json, application/json", "accept-encoding": "identity"}
        request = self._client.stream("GET", self._url, headers=headers, follow_redirects=False, timeout=FETCH_TIMEOUT_SECONDS)
        async with request as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError("the key server did not answer 200")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise ValueError("the key set is too large")
        return bytes(body)
