"""Asks a classifier of the operator's own whether a text may be published.

`POST` with JSON `{"kind", "text", "authorId"}`; the answer has status 200 and is JSON `{"allow": true|false, "reason"?: "…"}`.
`kind` is post, quote, edit or comment. `authorId` is a pseudonym: the same for all texts of an account, and nothing that the
API gives out.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import Any

import httpx
import orjson
import structlog

from domain.errors import UnavailableError
from domain.text import check_line
from services.protection.publication import Publication

MAX_CONNECTIONS = 20
MAX_ANSWER_BYTES = 16_384
MAX_REASON_LENGTH = 200
FAILURES_IN_A_ROW = 3
BREAKER_SECONDS = 5.0
"""After FAILURES_IN_A_ROW nobody asks for so long: a classifier that hangs must not cost every author its deadline."""

log = structlog.get_logger(__name__)


class _NoAnswerError(Exception):
    """The classifier did not answer as agreed."""


class ExternalClassifier:
    """Refuses what the classifier refuses. Where it cannot be asked, the text passes (`fails_open`), or nothing is published:
    UnavailableError, since then nobody has found anything wrong with the text.
    """

    name = "external_classifier"

    def __init__(self, url: str, *, timeout_seconds: float, fails_open: bool, pseudonym_key: bytes) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._fails_open = fails_open
        self._pseudonym_key = hashlib.blake2b(pseudonym_key, person=b"tidings.classify").digest()
        self._client = httpx.AsyncClient(
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
            trust_env=False,
        )
        self._failures = 0
        self._closed_until = 0.0

    async def find_fault(self, publication: Publication) -> str | None:
        try:
            verdict = await self._ask(publication)
        except _NoAnswerError as problem:
            if self._fails_open:
                return None
            raise UnavailableError("texts cannot be checked at the moment") from problem
        if verdict["allow"]:
            return None
        reason = verdict.get("reason")
        is_line = isinstance(reason, str) and check_line(reason, MAX_REASON_LENGTH) is None
        return str(reason) if is_line else "the text is not accepted"

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, publication: Publication) -> dict[str, Any]:
        if time.monotonic() < self._closed_until:
            raise _NoAnswerError("the classifier failed a moment ago")
        pseudonym = hashlib.blake2b(str(publication.author_id).encode(), digest_size=16, key=self._pseudonym_key).hexdigest()
        question = {"kind": publication.kind.value, "text": publication.body, "authorId": pseudonym}
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await self._fetch(orjson.dumps(question))
        except (httpx.HTTPError, httpx.StreamError, OSError, TimeoutError, _NoAnswerError) as problem:
            self._note_failure(problem)
            raise _NoAnswerError(type(problem).__name__) from problem
        self._failures = 0
        return answer

    async def _fetch(self, question: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        async with self._client.stream("POST", self._url, content=question, headers=headers) as response:
            if response.status_code != 200:
                raise _NoAnswerError(f"status {response.status_code}")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise _NoAnswerError("the answer is too long")
        try:
            verdict = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise _NoAnswerError("the answer is not JSON") from None
        if not isinstance(verdict, dict) or not isinstance(verdict.get("allow"), bool):
            raise _NoAnswerError("the answer does not say whether to allow")
        return verdict

    def _note_failure(self, problem: Exception) -> None:
        self._failures += 1
        # Neither its address nor the text: an address may hold a password, and httpx quotes it.
        detail = str(problem) if isinstance(problem, _NoAnswerError) else type(problem).__name__
        log.warning("classifier.failed", detail=detail)
        if self._failures >= FAILURES_IN_A_ROW:
            self._closed_until = time.monotonic() + BREAKER_SECONDS
