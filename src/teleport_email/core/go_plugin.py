"""The Go plugin beside us, before us and after us: its seven keys of plugin data. Pure.

Reading: what in these keys is *its* doing, and which of our messages that makes needless. Writing: the
keys such that it can carry on. The ledger's *shadow* has the seven values that we wrote last: only what
differs from it is the Go plugin's doing. To read our own keys back as progress would lose mail after a
crash, since they are written with the claim, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from teleport_email.core import informing
from teleport_email.core.addresses import one_form
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
from teleport_email.core.model import AccessRequest, Kind, RequestState, Topic, replace

BY_GO = Entry(Mark.DELIVERED, 0, "go")
ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)
MOST_REVIEWS = 100
"""What a count of reviews is believed up to where nobody knows how many the request has: above nearly every
real one, and each costs an entry for each thread."""


class Thread(Struct, frozen=True):
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

    @property
    def form(self) -> str:
        """The address in the form in which addresses are compared: it was written as somebody pleased."""
        return one_form(self.address)


_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]")


def parse_threads(text: str) -> tuple[Thread, ...]:
    """The entries that name somebody; others are not understood, yet kept.

    Read from the right, or around the time: the Go plugin writes an address with a slash in it as it is, and
    cannot read that back itself. The id is empty where it wrote its older keys anew.
    """
    threads = []
    for entry in text.split(","):
        parts = entry.split("/")
        at = next((place for place, part in enumerate(parts) if _TIME.match(part)), len(parts) - 2)
        if 0 < at < len(parts) - 1 and (address := "/".join(parts[:at])):
            threads.append(Thread(address, parts[at], "/".join(parts[at + 1 :])))
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
    """The threads in plugin data, from ``email_threads`` and the older ``email`` and ``timestamp`` keys."""
    threads = parse_threads(data.get("email_threads", ""))
    older = Thread(data.get("email", ""), data.get("timestamp", ""), "")
    if "@" not in older.address or older.form in {thread.form for thread in threads}:
        return threads
    return (*threads, older)


def go_values(data: Mapping[str, str]) -> dict[str, str]:
    """The seven values, absent ones as empty strings."""
    return {key: data.get(key, "") for key in GO_KEYS}


def reviews_counted(data: Mapping[str, str]) -> int:
    """``reviews_count`` as a number, as Go reads one (``+2``); 0 where it is none."""
    text = data.get("reviews_count", "").removeprefix("+")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def read(data: Mapping[str, str], reviews: int = MOST_REVIEWS) -> Ledger:
    """The ledger of plugin data, with what the Go plugin did since we wrote last taken in.

    ``reviews``: how many the request has; its count is not believed beyond that. Raises
    :class:`~teleport_email.core.errors.LedgerUnreadable` where our own key cannot be understood.
    """
    ledger = loads(data[LEDGER_KEY]) if data.get(LEDGER_KEY) else Ledger()
    return with_reviews(_absorb(ledger, data), data, reviews)


def with_reviews(ledger: Ledger, data: Mapping[str, str], reviews: int) -> Ledger:
    """The ledger with the reviews taken in that the Go plugin told, of the ``reviews`` of the request."""
    known = reviews_counted(ledger.shadow) if ledger.exists else 0
    last = min(reviews_counted(data), reviews)
    if last <= known:
        return ledger
    ledger = _told(ledger, data, [Kind(Topic.REVIEW, number) for number in range(known + 1, last + 1)])
    return replace(ledger, reviews=max(ledger.reviews, last))


def is_claiming(data: Mapping[str, str]) -> bool:
    """Whether the Go plugin seems about to announce: it claimed the request, and no thread is there yet."""
    return bool(data.get("user")) and not data.get(LEDGER_KEY) and not threads_of(data)


def _absorb(ledger: Ledger, data: Mapping[str, str]) -> Ledger:
    """Threads and resolution taken in; reviews are :func:`with_reviews`'s."""
    shadow = ledger.shadow
    if all(data.get(key, "") == shadow.get(key, "") for key in GO_KEYS) and not (
        "email" in data and not ledger.exists
    ):
        return ledger
    ours = set(parse_threads(shadow.get("email_threads", "")))
    parties = {party.key: party for party in ledger.parties}
    # Ledgers from before addresses had one form here name the Go plugin's readers as it wrote them, and their
    # Message-IDs with it: those stay.
    by_form = {one_form(party.address): party for party in reversed(ledger.parties) if not party.requester}
    for thread in threads_of(data):
        if thread not in ours:
            party = by_form.get(thread.form) or _newcomer(thread)
            by_form[thread.form] = parties[party.key] = _announced_by_go(party, thread)
    ledger = replace(ledger, parties=tuple(parties.values()))
    resolution = data.get("resolution", "")
    if resolution == shadow.get("resolution", ""):
        return ledger
    state = next((state for state in RESOLUTION_TOPICS if state.value == resolution), RequestState.PENDING)
    if state in RESOLUTION_TOPICS:
        ledger = _told(ledger, data, [Kind(RESOLUTION_TOPICS[state])])
    return replace(ledger, state=state if state.rank > ledger.state.rank else ledger.state)


