"""What was told to whom about one request, kept in the plugin data of the cluster. Pure.

The values, and what can be asked of them. How they are written: :mod:`ledger_json`; what a message says:
:mod:`frozen`. Never: I/O, a clock, randomness.

The map has eight keys: the seven of the Go plugin, written so that it can carry on where we stop, and
ours, ``ledger``, one compact JSON value. Other keys are left alone. Every write names all eight as they
were read (the compare), so that a Go plugin at work makes us lose the compare, and we it.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field

from teleport_email.core import informing
from teleport_email.core.addresses import one_form
from teleport_email.core.informing import Info
from teleport_email.core.model import Kind, RequestState, Review, Topic, hiding, replace

LEDGER_KEY = "ledger"
GO_KEYS = (
    "user",
    "roles",
    "request_reason",
    "reviews_count",
    "resolution",
    "resolve_reason",
    "email_threads",
)
"""The Go plugin's keys, of which its compare names exactly these."""
ALL_KEYS = (*GO_KEYS, LEDGER_KEY)

MAX_MESSAGE_ID = 70
"""Longer ids are folded or encoded by some libraries and clients, which breaks threads."""

ANNOUNCEMENTS = frozenset(
    {
        Topic.ANNOUNCEMENT,
        Topic.ESCALATION,
        Topic.ANNOUNCED_APPROVED,
        Topic.ANNOUNCED_DENIED,
        Topic.ANNOUNCED_PROMOTED,
    }
)
"""Topics that begin a reviewer's thread."""
RESOLUTIONS = {
    Topic.APPROVED: RequestState.APPROVED,
    Topic.DENIED: RequestState.DENIED,
    Topic.PROMOTED: RequestState.PROMOTED,
    Topic.EXPIRED: RequestState.GONE,
}
ANNOUNCED_STATES = {
    Topic.ANNOUNCED_APPROVED: RequestState.APPROVED,
    Topic.ANNOUNCED_DENIED: RequestState.DENIED,
    Topic.ANNOUNCED_PROMOTED: RequestState.PROMOTED,
}
REQUESTER_STATES = {
    Topic.REQUESTER_APPROVED: RequestState.APPROVED,
    Topic.REQUESTER_DENIED: RequestState.DENIED,
    Topic.REQUESTER_PROMOTED: RequestState.PROMOTED,
    Topic.REQUESTER_EXPIRED: RequestState.GONE,
}
RESOLUTION_TOPICS = {state: topic for topic, state in RESOLUTIONS.items()}
ANNOUNCED_TOPICS = {state: topic for topic, state in ANNOUNCED_STATES.items()}
TELLS_STATE = {**RESOLUTIONS, **ANNOUNCED_STATES, **REQUESTER_STATES}
"""The state of the request that a message of the topic tells; freezing one moves the ledger there."""


class Mark(enum.IntEnum):
    """How far a message to one recipient has come. Absent means due and never attempted."""

    ATTEMPTED = 1
    """Perhaps sent: it stays due until one of the others."""
    DELIVERED = 2
    GIVEN_UP = 3
    PASSED = 4
    """Never to be sent: the configuration of that moment wanted no message of its own for it."""


QUIET, MERGED, OWN = "q", "m", "o"
"""Notes of what was passed: by ``quiet_reviews``, ``merge_deciding_review``, ``skip_own_review``."""


class Entry(Struct, frozen=True):
    """One recipient's mark for one kind."""

    mark: Mark
    at: int = 0
    """Unix time of delivery or giving up; 0 where unknown."""
    note: str = ""
    """Why it was given up or passed, or ``go`` where the Go plugin told it."""
    turn: int = 0
    """The party's :attr:`Party.turn` when it was attempted first: part of the Message-ID."""


