"""Messages into threads, as mail programs do it: by References and In-Reply-To, within one mailbox."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from .mailbox import ReceivedMail

_REPLY_PREFIX = re.compile(r"\A(?:(?:re|aw|fwd?|wg)\s*:\s*)+", re.IGNORECASE)


class Thread(Struct, frozen=True):
    """The messages of one conversation in one mailbox, oldest first; never empty."""

    recipient: str
    mails: tuple[ReceivedMail, ...]

    @property
    def number(self) -> int:
        """Number of its first message."""
        return self.mails[0].number

    @property
    def subject(self) -> str:
        """Of its first message."""
        return self.mails[0].subject

    @property
    def latest(self) -> ReceivedMail:
        return self.mails[-1]


def build_threads(mails: Iterable[ReceivedMail], recipient: str = "") -> list[Thread]:
    """The threads of one mailbox, or of all; the one with the newest message first.

    Two messages belong together when one names the other, or both name the same third one, which need
    not be there. Like Gmail, and unlike others, only messages with the same subject (but for ``Re:``)
    are put together: what holds here holds everywhere.
    """
    boxes: dict[str, list[ReceivedMail]] = {}
    for mail in mails:
        for address in mail.envelope_to:
            if recipient in {"", address}:
                boxes.setdefault(address, []).append(mail)
    threads = [thread for address, box in boxes.items() for thread in _threads_of(address, box)]
    return sorted(threads, key=lambda thread: thread.latest.number, reverse=True)


def _threads_of(address: str, box: Sequence[ReceivedMail]) -> list[Thread]:
    links = _Links()
    keys = []
    for mail in box:
        subject = _REPLY_PREFIX.sub("", mail.subject).strip()
        # A message without an id can at least be found by its number.
        own = (subject, mail.message_id or f"#{mail.number}")
        for reference in mail.references:
            links.join(own, (subject, reference))
        keys.append(own)
    grouped: dict[tuple[str, str], list[ReceivedMail]] = {}
    for mail, key in zip(box, keys, strict=True):
        grouped.setdefault(links.root(key), []).append(mail)
    return [Thread(address, tuple(group)) for group in grouped.values()]


class _Links:
    """Sets of ids that belong together (union and find)."""

    def __init__(self) -> None:
        self._parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(self, key: tuple[str, str]) -> tuple[str, str]:
        while (parent := self._parent.get(key, key)) != key:
            key = parent
        return key

    def join(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        self._parent[self.root(one)] = self.root(other)