def _told(ledger: Ledger, data: Mapping[str, str], kinds: Sequence[Kind]) -> Ledger:
    """The ledger in which everybody with a thread of the Go plugin's has been told these."""
    forms = {thread.form for thread in threads_of(data)}

    def told(party: Party) -> Party:
        if party.requester or one_form(party.address) not in forms:
            return party
        news = {kind: BY_GO for kind in kinds if _open(party, kind)}
        return replace(party, entries={**party.entries, **news}) if news else party

    return replace(ledger, parties=tuple(map(told, ledger.parties)))


def _newcomer(thread: Thread) -> Party:
    written = thread.address.strip()
    info = informing.with_spelling({}, written if written != thread.form else "")
    return Party(thread.form, info=info)


def _announced_by_go(party: Party, thread: Thread) -> Party:
    begun = party.announcement
    if begun is None:
        return replace(party, root=root_of(thread)).with_entry(ANNOUNCEMENT, BY_GO)
    if begun == ANNOUNCEMENT and party.mark(begun) is not Mark.DELIVERED:
        return party.with_entry(begun, BY_GO)
    return party


def _open(party: Party, kind: Kind) -> bool:
    return party.mark(kind) in (None, Mark.ATTEMPTED)


class Write(Struct, frozen=True):
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
    if count > reviews_counted(data):
        values["reviews_count"] = str(count)
    if ledger.state is not RequestState.PENDING and values["resolution"] != ledger.state.value:
        values["resolution"] = ledger.state.value
        values["resolve_reason"] = request.resolve_reason or values["resolve_reason"]
    values["email_threads"] = _threads_value(ledger, values["email_threads"], request.id)
    shadow = {key: value for key, value in values.items() if value}
    if count > ledger.reviews:  # more than the request has, as we see it: not taken in, so not ours yet
        shadow["reviews_count"] = str(ledger.reviews) if ledger.reviews else ""
    ledger = replace(ledger, shadow={key: value for key, value in shadow.items() if value})
    after = {**values, LEDGER_KEY: dumps(ledger)}
    changed = {key: value for key, value in after.items() if value != before[key]}
    return Write(set=changed, expect=before, ledger=ledger)


def _threads_value(ledger: Ledger, text: str, request_id: str) -> str:
    """``email_threads`` with the threads that we have begun added; what is there stays as it is."""
    known = {thread.form for thread in parse_threads(text)}
    added = []
    for party in ledger.parties:
        begun = party.announcement
        if party.requester or begun is None or one_form(party.address) in known:
            continue
        entry = party.entries[begun]
        if entry.mark is not Mark.DELIVERED or begun.topic not in ANNOUNCEMENTS:
            continue
        written = informing.spelling(party.info) or party.address
        thread = Thread(written, _go_time(entry.at), ledger.thread_root(request_id, party))
        # An address with a separator in it cannot be written so that the Go plugin reads it back:
        # it would drop the entry, or worse, take it for another address.
        if thread.well_formed:
            added.append(str(thread))
    return ",".join([*([text] if text else []), *added])


def _go_time(at: int) -> str:
    return f"{datetime.fromtimestamp(at, tz=UTC).isoformat(' ')[:19]} +0000 UTC"