class Party(Struct, frozen=True):
    """Somebody who is told: a reviewer, or the requester in a thread of their own."""

    address: str
    requester: bool = False
    root: str = ""
    """Thread root where the Go plugin began the thread; else the request's own."""
    entries: Mapping[Kind, Entry] = field(default_factory=dict)
    info: Info = field(default_factory=dict)
    """What only informs: see :mod:`informing`."""
    turn: int = 0
    """How often ``teleport-email retry`` has brought back what was given up."""
    escalated: bool = False
    """Told only once nobody had decided for a while."""
    names: tuple[str, ...] = ()
    """User names for which the address was looked up, kept where an option needs them."""

    @property
    def recipient(self) -> str:
        """The address as it was written, as the Go plugin has it; if any server takes it so."""
        written = informing.spelling(self.info)
        return written if written.isascii() and written else self.address

    @property
    def key(self) -> tuple[str, bool]:
        """Identity within a ledger: a requester may be a reviewer too, in another thread."""
        return (self.address, self.requester)

    def wrote(self, review: Review) -> bool:
        """Whether the recipient is the review's author: the two are the same text, or the address was looked
        up for that user name when the request was announced. That an address is a user's is never guessed.
        """
        if self.requester or not review.author:
            return False
        known = (self.address, informing.spelling(self.info), *self.names)
        return review.author in known or one_form(review.author) == one_form(self.address)

    def mark(self, kind: Kind) -> Mark | None:
        """The mark of ``kind``, or None where it was never attempted."""
        entry = self.entries.get(kind)
        return entry.mark if entry else None

    def turn_of(self, kind: Kind) -> int:
        """The turn in which ``kind`` was attempted first, or would be now."""
        entry = self.entries.get(kind)
        return entry.turn if entry else self.turn

    @property
    def announcement(self) -> Kind | None:
        """The message that began (or begins) this reviewer's thread, once attempted.

        Where several were, since one was refused: what may still arrive, else what did, else the latest.
        """
        begun = [kind for kind in self.entries if kind.topic in ANNOUNCEMENTS]
        if not begun:
            return None
        best = {self.entries[kind].mark: kind for kind in reversed(begun)}
        return best.get(Mark.ATTEMPTED) or best.get(Mark.DELIVERED) or best.get(Mark.GIVEN_UP)

    def with_entry(self, kind: Kind, entry: Entry | None) -> Party:
        """The party with the mark set, or cleared with None."""
        entries = dict(self.entries)
        if entry is None:
            entries.pop(kind, None)
        elif kind.topic in ANNOUNCEMENTS and kind not in entries:
            # The latest in front: older programs take the first for the one that began the thread.
            entries = {kind: entry, **entries}
        else:
            entries[kind] = entry
        return replace(self, entries=entries)

    @property
    def given_up(self) -> tuple[Kind, ...]:
        """What was given up, but for announcements that a later one has made good, or may yet."""
        begun = self.announcement
        return tuple(
            kind
            for kind, entry in self.entries.items()
            if entry.mark is Mark.GIVEN_UP and (kind.topic not in ANNOUNCEMENTS or kind == begun)
        )

    def brought_back(self) -> Party:
        """The party with nothing given up any more, so that it is due again; the same where nothing was."""
        if not self.given_up:
            return self
        left = {kind: entry for kind, entry in self.entries.items() if entry.mark is not Mark.GIVEN_UP}
        return replace(self, entries=left, turn=self.turn + 1)


class Frozen(Struct, frozen=True):
    """A kind of message whose content is fixed. ``blob`` is the packed content, empty once all have it."""

    kind: Kind
    blob: str = ""

    __repr__ = hiding("blob")


class Round(Struct, frozen=True):
    """One reminder of reviews of Access Lists that are due: which, and when it was written down."""

    number: int
    """From 1, and only growing: part of the Message-ID."""
    at: int
    """Unix time."""
    day: int
    """The day of the earliest date, in days since 1970 in UTC: whose thread it belongs to."""
    audits: frozenset[str]
    """Their :attr:`~teleport_email.core.audits.Audit.mark`."""

    @property
    def kind(self) -> Kind:
        """Of its message."""
        return Kind(Topic.AUDIT, self.number)


