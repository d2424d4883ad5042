"""A Mailgun of one's own: ``POST /v3/{domain}/messages.mime`` with the answers that the real one gives.

async with MailgunServer() as mailgun:
    mailgun.faults.on("SEND", rate_limited(2), times=1)
    ...                                 # a client with mailgun.settings()
    [mail] = await mailgun.wait_for(1)
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import shutil
import ssl
import tempfile
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from msgspec import Struct

from teleport_email.config.settings import MailgunSettings, Secret
from teleport_email.telemetry.httpd import CutConnection, HttpServer, Limits, Request, Response

from .mail_certificates import LOOPBACK_NAMES, MailAuthority
from .mailbox import Mailbox, ReceivedMail
from .multipart import Part, parse_form
from .script import Cut, Recipients, Rule, Script, Silence, Wait

__all__ = ["Answer", "Cut", "MailgunFaults", "MailgunServer", "Silence", "Wait", "rate_limited"]

MAX_MESSAGE = 25 * 1024 * 1024
"""Mailgun's limit for one message."""

_BANNER = "Mailgun Magnificent API"

Occasion = Literal["SEND", "DOMAIN", "*"]
"""``SEND``: a message is posted; ``DOMAIN``: the domain is looked up."""


class Answer(Struct, frozen=True):
    """Answer this instead: ``json`` if given, else ``text``."""

    status: int
    text: str = ""
    json: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    keep: bool = False
    """Take the message nevertheless."""

    def response(self) -> Response:
        """As HTTP has it."""
        if self.json is not None:
            return Response.json(self.json, self.status, self.headers)
        return Response.text(self.text, self.status, self.headers)


UNAUTHORIZED = Answer(401, "Forbidden")
NOT_ALLOWED = Answer(403, json={"message": "Domain is not allowed to send: it is disabled"})
BANNER = Answer(200, _BANNER)
"""What a wrong path gets from the real service: success in all but the effect."""


def rate_limited(
    seconds: float, header: Literal["Retry-After", "X-RateLimit-Reset", ""] = "Retry-After", now: float = 0.0
) -> Answer:
    """429 with the wait in a header: seconds, or with ``X-RateLimit-Reset`` seconds since the epoch."""
    value = f"{now + seconds:.0f}" if header == "X-RateLimit-Reset" else f"{seconds:.0f}"
    message = f"Too many requests. Please try again in {seconds:.0f} seconds"
    return Answer(429, json={"message": message}, headers=((header, value),) if header else ())


Action = Answer | Cut | Silence | Wait


class MailgunFaults(Script):
    """The script of the server: which call gets which action."""

    def on(
        self,
        occasion: Occasion,
        action: Action,
        *,
        recipient: Recipients = None,
        times: int | None = None,
        after: int = 0,
        chance: float = 1.0,
    ) -> Rule:
        """Add a rule, as :meth:`Script.add`."""
        return self.add(occasion, action, recipient=recipient, times=times, after=after, chance=chance)


