"""What was learned about a server while connecting to it. Values only."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

__all__ = ["Facts"]


class Facts(Struct):
    """What was learned while connecting, for ``check``; filled in from top to bottom."""

    stage: Literal["connection", "TLS", "session", "login"] = "connection"
    """How far it came, or where it ended."""
    peer: str = ""
    greeting: str = ""
    tls_version: str = ""
    certificate_ends: datetime | None = None
    size: int = 0
    """Largest message in bytes; 0: the server does not say."""
    login: str = ""
    """The mechanism by which we logged in."""
    login_offered: bool = False
    """Whether AUTH was offered (looked at only where we want to log in)."""
    secret_in_clear: bool = False
    """The login went over the network without TLS."""
