"""The Go plugin beside us, before us and after us: its seven keys of plugin data. Pure.

Reading: what in these keys is *its* doing, and which of our messages that makes needless. Writing: the
keys such that it can carry on. The ledger's *shadow* has the seven values that we wrote last: only what
differs from it is the Go plugin's doing. To read our own keys back as progress would lose mail after a
crash, since they are written with the claim, before anything is sent.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from teleport_email.core.ledger import (
    ALL_KEYS,
    ANNOUNCEMENTS,
    GO_KEYS,
    LEDGER_KEY,
    RESOLUTION_TOPICS,
    Entry,
    Ledger,
    Mark,
    Party,
)
from teleport_email.core.ledger_json import dumps, loads
from teleport_email.core.model import AccessRequest, Kind, RequestState, Topic

BY_GO = Entry(Mark.DELIVERED, 0, "go")
ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)


@dataclass(frozen=True, slots=True)
class Thread:
    """One entry of ``email_threads``."""

    address: str
    timestamp: str
    message_id: str

    def __str__(self) -> str:
        return f"{self.address}/{self.timestamp}/{self.message_id}"

    @property
    def well_formed(self) -> bool:
        """Whether the Go plugin can read it back: no separator within a field, no field empty."""
        fields = (self.address, self.timestamp, self.message_id)
        return all(fields) and not any(mark in part for part in fields for mark in "/,")


def parse_threads(text: str) -> tuple[Thread, ...]:
    """The well-formed entries; like the Go plugin, others are dropped (here: not understood, yet kept)."""
    threads = []
    for entry in text.split(","):
        parts = entry.split("/")
        if len(parts) == 3 and all(parts):
            threads.append(Thread(*parts))
    return tuple(threads)


_MESSAGE_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{3,200}")
"""A message id that may stand in a header as it is: visible ASCII without angle brackets."""


def root_of(thread: Thread) -> str:
    """The message id that replies into the thread refer to; empty where there is no usable one.

    With Mailgun the Go plugin keeps the id together with its angle brackets.
    """
    message_id = thread.message_id.removeprefix("<").removesuffix(">")
    return message_id if _MESSAGE_ID.fullmatch(message_id) else ""


def threads_of(data: Mapping[str, str]) -> tuple[Thread, ...]:
    """The threads in plugin data, from ``email_threads`` or the older ``email`` and ``timestamp`` keys."""
    if data.get("email_threads"):
        return parse_threads(data["email_threads"])
    address = data.get("email", "")
    return (Thread(address, data.get("timestamp", ""), ""),) if "@" in address else ()


def go_values(data: Mapping[str, str]) -> dict[str, str]:
    """The seven values, absent ones as empty strings."""
    return {key: data.get(key, "") for key in GO_KEYS}


def reviews_counted(data: Mapping[str, str]) -> int:
    """``reviews_count`` as a number; 0 where it is none."""
    text = data.get("reviews_count", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def read(data: Mapping[str, str]) -> Ledger:
    """The ledger of plugin data, with what the Go plugin did since we wrote last taken in.

    Raises :class:`~teleport_email.core.errors.LedgerUnreadable` where our own key cannot be understood.
    """
    ledger = loads(data[LEDGER_KEY]) if data.get(LEDGER_KEY) else Ledger()
    return _absorb(ledger, data)


def is_claiming(data: Mapping[str, str]) -> bool:
    """Whether the Go plugin seems about to announce: it claimed the request, and no thread is there yet."""
    return bool(data.get("user")) and not data.get(LEDGER_KEY) and not threads_of(data)


def _absorb(ledger: Ledger, data: Mapping[str, str]) -> Ledger:
    shadow = ledger.shadow
    if all(data.get(key, "") == shadow.get(key, "") for key in GO_KEYS) and not (
        "email" in data and not ledger.exists
    ):
        return ledger
    threads = threads_of(data)
    ours = set(parse_threads(shadow.get("email_threads", "")))
    parties = {party.key: party for party in ledger.parties}
    for thread in threads:
        if thread not in ours:
            party = parties.get((thread.address, False), Party(thread.address))
            parties[party.key] = _announced_by_go(party, thread)
    addresses = {thread.address for thread in threads}
    told: list[Kind] = []
    first = reviews_counted(shadow) + 1 if ledger.exists else 1
    told += [Kind(Topic.REVIEW, number) for number in range(first, reviews_counted(data) + 1)]
    resolution = data.get("resolution", "")
    state = RequestState.PENDING
    if resolution != shadow.get("resolution", ""):
        state = next((state for state in RESOLUTION_TOPICS if state.value == resolution), state)
        if state in RESOLUTION_TOPICS:
            told.append(Kind(RESOLUTION_TOPICS[state]))
    for kind in told:
        for key, party in parties.items():
            if party.address in addresses and not party.requester and _open(party, kind):
                parties[key] = party.with_entry(kind, BY_GO)
    return dataclasses.replace(
        ledger,
        parties=tuple(parties.values()),
        state=state if state.rank > ledger.state.rank else ledger.state,
        reviews=max([ledger.reviews, *(kind.number for kind in told)]),
    )


def _announced_by_go(party: Party, thread: Thread) -> Party:
    begun = party.announcement
    if begun is None:
        return dataclasses.replace(party, root=root_of(thread)).with_entry(ANNOUNCEMENT, BY_GO)
    if begun == ANNOUNCEMENT and _open(party, begun):
        return party.with_entry(begun, BY_GO)
    return party


def _open(party: Party, kind: Kind) -> bool:
    return party.mark(kind) in (None, Mark.ATTEMPTED)


@dataclass(frozen=True, slots=True)
class Write:
    """One compare-and-swap on the plugin data: what to set, and what must still be there."""

    set: Mapping[str, str]
    expect: Mapping[str, str]
    ledger: Ledger
    """The ledger as it is once this write was applied."""

    @property
    def after(self) -> dict[str, str]:
        """Our eight keys once this write was applied, absent ones left out."""
        merged = {**self.expect, **self.set}
        return {key: value for key, value in merged.items() if value}


def write(ledger: Ledger, data: Mapping[str, str], request: AccessRequest) -> Write:
    """The write that puts ``ledger`` in the place of what was read as ``data``.

    ``request`` fills the Go plugin's keys where they are empty. An empty value deletes a key; expecting
    an empty value means that the key must be absent (behaviour of ``UpdatePluginData``).
    """
    before = {key: data.get(key, "") for key in ALL_KEYS}
    values = go_values(data)
    if not values["user"]:
        values["user"] = request.user
        values["roles"] = ",".join(request.roles)
        values["request_reason"] = request.request_reason
    count = max(reviews_counted(data), ledger.reviews)
    values["reviews_count"] = str(count) if count else values["reviews_count"]
    if ledger.state is not RequestState.PENDING and values["resolution"] != ledger.state.value:
        values["resolution"] = ledger.state.value
        values["resolve_reason"] = request.resolve_reason or values["resolve_reason"]
    values["email_threads"] = _threads_value(ledger, values["email_threads"], request.id)
    ledger = dataclasses.replace(ledger, shadow={key: value for key, value in values.items() if value})
    after = {**values, LEDGER_KEY: dumps(ledger)}
    changed = {key: value for key, value in after.items() if value != before[key]}
    return Write(set=changed, expect=before, ledger=ledger)


def _threads_value(ledger: Ledger, text: str, request_id: str) -> str:
    """``email_threads`` with the threads that we have begun added; what is there stays as it is."""
    known = {thread.address for thread in parse_threads(text)}
    added = []
    for party in ledger.parties:
        begun = party.announcement
        if party.requester or party.address in known or begun is None:
            continue
        entry = party.entries[begun]
        if entry.mark is not Mark.DELIVERED or begun.topic not in ANNOUNCEMENTS:
            continue
        thread = Thread(party.address, _go_time(entry.at), ledger.thread_root(request_id, party))
        # An address with a separator in it cannot be written so that the Go plugin reads it back:
        # it would drop the entry, or worse, take it for another address.
        if thread.well_formed:
            added.append(str(thread))
    return ",".join([*([text] if text else []), *added])


def _go_time(at: int) -> str:
    return f"{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d %H:%M:%S} +0000 UTC"
