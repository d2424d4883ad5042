"""Bearer tokens for XOAUTH2: fetched with client credentials (RFC 6749 section 4.4), or read from a file."""

from __future__ import annotations

import asyncio
import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from teleport_email.config.settings import OAuth2Settings
from teleport_email.core import redaction
from teleport_email.core.foreign import Unreadable, json_object, number

__all__ = ["TokenError", "TokenSource", "token_source"]

DEFAULT_LIFETIME = 3600.0
"""Seconds, where the answer has no ``expires_in`` (which RFC 6749 only recommends); Google and Microsoft give
an hour."""

RENEW_BEFORE_END = 300.0
"""Seconds before its end at which a token is no longer used, lest it end during a login; at most a tenth of
its life for short ones."""

FETCH_SECONDS = 30.0

LONGEST_LIFETIME = 1e9
"""Seconds, 30 years: more is no lifetime but a mistake."""


class TokenError(Exception):
    """No token to be had. ``permanent``: not without somebody changing something."""

    def __init__(self, what: str, *, permanent: bool) -> None:
        super().__init__(what)
        self.permanent = permanent


class TokenSource(ABC):
    """Where tokens come from."""

    @abstractmethod
    async def get(self) -> str:
        """A token that should be good. :raises TokenError:"""

    @abstractmethod
    async def renew(self, refused: str) -> str:
        """A token other than the refused one; the same where there is no other. :raises TokenError:"""


class FileTokens(TokenSource):
    """A file that something else renews; read each time, so that a new token is used at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def get(self) -> str:
        try:
            text = await asyncio.to_thread(self._path.read_text, "utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not text"
            raise TokenError(f"smtp.oauth2.token_file {self._path}: {reason}", permanent=True) from error
        token = text.strip()
        if not _is_token(token):
            raise TokenError(
                f"smtp.oauth2.token_file {self._path} must hold the bare token and nothing else",
                permanent=True,
            )
        redaction.know(token, passing=True)
        return token

    async def renew(self, refused: str) -> str:  # noqa: ARG002 - what the file holds now is all there is
        return await self.get()


class ClientCredentials(TokenSource):
    """Tokens from ``token_url``, kept until shortly before their end. One fetch at a time."""

    def __init__(
        self, settings: OAuth2Settings, *, clock: Callable[[], float], environ: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._environ = environ
        self._token = ""
        self._good_until = 0.0
        self._fetching = asyncio.Lock()

    async def get(self) -> str:
        async with self._fetching:
            if not self._token or self._clock() >= self._good_until:
                await self._fetch()
            return self._token

    async def renew(self, refused: str) -> str:
        async with self._fetching:
            if self._token == refused:  # else somebody renewed it in the meantime
                await self._fetch()
            return self._token

    async def _fetch(self) -> None:
        from teleport_email.mail.http import HttpClient, HttpFault  # loads httpcore: only where it is used

        url = self._settings.token_url
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret.reveal(),
        }
        if self._settings.scope:
            form["scope"] = self._settings.scope
        body = urlencode(form).encode("ascii")
        asked_at = self._clock()
        client = HttpClient(
            url,
            "smtp.oauth2.token_url",
            environ=self._environ,
            connect_seconds=FETCH_SECONDS,
            answer_seconds=FETCH_SECONDS,
        )
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                answer = await client.post(body, len(body), "application/x-www-form-urlencoded")
        except (HttpFault, TimeoutError) as error:
            what = str(error) or "did not answer in time"
            raise TokenError(f"smtp.oauth2.token_url {url}: {what}", permanent=False) from error
        finally:
            await client.close()
        self._token, lifetime = _read(answer.status, answer.body, url)
        self._good_until = asked_at + lifetime - min(RENEW_BEFORE_END, lifetime / 10)


def token_source(
    settings: OAuth2Settings, *, clock: Callable[[], float], environ: Mapping[str, str] = os.environ
) -> TokenSource:
    """The source that the settings name."""
    if settings.token_file:
        return FileTokens(settings.token_file)
    return ClientCredentials(settings, clock=clock, environ=environ)


def _read(status: int, body: bytes, url: str) -> tuple[str, float]:
    """Token and its life in seconds. :raises TokenError: with what the endpoint says, never with a secret."""
    fields: dict[str, Any] = {}
    with contextlib.suppress(Unreadable):
        fields = json_object(body)
    if status != 200:
        said = " ".join(str(fields.get(name, "")) for name in ("error", "error_description")).split()
        what = (
            f"smtp.oauth2.token_url {url} answered {status} {redaction.hide(' '.join(said))[:300]}".rstrip()
        )
        raise TokenError(what, permanent=400 <= status < 500 and status not in {408, 425, 429})
    token = fields.get("access_token")
    if isinstance(token, str):
        redaction.know(token, passing=True)
    if not isinstance(token, str) or not _is_token(token):
        raise TokenError(f"smtp.oauth2.token_url {url} answered without an access_token", permanent=True)
    try:
        seconds = number(fields.get("expires_in"), LONGEST_LIFETIME)
    except Unreadable:
        seconds = 0.0
    return token, seconds or DEFAULT_LIFETIME


def _is_token(text: str) -> bool:
    """RFC 6750 section 2.1, generously: visible ASCII. Control characters would end up in the SASL string."""
    return bool(text) and all("!" <= character <= "~" for character in text)
