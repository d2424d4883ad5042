"""The sandbox's inbox as a bench's mail server: a full SMTP server that parses and checks what it gets.

Spoken to like ``mail_sink.Sink``. It costs about as much per mail as a small real server does, so with it the
ratio at 0 ms is nearer to what an operator sees.
"""

from __future__ import annotations

import time
from typing import Any

from parts import PASSWORD

from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.mailbox import ReceivedMail


class InboxServer(Inbox):
    """An inbox that keeps when each mail came."""

    def __init__(self, *, tls: bool) -> None:
        super().__init__(
            tls="implicit" if tls else "none", passwords={"bench": PASSWORD} if tls else {}, keep=1
        )
        self.arrivals: list[tuple[float, str]] = []
        self.before = 0

    def add(self, mail: ReceivedMail) -> None:
        self.arrivals.append((time.monotonic(), mail.to))
        super().add(mail)

    async def start(self) -> dict[str, Any]:  # type: ignore[override]
        """Listen; how to reach it."""
        await super().start()
        pem = self.ca_file.read_bytes() if self.tls != "none" else b""
        return {"host": self.host, "port": self.port, "ca_pem": pem}

    async def reset(self, delay: float = 0.0, limit: int = 0) -> None:
        """Forget what came, and behave like this from now on."""
        self.faults.delay, self.faults.connection_limit = delay, limit or None
        self.arrivals.clear()
        self.before = self.received

    async def until(self, count: int, seconds: float = 300.0) -> float:  # type: ignore[override]
        """When the ``count``-th message was taken."""
        await super().until(lambda _: self.received - self.before >= count, seconds)
        return self.arrivals[-1][0]

    async def seen(self) -> list[tuple[float, str]]:
        """All arrivals."""
        return list(self.arrivals)

    async def sample(self) -> bytes:
        """The message that came last."""
        return self.messages[-1].raw

    async def stop(self) -> None:
        """Close."""
        await self.close()
