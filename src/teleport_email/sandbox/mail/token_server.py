"""An OAuth2 token endpoint for the client credentials grant (RFC 6749 §4.4), to log in to the inbox with.

async with TokenServer(on_issue=lambda token: inbox.access.tokens.update(bot=token)) as server: ...
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote_plus

from teleport_email.config.settings import OAuth2Settings, Secret
from teleport_email.telemetry.httpd import CutConnection, HttpServer, Limits, Request, Response

from .mailgun import Answer
from .script import Cut, Script, Silence, Wait


class TokenServer:
    """``POST /token``. Tokens are ``token-1``, ``token-2`` ...; :attr:`issued` has them all.

    ``faults.add("TOKEN", Answer(...) | Cut() | Silence() | Wait(...))`` scripts what goes wrong.
    """

    def __init__(
        self,
        *,
        client_id: str = "mailer",
        client_secret: str = "client-secret",  # noqa: S107 - of a toy
        scope: str = "",
        expires_in: int = 3600,
        on_issue: Callable[[str], None] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.scope = scope
        self.expires_in = expires_in
        self.issued: list[str] = []
        self.requests: list[dict[str, str]] = []
        """The forms that were posted."""
        self.faults = Script()
        self._on_issue = on_issue
        self._server = HttpServer(
            {("POST", "/token"): self._token}, host=host, port=port, limits=Limits(handler_time=3600)
        )

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.close(grace=0.1)

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"{self._server.url}/token"

    def settings(self, **changes: Any) -> OAuth2Settings:
        """How a client has to be set up for this server; ``changes`` go over it."""
        base: dict[str, Any] = {
            "token_url": self.url,
            "client_id": self.client_id,
            "client_secret": Secret(self.client_secret),
            "scope": self.scope,
        }
        return OAuth2Settings(**(base | changes))

    async def _token(self, request: Request) -> Response:
        form = request.form()
        self.requests.append(form)
        action: Answer | Cut | Silence | Wait | None = self.faults.act("TOKEN")
        match action:
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Silence():
                await asyncio.get_running_loop().create_future()  # until the server closes
            case Cut():
                raise CutConnection
            case Answer():
                return action.response()
        if not self._known(request, form):
            return _refusal("invalid_client", "the client's id or secret is wrong", 401)
        if form.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "only client_credentials")
        if self.scope and form.get("scope") != self.scope:
            return _refusal("invalid_scope", f"the scope is {self.scope}")
        token = f"token-{len(self.issued) + 1}"
        self.issued.append(token)
        if self._on_issue is not None:
            self._on_issue(token)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in}
        return Response.json(answer, headers=(("Cache-Control", "no-store"),))

    def _known(self, request: Request, form: dict[str, str]) -> bool:
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                pair = base64.b64decode(credentials, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return False
            # RFC 6749 §2.3.1: both are form-encoded before they are joined.
            name, secret = (unquote_plus(part) for part in pair.partition(":")[::2])
        return hmac.compare_digest(
            f"{name}\0{secret}".encode(), f"{self.client_id}\0{self.client_secret}".encode()
        )


def _refusal(error: str, description: str, status: int = 400) -> Response:
    return Response.json({"error": error, "error_description": description}, status)
