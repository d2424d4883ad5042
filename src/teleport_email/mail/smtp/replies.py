"""What an SMTP reply means for a message. Pure.

The first digit decides (RFC 5321 section 4.2.1); the enhanced code (RFC 3463, RFC 5248) refines it. What is
permanent is given up only where it names the mailbox (:mod:`teleport_email.mail.judgement`). Exceptions come
from what servers really do, each named where it stands.
"""

from __future__ import annotations

import enum
import re

from msgspec import Struct

from teleport_email.core import redaction
from teleport_email.core.model import AccountFault, Declined, Refused, Temporary
from teleport_email.mail.advice import advice
from teleport_email.mail.judgement import judge_permanent

__all__ = ["Reply", "Stage", "judge"]

LONGEST_QUOTE = 300
"""Characters of a server's text that go into a reason: some send pages."""

_SAYS_TEMPORARY = re.compile(r"4\.\d{1,3}\.\d{1,3}(?!\d)")


class Stage(enum.StrEnum):
    """To which command a reply came; the value is what a reason calls it."""

    LOGIN = "AUTH"
    MAIL = "MAIL FROM"
    RCPT = "RCPT TO"
    DATA = "DATA"
    DOT = "the message"


class Reply(Struct, frozen=True):
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
        text = redaction.hide(self.text)
        if not text.isprintable():
            text = "".join(c if c.isprintable() else " " for c in text)
        text = " ".join(text.split())
        if len(text) > LONGEST_QUOTE:
            text = text[:LONGEST_QUOTE] + "…"
        return f"{self.code} {text}".rstrip()


def judge(
    stage: Stage, reply: Reply, *, sender: str = "", recipient: str = ""
) -> Temporary | Refused | Declined | AccountFault:
    """What a reply that does not accept means. Definite: the message was not taken.

    ``sender``, ``recipient``: plain addresses of the envelope, which replies quote.
    """
    reason = f"the mail server answered {reply} to {stage.value}{advice(reply.text, reply.code)}"
    code = reply.code
    if stage is Stage.LOGIN:
        # 432: a password transition is needed (RFC 4954 section 6). 454 and other 4yz pass by themselves.
        passes = 400 <= code < 500 and code != 432
        return Temporary(reason) if passes else AccountFault(reason, login=True)
    if not 500 <= code < 600:
        return Temporary(reason)  # also what no standard knows: better once more than lost
    if _SAYS_TEMPORARY.match(reply.text):
        return Temporary(reason)  # 550 4.7.1: the two disagree, and waiting loses nothing
    if stage is Stage.MAIL:
        # The size is this message's. All else is about the sender, the same for every message.
        if code == 552 or reply.enhanced == "5.3.4":
            return Declined(reason)
        return AccountFault(reason)
    if stage is Stage.RCPT and code == 552 and reply.enhanced in {"", "5.5.3"}:
        return Temporary(reason)  # an old code for "too many recipients" (RFC 5321 section 4.5.3.1.10)
    return judge_permanent(reason, reply.text, sender=sender, recipient=recipient)
