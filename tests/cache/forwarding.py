"""A way to a server over TCP, TLS or a unix socket that says what it has heard, in pieces or not to the end."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Forwarder:
    """`piece`: bytes of an answer that come at once; `left`: bytes of answers after which everything is cut; None: never."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.piece = 65_536
        self.left: int | None = None
        self.connections = 0
        self.asked = bytearray()
        """What was said to the server."""

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._writers |= {writer, far_writer}
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(self._ask(reader, far_writer), self._answer(far_reader, writer))
        self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            self.asked += data
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(self.piece):
            if self.left is not None:
                data, self.left = data[: self.left], self.left - len(data)
            writer.write(data)
            await writer.drain()
            await asyncio.sleep(0)
            if self.left is not None and self.left <= 0:
                # What was written must arrive before the end does.
                await asyncio.sleep(0.02)
                self.cut()
        writer.close()


@asynccontextmanager
async def forwarding(url: str, *, path: Path | None = None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Forwarder]:
    """To the server of an address; over a unix socket where a path is given."""
    forwarder = Forwarder(url)
    if path is not None:
        server: asyncio.Server = await asyncio.start_unix_server(forwarder.connect, path)
    else:
        server = await asyncio.start_server(forwarder.connect, "127.0.0.1", 0, ssl=tls)
        forwarder.port = server.sockets[0].getsockname()[1]
    try:
        yield forwarder
    finally:
        server.close()
        forwarder.cut()
        await asyncio.sleep(0.01)


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """For 127.0.0.1: what a server needs, and the file by which clients know it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    known, own = folder / "known.pem", folder / "own.pem"
    known.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    own.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(known, own)
    return context, known
