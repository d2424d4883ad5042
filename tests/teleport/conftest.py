"""An Auth Service reduced to its TLS: what comes in over a verified session goes back as it came."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from teleport_email.sandbox.ca import Authorities, KeyType
from teleport_email.sandbox.front import server_context
from teleport_email.settings import TeleportSettings
from teleport_email.teleport import credentials
from teleport_email.teleport.credentials import Identity

CLUSTER = "demo.example.com"


class EchoAuth:
    """Listens on loopback. ``sessions``: the ALPN that was agreed on, per connection."""

    def __init__(
        self, cluster: str = CLUSTER, *, host: str = "127.0.0.1", certificate_from: timedelta = timedelta()
    ):
        self.cluster = cluster
        self.host = host
        self.authorities = Authorities(cluster, datetime.now(UTC) - timedelta(days=30))
        self.certificate_from = certificate_from
        self.sessions: list[str | None] = []
        self.ended = 0
        self._writers: set[asyncio.StreamWriter] = set()

    def identity_file(self, *, user: str = "access-plugin", key_type: KeyType = "ecdsa") -> bytes:
        now = datetime.now(UTC)
        return self.authorities.credentials(
            user,
            ["plugin"],
            not_before=now - timedelta(minutes=1),
            not_after=now + timedelta(hours=1),
            key_type=key_type,
        ).identity_file

    def context(self) -> ssl.SSLContext:
        key, certificate = self.authorities.server(self.host, datetime.now(UTC) + self.certificate_from)
        return server_context(key, certificate, self.authorities.user.pem)

    async def __aenter__(self) -> EchoAuth:
        self.server = await asyncio.start_server(self._serve, self.host, 0, ssl=self.context())
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    @property
    def addr(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.sessions.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(1 << 18):
                writer.write(data)
                await writer.drain()
        self.ended += 1
        self._writers.discard(writer)
        writer.transport.abort()


@pytest.fixture
def load_identity(tmp_path: Path) -> Callable[[bytes], Identity]:
    def load(text: bytes, name: str = "identity") -> Identity:
        path = tmp_path / name
        path.write_bytes(text)
        return credentials.load(TeleportSettings(identity=path))

    return load


@pytest.fixture
def make_auth() -> type[EchoAuth]:
    return EchoAuth


@pytest.fixture
async def auth() -> AsyncIterator[EchoAuth]:
    async with EchoAuth() as server:
        yield server


@pytest.fixture
def identity(auth: EchoAuth, load_identity: Callable[[bytes], Identity]) -> Identity:
    return load_identity(auth.identity_file())
