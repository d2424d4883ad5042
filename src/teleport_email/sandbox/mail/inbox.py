"""A real SMTP server in the current event loop that keeps what it gets, and misbehaves on request.

async with Inbox(tls="starttls", passwords={"me": "secret"}) as inbox:
    inbox.faults.on("RCPT", Reply(450, "4.2.0 later"), times=2)
    ...
    [mail] = await inbox.wait_for(1)
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import tempfile
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtpd.smtp import Envelope
from msgspec import Struct, field

from teleport_email.config.settings import Secret, SmtpSettings

from .mail_certificates import LOOPBACK_NAMES, ClientCerts, MailAuthority
from .mailbox import Mailbox, ReceivedMail
from .smtp_faults import SmtpFaults
from .smtp_session import Access, SmtpSession

Tls = Literal["none", "starttls", "starttls-offered", "implicit"]
"""``starttls``: nothing goes without it; ``starttls-offered``: one may also go on in the clear."""

_LINES_KEPT = 20_000


class ConnectionCounts(Struct):
    """How the clients used their connections. Those beyond the limit count only in ``refused``."""

    current: int = 0
    highest: int = 0
    total: int = 0
    refused: int = 0
    messages: Counter[int] = field(default_factory=Counter)
    """Messages by number of the connection."""


class Inbox(Mailbox):
    """The server. ``async with`` listens and closes; all of it happens in the running loop.

    ``passwords`` and ``tokens`` (name to password or bearer token) make AUTH mandatory.
    ``client_certs`` needs TLS; :attr:`authority` issues them. ``keep`` bounds the messages kept.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Tls = "none",
        tls_context: ssl.SSLContext | None = None,
        certificate_names: tuple[str, ...] = LOOPBACK_NAMES,
        client_certs: ClientCerts = "none",
        passwords: Mapping[str, str] | None = None,
        tokens: Mapping[str, str] | None = None,
        mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN", "XOAUTH2"),
        auth_in_clear: bool | None = None,
        max_size: int = 10_240_000,
        hostname: str = "inbox.sandbox.test",
        faults: SmtpFaults | None = None,
        keep: int | None = None,
    ) -> None:
        super().__init__(keep)
        self.host = host
        self.port = port
        self.tls = tls
        self.authority = MailAuthority()
        self.faults = faults or SmtpFaults()
        self.access = Access(
            passwords=dict(passwords or {}),
            tokens=dict(tokens or {}),
            mechanisms=mechanisms,
            in_clear=tls == "none" if auth_in_clear is None else auth_in_clear,
        )
        self.connections = ConnectionCounts()
        self.commands: Counter[str] = Counter()
        """How often each verb was heard; ``DOT`` is the end of the data."""
        self.transcript: deque[str] = deque(maxlen=_LINES_KEPT)
        """What was said, newest last: ``3 C: MAIL FROM:<...>``, ``3 S: 250 OK``; no credentials."""
        self._max_size = max_size
        self._hostname = hostname
        self._context: ssl.SSLContext | None = None
        if tls != "none":
            self._context = tls_context or self.authority.server_context(certificate_names, client_certs)
        self._server: asyncio.Server | None = None
        self._held: socket.socket | None = None
        self._sessions: dict[int, SmtpSession] = {}
        self._directory: Path | None = None

    # Lifetime

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Listen. ``OSError`` when the address cannot be had."""
        await self._listen(_bound_socket(self.host, self.port))

    async def close(self) -> None:
        """Stop listening, drop every connection, and wait until all of it has ended."""
        await self.stop_listening()
        await self.drop_connections()
        if self._held is not None:
            self._held.close()
            self._held = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    async def stop_listening(self) -> None:
        """Refuse connections from now on (those that stand go on). The port stays ours meanwhile."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        # Bound but not listening: the system answers with a reset, and nobody else can take the port.
        self._held = _bound_socket(self.host, self.port)

    async def listen_again(self) -> None:
        """Take connections again on the same port."""
        if self._held is not None:
            held, self._held = self._held, None
            await self._listen(held)

    async def drop_connections(self) -> None:
        """Cut every connection that stands."""
        sessions = list(self._sessions.values())
        for session in sessions:
            session.abort()
        if sessions:
            await asyncio.wait([asyncio.ensure_future(session.ended()) for session in sessions], timeout=5)
            await self.until(lambda _: not any(s.number in self._sessions for s in sessions))

    async def _listen(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        implicit = self._context if self.tls == "implicit" else None
        self._server = await loop.create_server(lambda: self._session(loop), sock=sock, ssl=implicit)
        self.port = self._server.sockets[0].getsockname()[1]

    def _session(self, loop: asyncio.AbstractEventLoop) -> SmtpSession:
        self.connections.total += 1
        return SmtpSession(
            self,
            self.connections.total,
            hostname=self._hostname,
            starttls=self._context if self.tls.startswith("starttls") else None,
            require_starttls=self.tls == "starttls",
            max_size=self._max_size,
            loop=loop,
        )

    # What came

    @property
    def address(self) -> str:
        """``127.0.0.1:2525``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def account(self) -> str:
        """What has happened so far, for an error message."""
        return f"{super().account()}, {self.connections}, last lines: {list(self.transcript)[-10:]}"

    def settings(self, **changes: Any) -> SmtpSettings:
        """How a client has to be set up for this inbox; ``changes`` go over it."""
        user, password = next(iter(self.access.passwords.items()), ("", ""))
        base: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "tls": {"starttls-offered": "opportunistic"}.get(self.tls, self.tls),
            "username": user or next(iter(self.access.tokens), ""),
            "password": Secret(password),
            "auth": "password" if user else "none",
            "ca_file": self.ca_file if self._context else None,
            "allow_plaintext_auth": self.tls == "none" and bool(user),
        }
        return SmtpSettings(**(base | changes))

    @property
    def ca_file(self) -> Path:
        """The authority's certificate as a file, there until the inbox closes."""
        path = self._private_directory() / "ca.pem"
        if not path.exists():
            path.write_bytes(self.authority.ca_pem)
        return path

    def client_certificate(self, name: str = "client") -> tuple[Path, Path]:
        """Issue a client certificate; its file and its key's file, there until the inbox closes."""
        certificate, key = self.authority.issue(name)
        cert_path = self._private_directory() / f"{name}.crt"
        key_path = self._private_directory() / f"{name}.key"
        cert_path.write_bytes(certificate)
        key_path.touch(0o600)
        key_path.write_bytes(key)
        return cert_path, key_path

    def _private_directory(self) -> Path:
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="teleport-email-inbox-"))
        return self._directory

    # What the connections tell

    def opened(self, session: SmtpSession) -> bool:
        """A connection came in; False when it is one too many."""
        self._sessions[session.number] = session
        counts, limit = self.connections, self.faults.connection_limit
        if limit is not None and counts.current >= limit:
            counts.refused += 1
            return False
        counts.current += 1
        counts.highest = max(counts.highest, counts.current)
        self._changed()
        return True

    def closed(self, session: SmtpSession) -> None:
        """A connection is over."""
        if self._sessions.pop(session.number, None) and not session.over_limit:
            self.connections.current -= 1
        self._changed()

    def heard(self, session: SmtpSession, verb: str, argument: str) -> None:
        """A client sent a command."""
        self.commands[verb] += 1
        self.transcript.append(f"{session.number} C: {verb} {argument}".rstrip())
        self._changed()

    def said(self, session: SmtpSession, line: str) -> None:
        """A client was answered."""
        self.transcript.append(f"{session.number} S: {line}")

    def keep(self, session: SmtpSession, envelope: Envelope, *, acknowledged: bool) -> int:
        """Take a message over; returns its number."""
        self.connections.messages[session.number] += 1
        self.add(
            ReceivedMail(
                number=self.received + 1,
                envelope_from=envelope.mail_from or "",
                envelope_to=tuple(envelope.rcpt_tos),
                raw=envelope.original_content or b"",
                session=session.number,
                peer=session.peer,
                tls=session.tls_version,
                auth_user=session.auth_user,
                client_name=session.client_name,
                acknowledged=acknowledged,
            )
        )
        return self.received


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
