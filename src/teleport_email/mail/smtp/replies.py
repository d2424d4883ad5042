"""What an SMTP reply means for a message. Pure.

The first digit decides (RFC 5321 section 4.2.1); the enhanced code (RFC 3463, RFC 5248) refines it where it
agrees. Exceptions come from what servers really do, each named where it stands.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from teleport_email.core.model import AccountFault, Refused, Temporary

__all__ = ["PolicyRefusal", "Reply", "Stage", "judge"]

LONGEST_QUOTE = 300
"""Characters of a server's text that go into a reason: some send pages."""


class Stage(enum.StrEnum):
    """To which command a reply came; the value is what a reason calls it."""

    LOGIN = "AUTH"
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"
    DOT = "the message"


@dataclass(frozen=True, slots=True)
class PolicyRefusal:
    """Refused by policy: the recipient's, or one against us altogether. Only what others get tells which."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply; the text of several lines is joined by ``\\n``."""

    code: int
    text: str

    @property
    def enhanced(self) -> str:
        """``5.1.1``; empty when there is none or when it contradicts the code."""
        match = re.match(r"([245]\.\d{1,3}\.\d{1,3})(?!\d)", self.text)
        return match[1] if match and match[1][0] == str(self.code)[0] else ""

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def crowded(self) -> bool:
        """Whether the server says that we have too many connections: 421, or Exchange's 432 4.3.2."""
        return self.code == 421 or (self.code == 432 and self.enhanced == "4.3.2")

    def __str__(self) -> str:
        text = " ".join("".join(c if c.isprintable() else " " for c in self.text).split())
        if len(text) > LONGEST_QUOTE:
            text = text[:LONGEST_QUOTE] + "…"
        return f"{self.code} {text}".rstrip()


_ACCOUNT_CODES = frozenset({530, 534, 535, 538})
"""Login needed, mechanism too weak, credentials wrong, TLS needed (RFC 4954 section 6)."""


def judge(stage: Stage, reply: Reply) -> Temporary | Refused | AccountFault | PolicyRefusal:
    """What a reply that does not accept means. Definite: the message was not taken."""
    reason = f"the mail server answered {reply} to {stage.value}"
    code, enhanced = reply.code, reply.enhanced
    if code in _ACCOUNT_CODES:
        return AccountFault(reason)
    if stage is Stage.LOGIN:
        # 432: a password transition is needed (RFC 4954 section 6). 454 and other 4yz pass by themselves.
        return Temporary(reason) if 400 <= code < 500 and code != 432 else AccountFault(reason)
    if not 500 <= code < 600:
        return Temporary(reason)  # also what no standard knows: better once more than lost
    if stage is Stage.MAIL:
        # 552 (5.3.4): larger than the server takes. All else is about the sender, the same for every message.
        return Refused(reason) if code == 552 or enhanced == "5.3.4" else AccountFault(reason)
    if stage is Stage.RCPT and code == 552 and enhanced in {"", "5.5.3"}:
        return Temporary(reason)  # an old code for "too many recipients" (RFC 5321 section 4.5.3.1.10)
    if enhanced.startswith("5.7."):
        return PolicyRefusal(reason)
    return Refused(reason)
