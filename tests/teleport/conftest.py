"""Two reduced clusters: one of TLS alone (what comes in goes back as it came), and one that answers gRPC calls
with what a test tells it to, byte for byte. Both on loopback."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from teleport_email.config.settings import TeleportSettings
from teleport_email.sandbox.front.ca import Authorities, KeyType
from teleport_email.sandbox.front.front import server_context
from teleport_email.teleport._proto import auth_pb2
from teleport_email.teleport.connect import credentials
from teleport_email.teleport.connect.credentials import Identity

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


# A cluster that answers calls -----------------------------------------------------------------------

VECTORS = Path(__file__).parents[1] / "data" / "vectors"
AUTH_SERVICE = "/proto.AuthService/"

Handler = Callable[[bytes], AsyncIterator[bytes]]


class Refused(Exception):
    """To be answered with this status."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        self.code = code
        self.details = details


@dataclass
class RawCluster(grpc.GenericRpcHandler):
    """Every method's answers are bytes from ``handlers``; a method without one is UNIMPLEMENTED."""

    handlers: dict[str, Handler] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    requests: dict[str, list[bytes]] = field(default_factory=dict)
    open: int = 0
    """Calls under way."""
    most_open: int = 0

    def service(self, handler_call_details: Any) -> Any:
        method = handler_call_details.method
        handler = self.handlers.get(method)
        self.calls[method] += 1
        if handler is None:
            return None

        async def serve(request: bytes, context: Any) -> AsyncIterator[bytes]:
            self.requests.setdefault(method, []).append(request)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            try:
                async for answer in handler(request):
                    yield answer
            except Refused as refused:
                await context.abort(refused.code, refused.details)
            finally:
                self.open -= 1

        return grpc.unary_stream_rpc_method_handler(serve)

    @staticmethod
    def path(method: str) -> str:
        return method if method.startswith("/") else AUTH_SERVICE + method

    def handle(self, method: str, handler: Handler) -> None:
        self.handlers[self.path(method)] = handler

    def answer(self, method: str, *answers: Any, refusal: tuple[grpc.StatusCode, str] | None = None) -> None:
        """Answer with these messages (or bytes), and then with the refusal."""

        async def handler(request: bytes) -> AsyncIterator[bytes]:
            for answer in answers:
                yield answer if isinstance(answer, bytes) else answer.SerializeToString()
            if refusal is not None:
                raise Refused(*refusal)

        self.handle(method, handler)

    def refuse(self, method: str, code: grpc.StatusCode, details: str = "") -> None:
        self.answer(method, refusal=(code, details))

    def replay(self, call: dict[str, Any]) -> None:
        """Answer as the recorded call was answered."""
        answers = [base64.b64decode(answer) for answer in call["responses"]]
        ok = call["status"] == "OK"
        self.answer(
            call["method"],
            *answers,
            refusal=None if ok else (grpc.StatusCode[call["status"]], call["details"]),
        )

    def asked(self, method: str, message: Any) -> list[Any]:
        """The requests of a method, decoded."""
        return [message.FromString(request) for request in self.requests.get(self.path(method), [])]


@pytest.fixture
def raw() -> RawCluster:
    return RawCluster()


@pytest.fixture
def vector() -> Callable[[str], Any]:
    """The recorded file of this name."""
    return lambda name: json.loads((VECTORS / f"{name}.json").read_text())


@pytest.fixture
def recorded(vector: Callable[[str], Any]) -> Callable[[str], dict[str, Any]]:
    """The recorded call of this name."""
    calls = {call["name"]: call for call in vector("calls")["calls"] + vector("rules")["calls"]}
    return calls.__getitem__


@pytest.fixture
async def channel(raw: RawCluster) -> AsyncIterator[grpc.aio.Channel]:
    """To the raw cluster, without TLS."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((raw,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield channel
    await server.stop(None)


@dataclass
class RawAuth:
    """The raw cluster behind mutual TLS, as an Auth Service, with an identity for it in ``directory``."""

    raw: RawCluster
    authorities: Authorities
    directory: Path
    port: int = 0
    server: Any = None

    @property
    def settings(self) -> TeleportSettings:
        return TeleportSettings(addr=f"127.0.0.1:{self.port}", identity=self.directory / "identity")

    async def start(self) -> None:
        key, certificate = self.authorities.server("127.0.0.1", datetime.now(UTC))
        server_credentials = grpc.ssl_server_credentials(
            [(key, certificate)], self.authorities.user.pem, require_client_auth=True
        )
        self.server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self.server.add_generic_rpc_handlers((self.raw,))
        self.port = self.server.add_secure_port(f"127.0.0.1:{self.port}", server_credentials)
        await self.server.start()

    async def stop(self) -> None:
        if self.server is not None:
            await self.server.stop(None)
            self.server = None

    def write_identity(
        self,
        *,
        user: str = "access-plugin",
        since: timedelta = timedelta(minutes=1),
        valid: timedelta = timedelta(hours=1),
        authorities: Authorities | None = None,
        more_authorities: bytes = b"",
    ) -> datetime:
        """Put a new identity into its place; the end of its certificate."""
        now = datetime.now(UTC).replace(microsecond=0)
        made = (authorities or self.authorities).credentials(
            user, ["access-plugin"], not_before=now - since, not_after=now + valid
        )
        (self.directory / "identity").write_bytes(made.identity_file + more_authorities)
        return now + valid


@pytest.fixture
async def raw_auth(raw: RawCluster, tmp_path: Path) -> AsyncIterator[RawAuth]:
    raw.answer(
        "Ping",
        auth_pb2.PingResponse(
            ClusterName=CLUSTER,
            ServerVersion="17.0.0",
            ProxyPublicAddr="proxy.example.com:443",
            ServerFeatures=auth_pb2.Features(AdvancedAccessWorkflows=True),
        ),
    )
    cluster = RawAuth(raw, Authorities(CLUSTER, datetime.now(UTC)), tmp_path)
    cluster.write_identity()
    await cluster.start()
    try:
        yield cluster
    finally:
        await cluster.stop()


@pytest.fixture(autouse=True)
async def _settled() -> AsyncIterator[None]:
    """Transports close their sockets in one of the loop's next rounds: leave it those."""
    yield
    for _ in range(5):
        await asyncio.sleep(0)
