"""What a ledger tells beside what decides: keys that only inform, of the ledger as a whole and of each party.

A program that does not know such a key passes it over, and one from before there were any drops them all
with its next write. So nothing that is owed to anybody may hang on them: ``decide`` never looks here. What
is found is taken for what it is worth, and what makes no sense is passed over, never a fault of the ledger.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from teleport_email.core.model import Content, replace

Info = Mapping[str, Any]
"""Key -> a text, a number, or a list of such. Keys that this program does not know are kept as they are."""

WAITING = "w"
"""Of a party: why it waits, ``[since, at, tries, reason]``."""
SPELLED = "s"
"""Of a party: how its address was written where that is not the form in which addresses are compared."""
LAST_DATE = "d"
"""Of a ledger: the latest Date of a message that was ever frozen in it, Unix time."""
SUBJECTS = "u"
"""Of a ledger: the subject of its threads and the Go plugin's form of it, where the two differ."""

MAX_KEYS = 16
MAX_TEXT = 1000
"""What is longer than anything of ours is somebody else's, and not kept: it would be copied for ever."""
_END_OF_TIME = 253_402_300_799


class Wait(Struct, frozen=True):
    """Why somebody has not got their next message yet, as of the last try."""

    since: int
    """Unix time of the first try in a row that failed."""
    at: int
    """Unix time of the last one."""
    tries: int
    reason: str
    """What the mail server said, or why it was not reached."""


def understood(value: object) -> dict[str, Any]:
    """Of what stands in a ledger's place for such keys, all that can be kept."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in list(value.items())[:MAX_KEYS] if len(key) < 10 and _is_flat(item)}


def waiting(info: Info) -> Wait | None:
    """The failed tries that were written down; None where there are none, or none that make sense."""
    match info.get(WAITING):
        case [int(since), int(at), int(tries), str(reason)] if 0 <= since <= at <= _END_OF_TIME and tries > 0:
            return Wait(since, at, tries, reason)
    return None


def with_waiting(info: Info, wait: Wait | None) -> Info:
    """The same with the failed tries set, or taken away with None."""
    if wait is not None:
        return {**info, WAITING: [wait.since, wait.at, wait.tries, wait.reason]}
    return {key: item for key, item in info.items() if key != WAITING} if WAITING in info else info


def last_date(info: Info) -> datetime | None:
    """The latest Date of a frozen message; None where it was not kept."""
    match info.get(LAST_DATE):
        case int(at) if 0 <= at < _END_OF_TIME:
            return datetime.fromtimestamp(at, UTC)
    return None


def with_last_date(info: Info, date: datetime) -> Info:
    """The same with the latest Date set."""
    return {**info, LAST_DATE: int(date.timestamp())}


def subjects(info: Info) -> tuple[str, str] | None:
    """The subject of the threads, and that of those which the Go plugin began; None: one for all."""
    match info.get(SUBJECTS):
        case [str(subject), str(plain)] if subject and plain:
            return subject, plain
    return None


def in_thread(info: Info, content: Content, go_root: str) -> Content:
    """The content as one thread has it: the Go plugin's form of the subject where it began the thread."""
    found = subjects(info)
    return replace(content, subject=found[1]) if go_root and found else content


def with_subjects(info: Info, subject: str, plain: str) -> Info:
    """The same with the subjects set, if they are to be kept and none were: they stay what they are."""
    if not plain or subjects(info) or max(len(subject), len(plain)) > MAX_TEXT:
        return info
    return {**info, SUBJECTS: [subject, plain]}


def spelling(info: Info) -> str:
    """How the party's address was written; empty where that is the address itself, or was not kept."""
    match info.get(SPELLED):
        case str(text):
            return text
    return ""


def with_spelling(info: Info, text: str) -> Info:
    """The same with the spelling set, if there is one to keep."""
    return {**info, SPELLED: text} if text and len(text) <= MAX_TEXT else info


def _is_flat(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= MAX_KEYS and all(_is_plain(item) for item in value)
    return _is_plain(value)


def _is_plain(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and len(value) <= MAX_TEXT)
