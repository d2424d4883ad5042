"""What the sandbox's mail servers share: the messages that came in, and waiting for them without polling."""

from __future__ import annotations

import asyncio
import email
import email.policy
import functools
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Literal, Self

from msgspec import Struct, field

from teleport_email.core.model import hiding


class ReceivedMail(Struct, frozen=True, dict=True):
    """One message as it came in, by SMTP or as a Mailgun call."""

    number: int
    """1 for the first that this server got, in the order of taking over."""
    envelope_from: str
    """Empty for Mailgun, which works it out itself."""
    envelope_to: tuple[str, ...]
    raw: bytes
    """Exactly the bytes of the message: CRLF lines, without SMTP's dot stuffing."""
    session: int = 0
    """Number of the connection, from 1; 0 for Mailgun."""
    peer: str = ""
    tls: str = ""
    """``TLSv1.3``; empty when it came in the clear."""
    auth_user: str = ""
    client_name: str = ""
    """Common name of the client's certificate."""
    acknowledged: bool = True
    """False when a scripted fault kept the mail but did not say so."""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Mailgun's form fields, such as ``o:tracking``."""
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    __repr__ = hiding("raw")

    @functools.cached_property
    def parsed(self) -> EmailMessage:
        """The message; parsed when first asked for."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def header(self, name: str) -> str:
        """One header's text, or empty; never raises, whatever the message looks like."""
        try:
            return str(self.parsed.get(name, ""))
        except Exception:  # noqa: BLE001 - the standard library's parser fails in many ways on bad headers
            return ""

    @property
    def to(self) -> str:
        """The first recipient of the envelope."""
        return self.envelope_to[0] if self.envelope_to else ""

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def message_id(self) -> str:
        """Without angle brackets."""
        return self.header("Message-ID").strip().strip("<>")

    @property
    def references(self) -> tuple[str, ...]:
        """Message ids that this one follows: ``References``, then ``In-Reply-To``; without brackets."""
        ids = f"{self.header('References')} {self.header('In-Reply-To')}".split()
        return tuple(dict.fromkeys(part.strip("<>,") for part in ids))

    @property
    def text(self) -> str:
        """The plain text part, lines ending in ``\\n``; empty when there is none."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part; empty when there is none."""
        return self._part("html")

    def _part(self, kind: Literal["plain", "html"]) -> str:
        try:
            part = self.parsed.get_body((kind,))
            content = part.get_content() if part is not None else ""
        except Exception:  # noqa: BLE001 - as in header()
            return ""
        return content.replace("\r\n", "\n") if isinstance(content, str) else ""


class Mailbox:
    """The messages of one server, oldest first. ``keep`` bounds how many are held (None: all)."""

    def __init__(self, keep: int | None = None) -> None:
        self.messages: list[ReceivedMail] = []
        self.received = 0
        """Messages ever received, also those no longer kept."""
        self._keep = keep
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def to(self, recipient: str) -> list[ReceivedMail]:
        """The messages for one recipient, in order."""
        return [mail for mail in self.messages if recipient in mail.envelope_to]

    async def wait_for(
        self, wanted: int | Callable[[Sequence[ReceivedMail]], bool], timeout: float = 60.0
    ) -> list[ReceivedMail]:
        """Wait until so many messages are there, or until the predicate likes them; returns all.

        ``TimeoutError`` after ``timeout`` seconds, saying what did come.
        """

        def enough(_: object) -> bool:
            return self.received >= wanted if isinstance(wanted, int) else wanted(self.messages)

        await self.until(enough, timeout)
        return list(self.messages)

    async def arrivals(self) -> AsyncGenerator[ReceivedMail, None]:
        """Every message, also those that are here already, as they come; without end."""
        seen = 0
        while True:
            await self.until(lambda box: box.received > seen, timeout=None)  # noqa: B023 - used up at once
            for mail in [mail for mail in self.messages if mail.number > seen]:
                seen = mail.number
                yield mail

    async def until(self, condition: Callable[[Self], bool], timeout: float | None = 60.0) -> None:
        """Wait until ``condition(self)``; looked at after everything that happens here."""
        if condition(self):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (lambda: condition(self), future)
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            raise TimeoutError(f"not within {timeout:g} s. {self.account()}") from None
        finally:
            self._waiters.remove(waiter)

    def account(self) -> str:
        """What has happened so far, for an error message."""
        came = "; ".join(f"{mail.to}: {mail.subject}" for mail in self.messages[-20:]) or "nothing"
        return f"{self.received} messages came (the last ones: {came})"

    def add(self, mail: ReceivedMail) -> None:
        """Take a message in and wake up who waits for it."""
        self.received += 1
        self.messages.append(mail)
        if self._keep is not None and len(self.messages) > self._keep:
            del self.messages[0]
        self._changed()

    def _changed(self) -> None:
        for condition, future in self._waiters:
            if not future.done() and condition():
                future.set_result(None)