ROUNDS_KEPT = 14 * 86400
"""Seconds after which a round matters no more: the longest step of reminding is a week."""
TOLD = (Mark.DELIVERED, Mark.GIVEN_UP)
"""Marks of a round that count as told in this step."""


class Ledger(Struct, frozen=True):
    """Everything that is kept about one request, or about what somebody was reminded of. The default is the
    ledger that nobody has written yet.
    """

    nonce: str = ""
    """Random, 32 hex digits: keys the Message-IDs, so that nobody can guess them. Empty: never written."""
    domain: str = ""
    """Right side of the Message-IDs."""
    expires: int = 0
    """Unix time at which the request disappears by itself; 0 where unknown."""
    owner: str = ""
    """Process that holds the claim; empty: nobody."""
    write_id: str = ""
    """Unique per attempted write: tells which of several attempts was applied."""
    state: RequestState = RequestState.PENDING
    """The furthest state that any frozen message tells."""
    reviews: int = 0
    """How many reviews the frozen messages tell."""
    frozen: tuple[Frozen, ...] = ()
    parties: tuple[Party, ...] = ()
    shadow: Mapping[str, str] = field(default_factory=dict)
    """The Go plugin's keys as we wrote them last (empty values left out)."""
    info: Info = field(default_factory=dict)
    """What only informs: see :mod:`informing`."""
    rounds: tuple[Round, ...] = ()
    """Of reminders: those that still matter, by number. A request has none."""

    @property
    def exists(self) -> bool:
        """Whether it was ever written."""
        return bool(self.nonce)

    @property
    def told(self) -> tuple[Party, ...]:
        """The reviewers who have the request's announcement, as far as is known."""
        return tuple(
            party
            for party in self.parties
            if not party.requester
            and (begun := party.announcement) is not None
            and party.mark(begun) is not Mark.GIVEN_UP
        )

    def silent(self, reviews: Sequence[Review]) -> tuple[Party, ...]:
        """Of those, who has written none of these reviews."""
        return tuple(party for party in self.told if not any(map(party.wrote, reviews)))

    def blob(self, kind: Kind) -> str:
        """Packed content of ``kind``, or empty."""
        return next((frozen.blob for frozen in self.frozen if frozen.kind == kind), "")

    @property
    def contents(self) -> frozenset[Kind]:
        """Kinds whose content is there."""
        return frozenset(frozen.kind for frozen in self.frozen if frozen.blob)

    def party(self, address: str, *, requester: bool = False) -> Party | None:
        """The party of that address."""
        return next((party for party in self.parties if party.key == (address, requester)), None)

    def replace_party(self, *changed: Party) -> Ledger:
        """The ledger with each of these in the place of the party of the same key, or added."""
        if not changed:
            return self
        parties = {party.key: party for party in (*self.parties, *changed)}
        return replace(self, parties=tuple(parties.values()))

    def brought_back(self, keys: Iterable[tuple[str, bool]]) -> Ledger:
        """The ledger with nothing given up any more for these parties. Whoever holds it goes on with it."""
        wanted = set(keys)
        parties = tuple(party.brought_back() if party.key in wanted else party for party in self.parties)
        return replace(self, parties=parties)

    def passed(self, passes: Collection[tuple[tuple[str, bool], Kind, str]]) -> Ledger:
        """The ledger in which nobody is owed these reviews any more; (party, kind, note) of each."""
        if not passes:
            return self
        parties = {party.key: party for party in self.parties}
        reviews = self.reviews
        for key, kind, note in passes:
            if key in parties and parties[key].mark(kind) is None:
                parties[key] = parties[key].with_entry(kind, Entry(Mark.PASSED, 0, note))
                reviews = max(reviews, kind.number)
        return replace(self, parties=tuple(parties.values()), reviews=reviews)

    def freeze(self, kind: Kind, blob: str) -> Ledger:
        """The ledger with the content of ``kind`` fixed, and its state moved to what the message tells.

        A kind whose content was dropped may be fixed anew: nobody had an open attempt of it.
        """
        if self.blob(kind):
            raise ValueError(f"the content of {kind} is fixed already")
        if any(frozen.kind == kind for frozen in self.frozen):
            frozen = tuple(Frozen(kind, blob) if item.kind == kind else item for item in self.frozen)
        else:
            frozen = (*self.frozen, Frozen(kind, blob))
        told = TELLS_STATE.get(kind.topic)
        state = told if told is not None and told.rank > self.state.rank else self.state
        covers = kind.number if kind.topic is Topic.REVIEW else kind.covers
        return replace(self, frozen=frozen, state=state, reviews=max(self.reviews, covers))

    def keep_blobs(self, owed: Iterable[Kind]) -> Ledger:
        """The ledger without the contents that nobody is owed any more."""
        needed = set(owed)
        frozen = tuple(
            item if item.kind in needed or not item.blob else Frozen(item.kind) for item in self.frozen
        )
        return self if frozen == self.frozen else replace(self, frozen=frozen)

    def round_of(self, kind: Kind) -> Round | None:
        """The round whose message this is."""
        return next((round_ for round_ in self.rounds if round_.kind == kind), None)

    def with_round(self, new: Round) -> Ledger:
        """The ledger with the round added, or in the place of that of its number; without those that matter
        no more: too old, or everybody was told all that is in them again. What was perhaps sent stays.
        """
        before = tuple(old for old in self.rounds if old.number != new.number)
        rounds = (*(old for old in before if old.at > new.at - ROUNDS_KEPT and self._matters(old)), new)
        kinds = {round_.kind for round_ in rounds}

        def stays(kind: Kind) -> bool:
            return kind.topic is not Topic.AUDIT or kind in kinds

        parties = tuple(
            party
            if all(map(stays, party.entries))
            else replace(party, entries={kind: entry for kind, entry in party.entries.items() if stays(kind)})
            for party in self.parties
        )
        frozen = tuple(item for item in self.frozen if stays(item.kind))
        return replace(self, rounds=rounds, parties=parties, frozen=frozen)

    def _matters(self, old: Round) -> bool:
        """Whether somebody may still get it, or was told something by it and not by a later one."""
        for party in self.parties:
            mark = party.mark(old.kind)
            later = (
                one.audits for one in self.rounds if one.number > old.number and party.mark(one.kind) in TOLD
            )
            if mark is Mark.ATTEMPTED or (mark is not None and not old.audits <= frozenset().union(*later)):
                return True
        return False

    def message_id(self, request_id: str, party: Party, kind: Kind) -> str:
        """Message-ID without brackets: the same for every try, another for every recipient and kind.

        What was brought back is another message: mail systems that have seen its id would drop it.
        """
        turn = party.turn_of(kind)
        return self._id(kind.code, request_id, f"{party.address}\n{turn}" if turn else party.address)

    def thread_root(self, request_id: str, party: Party, kind: Kind | None = None) -> str:
        """The id that all messages of the party's thread refer to; of ``kind``, where it has several."""
        if kind is not None and (round_ := self.round_of(kind)) is not None:
            return self._id("tl", request_id, str(round_.day))
        if party.root:
            return party.root
        return self._id("tq" if party.requester else "t", request_id, "")

    def _id(self, code: str, request_id: str, address: str) -> str:
        text = f"{code}\n{request_id}\n{address}".encode("utf-8", "surrogatepass")
        # 96 bits: more than enough against chance, and short enough for the limit of the id's length.
        digest = hmac.digest(bytes.fromhex(self.nonce), text, "sha256").hex()[:24]
        return f"{code}.{digest}@{self.domain}"


def id_domain(sender: str) -> str:
    """Right side for Message-IDs from the sender's address, short enough for :data:`MAX_MESSAGE_ID`."""
    domain = sender.rpartition("@")[2].rstrip(">")
    longest_code = 8  # "aP" and a number of reviews of up to six digits
    while len(domain) > MAX_MESSAGE_ID - longest_code - len(".@") - 24:
        head, dot, rest = domain.partition(".")
        domain = rest if dot else head[:30]
    return domain or "localhost"
