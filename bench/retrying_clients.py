"""Clients that send each mutation until it is answered, over a network that loses things."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bench.feed_reads import feed_request as graphql_request
from bench.system import token_of
from schema.build import graphql_core_schema

_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_TWICE = 0.1
_ONCE_MORE = 0.1


@dataclass(frozen=True, slots=True)
class MutationKind:
    """A mutation with a key. `answer`: selects the id of what it makes; `path`: where that lies in the payload."""

    field: str
    input_type: str
    answer: str
    path: tuple[str, ...]
    has_subject: bool

    def request(self, number: int, subject: str, token: str) -> bytes:
        """Mutation number `number`: its text and its key are its own."""
        members = {"text": text_of(number), "idempotencyKey": f"key {number}"}
        if self.has_subject:
            members["postId"] = subject
        query = (
            f"mutation($input: {self.input_type}!) {{ {self.field}(input: $input) {{ {self.answer} userErrors {{ code }} }} }}"
        )
        return graphql_request(json.dumps({"query": query, "variables": {"input": members}}).encode(), token)


_KINDS = (
    MutationKind("createPost", "CreatePostInput", "post { id }", ("post", "id"), has_subject=False),
    MutationKind("sharePost", "SharePostInput", "post { id }", ("post", "id"), has_subject=True),
    MutationKind(
        "addComment", "AddCommentInput", "commentEdge { node { id } }", ("commentEdge", "node", "id"), has_subject=True
    ),
)


def known_kinds() -> list[MutationKind]:
    """Those that the schema has."""
    mutation = graphql_core_schema().mutation_type
    assert mutation is not None, "ours has mutations"
    return [kind for kind in _KINDS if kind.field in mutation.fields]


def text_of(number: int) -> str:
    """What mutation number `number` writes, and nobody else."""
    return f"written once {number}"


@dataclass
class Outcome:
    """`answers`: by the number of the mutation, the id that it was answered with. The rest counts."""

    answers: dict[int, str] = field(default_factory=dict)
    requests: int = 0
    doubled: int = 0
    repeated: int = 0
    unanswered: int = 0
    conflicts: int = 0
    unavailable: int = 0
    contradictions: int = 0


class Retries:
    """`clients` people, who share the mutations among them; `prepare` before `run`."""

    def __init__(self, count: int, clients: int, kinds: Sequence[MutationKind], *, seed: int) -> None:
        self._numbers = iter(range(count))
        self._kinds = kinds
        self._tokens = [token_of(f"retrying{number}") for number in range(clients)]
        self._roots: list[str] = []
        self._chance = random.Random(seed)
        self._ports: Sequence[int] = ()
        self._outcome = Outcome()

    async def prepare(self, address: str) -> None:
        """A post of each client for others to share and comment on, sent straight to the API."""
        port = urlsplit(address).port
        assert port is not None
        query = 'mutation { createPost(input: {text: "root"}) { post { id } } }'
        body = json.dumps({"query": query}).encode()
        for token in self._tokens:
            answer: dict[str, Any] = {}
            while "data" not in answer:
                answer = await _ask(port, graphql_request(body, token))
            self._roots.append(answer["data"]["createPost"]["post"]["id"])

    async def run(self, ports: Sequence[int]) -> Outcome:
        """Every mutation answered; over any of the ways."""
        self._ports = ports
        async with asyncio.TaskGroup() as group:
            for token in self._tokens:
                group.create_task(self._work(token))
        return self._outcome

    async def _work(self, token: str) -> None:
        for number in self._numbers:
            kind = self._kinds[number % len(self._kinds)]
            request = kind.request(number, self._chance.choice(self._roots), token)
            answer = await self._until_answered(kind, request)
            self._outcome.answers[number] = answer
            if self._chance.random() < _ONCE_MORE:
                self._outcome.repeated += 1
                self._outcome.contradictions += await self._until_answered(kind, request) != answer

    async def _until_answered(self, kind: MutationKind, request: bytes) -> str:
        while True:
            attempts = [self._attempt(kind, request)]
            if self._chance.random() < _TWICE:
                self._outcome.doubled += 1
                attempts.append(self._attempt(kind, request))
            found = {answer for answer in await asyncio.gather(*attempts) if answer is not None}
            if found:
                self._outcome.contradictions += len(found) - 1
                return found.pop()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _attempt(self, kind: MutationKind, request: bytes) -> str | None:
        """The id in the answer; None where there is none yet."""
        self._outcome.requests += 1
        try:
            answer = await _ask(self._chance.choice(self._ports), request)
        except (OSError, EOFError, TimeoutError):
            self._outcome.unanswered += 1
            return None
        if "errors" in answer:
            codes = [error["extensions"]["code"] for error in answer["errors"]]
            assert codes == ["UNAVAILABLE"], answer
            self._outcome.unavailable += 1
            return None
        payload = answer["data"][kind.field]
        if payload["userErrors"]:
            assert payload["userErrors"] == [{"code": "IDEMPOTENCY_CONFLICT"}], answer
            self._outcome.conflicts += 1
            return None
        for name in kind.path:
            payload = payload[name]
        return str(payload)


async def _ask(port: int, request: bytes) -> Any:
    """One request on a connection of its own. Raises OSError, EOFError or TimeoutError where no whole answer comes."""
    async with asyncio.timeout(_ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            return json.loads(await reader.readexactly(length))
        finally:
            writer.transport.abort()
