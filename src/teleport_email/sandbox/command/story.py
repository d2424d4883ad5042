"""What the demo expects to land in the inbox, and whether it did: precisely, and nothing besides. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from teleport_email.sandbox.mail.mailbox import ReceivedMail
from teleport_email.sandbox.mail.threads import build_threads

from .console import headline, printable

ANNOUNCED = "You have a new Role Request"
APPROVED = "Role Request has been resolved: APPROVED"
DENIED = "Role Request has been resolved: DENIED"
EXPIRED = "Role Request has been resolved: EXPIRED"


def reviewed_by(author: str) -> str:
    """How a message about a review begins."""
    return f"{author} reviewed the request"


class Expected(Struct, frozen=True):
    """One message that has to come: about which request, to whom, and how its text begins."""

    request_id: str
    recipient: str
    beginning: str

    def fits(self, mail: ReceivedMail) -> bool:
        """Whether this is the one."""
        return (
            mail.envelope_to == (self.recipient,)
            and mail.header("X-Teleport-Request-Id") == self.request_id
            and re.match(rf"{re.escape(self.beginning)}\b", headline(mail)) is not None
        )

    def __str__(self) -> str:
        return f"{self.recipient}: {self.beginning} (request {self.request_id})"


def missing(mails: Sequence[ReceivedMail], expected: Sequence[Expected]) -> list[Expected]:
    """What has not come (yet)."""
    return [one for one in expected if not any(one.fits(mail) for mail in mails)]


def faults(mails: Sequence[ReceivedMail], expected: Sequence[Expected]) -> list[str]:
    """Everything that is not as it should be, as sentences; empty when all is well.

    ``expected`` in the order in which each recipient must get them.
    """
    found = [f"missing: {one}" for one in missing(mails, expected)]
    for one in expected:
        copies = [mail for mail in mails if one.fits(mail)]
        if len(copies) > 1:
            found.append(f"came {len(copies)} times: {one}")
    for mail in mails:
        if not any(one.fits(mail) for one in expected):
            found.append(f"not expected: {printable(mail.to)}: {headline(mail)}")
        if not mail.text or not mail.html:
            found.append(f"not both text and HTML: message {mail.number}")
    found += _order(mails, expected)
    found += _threads(mails, expected)
    return found


def _order(mails: Sequence[ReceivedMail], expected: Sequence[Expected]) -> list[str]:
    found = []
    for conversation in dict.fromkeys((one.request_id, one.recipient) for one in expected):
        mine = [one for one in expected if (one.request_id, one.recipient) == conversation]
        numbers = [mail.number for one in mine for mail in mails if one.fits(mail)]
        if numbers != sorted(numbers):
            found.append(f"out of order: the messages to {conversation[1]} about {conversation[0]}")
    return found


def _threads(mails: Sequence[ReceivedMail], expected: Sequence[Expected]) -> list[str]:
    conversations = {(one.request_id, one.recipient) for one in expected}
    threads = build_threads(mails)
    found = []
    for request_id, recipient in sorted(conversations):
        there = [
            thread
            for thread in threads
            if thread.recipient == recipient
            and any(mail.header("X-Teleport-Request-Id") == request_id for mail in thread.mails)
        ]
        if len(there) > 1:
            found.append(f"not one thread but {len(there)}: the messages to {recipient} about {request_id}")
    found += [
        f"requests mixed in one thread: {printable(thread.subject)}"
        for thread in threads
        if len({mail.header("X-Teleport-Request-Id") for mail in thread.mails}) > 1
    ]
    return found
