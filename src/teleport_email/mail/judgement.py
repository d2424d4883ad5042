"""Whether a permanent refusal is about the mailbox. Pure, and the same for SMTP and for Mailgun.

Given up is given up: so what could be our own doing (the login, the sender, a quota, a header, the size,
the right to relay) must never be taken for the recipient's. Certain is only what names the mailbox, and that
is said by a few enhanced codes (RFC 3463 sections 3.2 and 3.3) and by nothing else: servers use 550 for
everything, and their words differ.
"""

from __future__ import annotations

import re

from teleport_email.core.model import Believe, Declined, Refused

__all__ = ["judge_permanent"]

_NO_CODE_AROUND = r"(?<![\w.])5\.{}(?!\w|\.\d)"
"""A code stands alone: no part of a longer one (5.1.10), of a version or an IP address (5.1.1.20)."""

_MAILBOX = re.compile(_NO_CODE_AROUND.format(r"(?:1\.(?:1|3|6|10)|2\.1)"))
"""X.1.1 no such mailbox, X.1.3 no valid address, X.1.6 moved away, X.1.10 null MX, X.2.1 disabled. Nothing
near them: 5.1.7 and 5.1.8 are about the sender, 5.1.90 is a quota, 5.2.0 and 5.2.252 are the right to send
as, 5.2.2 is a full mailbox."""

_SYSTEM = re.compile(_NO_CODE_AROUND.format(r"1\.2"))
"""X.1.2: no such domain, which a resolver's bad hour looks like."""

_CODE = re.compile(_NO_CODE_AROUND.format(r"\d{1,3}\.\d{1,3}"))
"""Any enhanced code: what it says is not the mailbox, then, and seeing it again adds nothing."""

_ABOUT_US = re.compile(
    _NO_CODE_AROUND.format(r"1\.[78]")
    + r"|\bsenders?\b|\bmail from\b|\bfrom:|\bfrom address\b|\bhelo\b|\behlo\b",
    re.IGNORECASE,
)
"""What says that a code of a mailbox is about the sender's: servers that try out the sender's address quote
what its own server said of it (Exim's callout, Postfix's reject_unverified_sender)."""

_ADDRESS = re.compile(r"<[^<>\s]*>|[^\s<>,;:()\[\]\"']+@[^\s<>,;:()\[\]\"']+")


def judge_permanent(reason: str, text: str, *, sender: str = "", recipient: str = "") -> Refused | Declined:
    """What a permanent refusal with this ``text`` means when it is heard for the first time.

    ``reason``: the sentence for people. ``sender``, ``recipient``: plain addresses of the envelope.
    """
    if _says(_MAILBOX, text, sender, recipient):
        return Refused(reason)
    if _says(_SYSTEM, text, sender, recipient):
        return Declined(reason, Believe.REPEATED)
    return Declined(reason, Believe.NEVER if _CODE.search(_ADDRESS.sub(" ", text)) else Believe.SEEN)


def _says(code: re.Pattern[str], text: str, sender: str, recipient: str) -> bool:
    said = text.lower()
    if sender and sender.lower() != recipient.lower() and sender.lower() in said:
        return False
    # An address is whatever somebody called themselves, <5.1.1@example.com> too.
    said = _ADDRESS.sub(" ", said)
    return bool(code.search(said)) and not _ABOUT_US.search(said)
