"""Sending by Mailgun: ``POST /v3/{domain}/messages.mime``, the same bytes as by SMTP, one recipient a call.

Mailgun has no idempotency key: what makes a repeated call harmless is the Message-ID in the bytes. The last
byte of the request is what SMTP's final dot is: before it nothing can have been accepted.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import random
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from teleport_email.config.settings import MailgunSettings, Secret
from teleport_email.core import redaction
from teleport_email.core.foreign import Unreadable, http_date, json_object, number, whole_number
from teleport_email.core.model import (
    AccountFault,
    Declined,
    Delivered,
    Mail,
    Refused,
    SendOutcome,
    Temporary,
)

from .advice import advice
from .http import HttpClient, HttpFault
from .judgement import judge_permanent
from .mailer import Attempt, Finding, Mailer
from .message import Written, envelope_sender
from .pause import Step

__all__ = ["MailgunMailer"]

CALLS_AT_ONCE = 8
"""Mailgun names no limit; each call is a request of some KB, and 429 says when it is too much."""

ANSWER_SECONDS = 120.0
"""Seconds to wait for the answer once the request is sent. Generous: giving up early makes duplicates."""

CONNECT_SECONDS = 30.0

LONGEST_WAIT = 1e6
"""Seconds that an answer may ask for; more is no wait but a mistake (:mod:`pause` takes less yet)."""

LONGEST_QUOTE = 300


_HELP = {
    400: "; is delivery.sender an address of this domain?",
    403: "; check the account and the domain at Mailgun, and whether it is a sandbox domain, which takes only"
    " authorized recipients",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MailgunMailer(Mailer):
    """The mailer for ``[mailgun]``. ``now``: the wall clock, for waits that are given as a time of day."""

    def __init__(
        self,
        settings: MailgunSettings,
        *,
        clock: Callable[[], float],
        random: random.Random,
        environ: Mapping[str, str] = os.environ,
        now: Callable[[], datetime] = _utc_now,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        super().__init__(clock=clock, random=random, slots=4 * CALLS_AT_ONCE)
        self._settings = settings
        self._now = now
        self._calls = asyncio.Semaphore(CALLS_AT_ONCE)
        self._client = HttpClient(
            f"{settings.api_base.rstrip('/')}/v3/{quote(settings.domain, safe='')}/messages.mime",
            "mailgun.api_base",
            environ=environ,
            connect_seconds=CONNECT_SECONDS,
            answer_seconds=answer_seconds,
            connections=CALLS_AT_ONCE,
            authorization=Secret(
                "Basic " + b64encode(f"api:{settings.private_key.reveal()}".encode()).decode()
            ),
        )

    async def verify(self, sender: str = "", recipient: str = "") -> Sequence[Finding]:  # noqa: ARG002 - show only when sending
        """Post a message without a recipient: 400 means that key and domain are good, for a sending key
        (which may do nothing else) as for an account's.
        """
        content_type, body = _form({}, b"", "")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                answer = await self._client.post(body, len(body), content_type)
        except (HttpFault, TimeoutError) as error:
            what = _quote(str(error)) or "no answer in time"
            return [Finding(False, "connection", f"{self._settings.api_base}: {what}")]
        connected = Finding(True, "connection", f"{self._settings.api_base} answers")
        if answer.status == 400:
            return [
                connected,
                Finding(True, "domain", f"{self._settings.domain}: key and domain are accepted"),
            ]
        fault = _judge(answer.status, answer.headers, answer.body, self._settings, self._now())
        reason = f"unexpected answer {answer.status}" if isinstance(fault, Delivered) else fault.reason
        return [connected, Finding(False, "domain", reason)]

    async def _deliver(self, mail: Mail, written: Written, attempt: Attempt) -> SendOutcome:
        options = {
            "to": mail.recipient,
            # Each explicitly: the domain's own setting may be on, and then every link is rewritten.
            "o:tracking": "no",
            "o:tracking-clicks": "no",
            "o:tracking-opens": "no",
            "o:require-tls": "yes" if self._settings.require_tls else "no",
            "o:skip-verification": "no",
        }
        raw = b"".join(written)
        content_type, body = _form(options, raw, hashlib.sha256(raw).hexdigest()[:32])
        async with self._calls:
            if (paused := self._pause.verdict) is not None:  # since this call waited for its turn
                return paused
            self._begin(attempt)
            try:
                answer = await self._client.post(_committing(body, attempt), len(body), content_type)
            except HttpFault as error:
                outcome = Temporary(f"Mailgun: {_quote(str(error))}", maybe_accepted=attempt.committed)
                if not attempt.committed:
                    self._pause.trip(outcome, ends_with=Step.CONNECTED)
                return outcome
        verdict = _judge(
            answer.status,
            answer.headers,
            answer.body,
            self._settings,
            self._now(),
            sender=envelope_sender(mail.content),
            recipient=mail.recipient,
        )
        self._note(answer.status, verdict)
        return verdict

    def _note(self, status: int, outcome: Delivered | Temporary | Refused | Declined | AccountFault) -> None:
        """Whether this concerns everybody."""
        if isinstance(outcome, AccountFault):
            self._pause.trip(outcome, ends_with=Step.SENDER)
        elif isinstance(outcome, Temporary):
            self._pause.passed(Step.CONNECTED)
            if status == 429:
                self._pause.trip(outcome, ends_with=Step.SENDER, retry_after=outcome.retry_after)
            elif status < 500:
                self._pause.trip(outcome, ends_with=Step.SENDER)
        else:
            self._pause.passed(Step.SENDER)

    async def _close_connections(self) -> None:
        await self._client.close()


async def _committing(body: bytes, attempt: Attempt) -> AsyncIterator[bytes]:
    """The body; right before its last byte the attempt passes the point of no return."""
    yield body[:-1]
    attempt.commit()
    yield body[-1:]


def _form(fields: Mapping[str, str], raw: bytes, boundary: str) -> tuple[str, bytes]:
    """``multipart/form-data`` with the message as a file; without ``raw`` no message. Pure."""
    boundary = f"teleport-email-{boundary}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    if raw:
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="message"; filename="message.mime"\r\n'
            "Content-Type: message/rfc822\r\n\r\n"
        )
        parts += [head.encode(), raw, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)


def _judge(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    settings: MailgunSettings,
    now: datetime,
    *,
    sender: str = "",
    recipient: str = "",
) -> Delivered | Temporary | Refused | Declined | AccountFault:
    """What an answer means. Pure. (Mailgun's published API description, and what its clients found.)"""
    fields = _json(body)
    said = _quote(str(fields.get("message", "")) if fields else body.decode("utf-8", "replace"))
    reason = f"Mailgun answered {status} {said}".rstrip()
    if status == 200:
        accepted = fields.get("id")
        if isinstance(accepted, str) and accepted:
            return Delivered(f"{accepted} {said}".rstrip())
        # What a wrong path gets, or a proxy's page: never taken for success.
        return Temporary(f"{reason} without a message id; is mailgun.api_base right?", maybe_accepted=True)
    match status:
        case 400 | 403 | 413:
            # 403 also for one address of a sandbox domain, 400 also for our own From.
            helped = f"{reason}{advice(said) or _HELP.get(status, '')}"
            return judge_permanent(helped, said, sender=sender, recipient=recipient)
        case 401:
            return AccountFault(f"{reason}: check mailgun.private_key, and that region or api_base is right")
        case 402:
            return AccountFault(f"{reason}: check the account and the domain {settings.domain} at Mailgun")
        case 404:
            return AccountFault(
                f"{reason}: {settings.domain} is not known at {settings.api_base}; domains in the EU"
                ' need mailgun.region = "eu"'
            )
        case 429:
            return Temporary(reason, retry_after=_wait(headers, said, now))
    if status >= 500:
        # Mailgun has sent mails whose calls it answered with 5xx.
        return Temporary(reason, maybe_accepted=True, retry_after=_wait(headers, "", now))
    return Temporary(f"{reason}, which it never should; is mailgun.api_base right?")


def _json(body: bytes) -> dict[str, Any]:
    try:
        return json_object(body)
    except Unreadable:
        return {}


def _wait(headers: Mapping[str, str], said: str, now: datetime) -> float | None:
    """Seconds to wait: ``Retry-After`` (seconds or a date), ``X-RateLimit-Reset`` (epoch), or the text."""
    after = headers.get("retry-after", "").strip()
    with contextlib.suppress(Unreadable):
        return number(whole_number(after), LONGEST_WAIT)
    with contextlib.suppress(Unreadable):
        return min(LONGEST_WAIT, max(0.0, (http_date(after) - now).total_seconds()))
    with contextlib.suppress(Unreadable):
        reset = headers.get("x-ratelimit-reset", "").strip()
        seconds = whole_number(reset) / (1000 if len(reset) == 13 else 1)
        return min(LONGEST_WAIT, max(0.0, seconds - now.timestamp()))
    match = re.search(r"(\d{1,5}) ?s(?:ec|\b)", said)
    return float(match[1]) if match else None


def _quote(text: str) -> str:
    words = " ".join("".join(c if c.isprintable() else " " for c in redaction.hide(text)).split())
    return words if len(words) <= LONGEST_QUOTE else words[:LONGEST_QUOTE] + "…"