class MailgunServer(Mailbox):
    """The server. Knows one ``domain`` and one ``key``; a ``sending_key`` may only post messages.

    ``names``: those in its certificate, with ``tls``.
    """

    def __init__(
        self,
        *,
        domain: str = "mg.example.com",
        key: str = "key-of-the-sandbox",
        sending_key: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = False,
        names: tuple[str, ...] = LOOPBACK_NAMES,
        faults: MailgunFaults | None = None,
        keep: int | None = None,
    ) -> None:
        super().__init__(keep)
        self.domain = domain
        self.key = key
        self.faults = faults or MailgunFaults()
        self.authority = MailAuthority()
        self.answers: Counter[int] = Counter()
        """How often each status was answered."""
        self._sending_key = sending_key
        self._directory: Path | None = None
        self._context: ssl.SSLContext | None = self.authority.server_context(names) if tls else None
        self._server = HttpServer(
            {
                ("POST", "/v3/{domain}/messages.mime"): self._send,
                ("GET", "/v3/domains/{domain}"): self._look_up,
            },
            host=host,
            port=port,
            tls=self._context,
            # Room for the form around a message; time for clients that are left without an answer.
            limits=Limits(body_bytes=MAX_MESSAGE + 65536, handler_time=3600, connections=256),
            fallback=self._banner,
        )

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop; calls without an answer are cut."""
        await self._server.close(grace=0.1)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def url(self) -> str:
        """The API's base, without a path."""
        return self._server.url

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def ca_file(self) -> Path:
        """The certificate to trust, as a file (for ``SSL_CERT_FILE``), there until the server closes."""
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix="teleport-email-mailgun-"))
            (self._directory / "ca.pem").write_bytes(self.authority.ca_pem)
        return self._directory / "ca.pem"

    def settings(self, **changes: Any) -> MailgunSettings:
        """How a client has to be set up for this server; ``changes`` go over it."""
        base: dict[str, Any] = {
            "domain": self.domain,
            "private_key": Secret(self.key),
            "api_base": self.url,
        }
        return MailgunSettings(**(base | changes))

    # The calls

    async def _send(self, request: Request) -> Response:
        form, fault = self._read(request)
        recipients = [part.content.decode("utf-8", "replace") for part in form if part.name == "to"]
        raw = next((part.content for part in form if part.name == "message"), b"")
        action: Action | None = self.faults.act("SEND", recipients)
        if self.faults.delay:
            await asyncio.sleep(self.faults.delay)
        if isinstance(action, Wait):
            await asyncio.sleep(action.seconds)
            action = None
        if action is None:
            if fault is not None:
                return self._answered(fault)
            mail = self._keep_mail(request, recipients, raw, form, acknowledged=True)
            message_id = mail.message_id or f"{uuid.uuid4()}@{self.domain}"
            return self._answered(Response.json({"id": f"<{message_id}>", "message": "Queued. Thank you."}))
        if action.keep and fault is None:
            self._keep_mail(request, recipients, raw, form, acknowledged=False)
        return await self._act(action)

    async def _look_up(self, request: Request) -> Response:
        action: Action | None = self.faults.act("DOMAIN")
        if isinstance(action, Wait):
            await asyncio.sleep(action.seconds)
        elif action is not None:
            return await self._act(action)
        if not self._authorized(request) or self._sending_key:
            return self._answered(UNAUTHORIZED.response())
        if request.parameters["domain"] != self.domain:
            return self._answered(self._no_domain())
        return self._answered(Response.json({"domain": {"name": self.domain, "state": "active"}}))

    async def _banner(self, _request: Request) -> Response:
        return self._answered(BANNER.response())

    def _read(self, request: Request) -> tuple[list[Part], Response | None]:
        """The form, and what is wrong with the call, in the order in which the service checks."""
        try:
            form = parse_form(request.headers.get("content-type", ""), request.body)
        except ValueError as error:
            form, problem = [], str(error)
        else:
            problem = _problem(form)
        if not self._authorized(request):
            return form, UNAUTHORIZED.response()
        if request.parameters["domain"] != self.domain:
            return form, self._no_domain()
        return form, Response.json({"message": problem}, 400) if problem else None

    async def _act(self, action: Answer | Cut | Silence) -> Response:
        if isinstance(action, Silence):
            await asyncio.get_running_loop().create_future()  # until the server closes
        if isinstance(action, Answer):
            return self._answered(action.response())
        raise CutConnection

    def _answered(self, response: Response) -> Response:
        self.answers[response.status] += 1
        self._changed()
        return response

    def _keep_mail(
        self, request: Request, recipients: Sequence[str], raw: bytes, form: list[Part], *, acknowledged: bool
    ) -> ReceivedMail:
        options: dict[str, tuple[str, ...]] = {}
        for part in form:
            if part.name not in {"to", "message"}:
                value = part.content.decode("utf-8", "replace")
                options[part.name] = (*options.get(part.name, ()), value)
        mail = ReceivedMail(
            number=self.received + 1,
            envelope_from="",
            envelope_to=tuple(recipients),
            raw=raw,
            peer=request.peer,
            tls="TLS" if request.tls else "",
            auth_user="api",
            acknowledged=acknowledged,
            options=options,
        )
        self.add(mail)
        return mail

    def _authorized(self, request: Request) -> bool:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(credentials, validate=True) if scheme.lower() == "basic" else b""
        except binascii.Error:
            return False
        return hmac.compare_digest(given, f"api:{self.key}".encode())

    def _no_domain(self) -> Response:
        return Response.json({"message": "Domain not found"}, 404)

    def account(self) -> str:
        """What has happened so far, for an error message."""
        return f"{super().account()}, answers: {json.dumps(dict(self.answers))}"


def _problem(form: list[Part]) -> str:
    recipients = [part.content for part in form if part.name == "to"]
    files = [part for part in form if part.name == "message"]
    if not recipients:
        return "to parameter is missing"
    if any(b"@" not in recipient or b" " in recipient.strip() for recipient in recipients):
        return "'to' parameter is not a valid address. please check documentation"
    if len(files) != 1 or not files[0].filename:
        return "message parameter is missing"
    return ""
