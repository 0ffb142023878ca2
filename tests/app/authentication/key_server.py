"""An identity provider in small: private keys of every kind, and a key server on loopback that can also misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey


@cache
def private_key(algorithm: str, number: int = 0, *, bits: int = 2_048) -> PrivateKey:
    """One of any number of keys of an algorithm; made once per test run."""
    match algorithm:
        case "RS256":
            return generate_rsa_key(public_exponent=65_537, key_size=bits)
        case "ES256":
            return generate_ec_key(SECP256R1())
    return Ed25519PrivateKey.generate()


def public_jwk(key: PrivateKey, **members: Any) -> dict[str, Any]:
    """The public half as a JSON Web Key with more members, such as `kid`; None removes one."""
    if isinstance(key, RSAPrivateKey):
        jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    elif isinstance(key, EllipticCurvePrivateKey):
        jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {name: value for name, value in (jwk | members).items() if value is not None}


def sign(key: PrivateKey | str, algorithm: str, claims: Mapping[str, Any], **header: Any) -> str:
    return jwt.encode(dict(claims), key, algorithm=algorithm, headers=header)


@dataclass
class KeyServer:
    """What it answers can be changed at any time; `paths` are the requests that arrived."""

    url: str = ""
    status: str = "200 OK"
    body: bytes = b'{"keys": []}'
    headers: tuple[str, ...] = ()
    delay_seconds: float = 0.0
    paths: list[str] = field(default_factory=list)

    def publish(self, *keys: dict[str, Any]) -> None:
        self.body = json.dumps({"keys": keys}).encode()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.paths.append(request.split(b" ", 2)[1].decode())
            await asyncio.sleep(self.delay_seconds)
            lines = [f"HTTP/1.1 {self.status}", f"content-length: {len(self.body)}", "connection: close", *self.headers]
            writer.write("\r\n".join([*lines, "", ""]).encode() + self.body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up, as some tests mean it to
        finally:
            writer.close()


@asynccontextmanager
async def run_key_server() -> AsyncIterator[KeyServer]:
    key_server = KeyServer()
    server = await asyncio.start_server(key_server.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    key_server.url = f"http://127.0.0.1:{port}/keys"
    try:
        yield key_server
    finally:
        server.close()


class ManualClock:
    """Seconds that pass when told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
