"""The book that the chaos harness keeps: what was due, what came, what was written, what went wrong.

In: every request and each step of its life, every mail as it arrived, every write of a ledger, every fault.
Out: a verdict per (request, recipient): which messages are lost, which came twice and whether a fault excuses
that, which came out of order. It knows the project's rules only as its users do: by the kinds in the
Message-IDs and by the marks in the ledgers.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from teleport_email.core.audits import owner_id
from teleport_email.core.ledger import ANNOUNCEMENTS, LEDGER_KEY, Ledger, Mark, Round
from teleport_email.core.ledger_json import loads
from teleport_email.core.model import Kind, Topic
from teleport_email.sandbox.mail.mailbox import ReceivedMail

REFUSED = "gone@example.com"
"""The recipient whom every server refuses for good."""
BARRED = "barred@example.com"
"""The recipient whom every server refuses for ever, by a reply that may mean us: nobody may give him up."""
MOODY = "moody@example.com"
"""The recipient whom they refuse for good at times, and take at others."""

LEAD = "lead@example.com"
"""The recipient to whom requests are escalated, where the daemons do that."""

SLACK = 0.5
"""Seconds by which the harness may note a fault later than it struck."""


@dataclass
class Life:
    """One request, as the harness made it."""

    id: str
    recipients: tuple[str, ...]
    made: float
    reviews: int = 0
    states: list[str] = field(default_factory=list)
    """Codes of the states it was resolved to, in order: A, D, P."""
    gone: bool = False
    unseen: bool = False
    """It was removed without waiting for anybody to be told."""
    busy: bool = True
    """More is going to happen to it."""
    escalates: bool = False
    """Whether nobody's decision brings it to :data:`LEAD`."""


@dataclass(frozen=True)
class Arrival:
    """One mail that a server took."""

    at: float
    recipient: str
    code: str
    message_id: str
    raw: bytes = field(repr=False)
    acknowledged: bool
    slot: str
    """Which daemon held the claim then."""
    round: Round | None = None
    """Of a reminder: what its ledger said then that it tells."""


@dataclass
class Verdict:
    """What the book says of a run."""

    due: int = 0
    delivered: int = 0
    refused: int = 0
    barred: int = 0
    """Threads of which nothing could come, and nothing was given up."""
    untold: int = 0
    """Threads of requests that were made and removed unseen."""
    lost: list[str] = field(default_factory=list)
    twins: Counter[str] = field(default_factory=Counter)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether the promise was kept."""
        return not (self.lost or self.doubled or self.disordered or self.unsettled)


class Book:
    """All that happened. Times are readings of ``time.monotonic``."""

    def __init__(self, *, mixed: bool = False, choices: frozenset[str] = frozenset()) -> None:
        """``mixed``: versions of the program run beside each other, which may differ in the header.
        ``choices``: which options for fewer messages are on.
        """
        self._mixed = mixed
        self._choices = choices
        self.lives: dict[str, Life] = {}
        self.arrivals: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
        self._cuts: list[float] = []
        self.mails = 0
        self.counts: Counter[str] = Counter()
        """Faults by name, for the table."""
        self.record_times: list[float] = []
        """Seconds from a mail's acceptance to the confirmed record of it."""
        self._owners: dict[str, list[tuple[float, str, str]]] = defaultdict(list)
        self._faults: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self._recorded: set[tuple[str, str, str]] = set()
        self._ledgers: dict[str, Ledger] = {}

    # Writing ------------------------------------------------------------------------------------------

    def mail(self, mail: ReceivedMail) -> None:
        """A server took a mail."""
        self.mails += 1
        request_id = mail.subject.rpartition(" ")[2]
        code = mail.message_id.partition(".")[0]
        told: Round | None = None
        if code.startswith(Topic.AUDIT.value):
            request_id = owner_id(mail.to)
            ledger = self._ledgers.get(request_id)
            told = ledger.round_of(Kind.parse(code)) if ledger else None
        owners = self._owners[request_id]
        slot = owners[-1][2] if owners else ""
        self.arrivals[request_id, mail.to].append(
            Arrival(time.monotonic(), mail.to, code, mail.message_id, mail.raw, mail.acknowledged, slot, told)
        )

    def written(self, request_id: str, slot: str, changes: Mapping[str, str]) -> None:
        """A write to plugin data was applied."""
        text = changes.get(LEDGER_KEY)
        if text is None:
            return
        now = time.monotonic()
        self._ledgers[request_id] = ledger = loads(text)
        owners = self._owners[request_id]
        if ledger.owner and (not owners or owners[-1][1] != ledger.owner):
            owners.append((now, ledger.owner, slot))
        elif not ledger.owner and owners and owners[-1][1]:
            owners.append((now, "", owners[-1][2]))
        for party in ledger.parties:
            for kind, entry in party.entries.items():
                key = (request_id, party.address, kind.code)
                if entry.mark is Mark.DELIVERED and key not in self._recorded:
                    self._recorded.add(key)
                    self._note_record(key, now)

    def _note_record(self, key: tuple[str, str, str], now: float) -> None:
        request_id, address, code = key
        first = next((mail for mail in self.arrivals[request_id, address] if mail.code == code), None)
        if first is not None:
            self.record_times.append(now - first.at)

    def fault(self, concerns: str, name: str) -> None:
        """Something went wrong for a request (its id), for a daemon (its slot) or for all (``*``)."""
        self.counts[name] += 1
        self._faults[concerns].append((time.monotonic(), name))

    def cut(self) -> None:
        """All connections to the mail server are cut: what it said last may have been heard by nobody."""
        self._cuts.append(time.monotonic())

    # Reading ------------------------------------------------------------------------------------------

    def codes(self, request_id: str, recipient: str) -> list[str]:
        """The kinds that came to a recipient, each once, in the order of their first arrival."""
        return list(dict.fromkeys(mail.code for mail in self.arrivals[request_id, recipient]))

    def told(self, life: Life) -> bool:
        """Whether everybody has everything that is due so far."""
        return all(not self._missing(life, recipient) for recipient in life.recipients)

    def passed(self, life: Life, recipient: str) -> set[str]:
        """The reviews that its last ledger says are not told to somebody by themselves."""
        ledger = self._ledgers.get(life.id)
        party = ledger.party(recipient) if ledger and self._choices else None
        entries = party.entries if party is not None else {}
        return {kind.code for kind, entry in entries.items() if entry.mark is Mark.PASSED}

    def ledger(self, resource: str) -> Ledger | None:
        """The last that was written."""
        return self._ledgers.get(resource)

    def open(self) -> Iterator[str]:
        """What is still to come, for waiting and for error messages."""
        for life in self.lives.values():
            for recipient in (*life.recipients, LEAD):
                yield from (f"{life.id} {recipient}: {code}" for code in self._missing(life, recipient))
            yield from (f"{life.id}: {what}" for what in self._unsettled(life))

    def verdict(self) -> Verdict:
        """The whole account."""
        verdict = Verdict()
        for life in self.lives.values():
            verdict.unsettled += [f"{life.id}: {what}" for what in self._unsettled(life)]
            for recipient in (*life.recipients, *([LEAD] if life.escalates else [])):
                self._judge(life, recipient, verdict)
        known = {(life.id, recipient) for life in self.lives.values() for recipient in life.recipients}
        known |= {(life.id, LEAD) for life in self.lives.values() if life.escalates}
        for (request_id, recipient), mails in self.arrivals.items():
            of_lists = request_id == owner_id(recipient)
            if mails and not of_lists and (request_id, recipient) not in known:
                verdict.doubled.append(
                    f"{request_id} {recipient}: nobody to be told, yet {len(mails)} mails came"
                )
        return verdict

    def window(self) -> str:
        """How long acceptances stood unrecorded."""
        times = sorted(self.record_times)
        if not times:
            return "none"
        middle, late = statistics.median(times), times[int(len(times) * 0.99)]
        return f"median {middle * 1000:.1f} ms, 99 % within {late * 1000:.0f} ms ({len(times)} messages)"

    # Judging ------------------------------------------------------------------------------------------

    def _escalated(self, life: Life) -> list[list[str]]:
        """The sequences that a thread may consist of which begins when nobody has decided."""
        passed = self.passed(life, LEAD)
        rows = []
        for covered in range(life.reviews + 1):
            reviews = [f"r{number}" for number in range(covered + 1, life.reviews + 1)]
            begun = [f"e{covered or ''}", *(code for code in reviews if code not in passed)]
            rows += [[*begun, *ends] for ends in self._ends(life)]
        return rows

    def _ends(self, life: Life) -> list[list[str]]:
        """How it ended; a state that was over before anybody looked may be left out."""
        if not life.states:
            return [["X"] if life.gone else []]
        return [life.states, life.states[-1:]] if len(life.states) > 1 else [life.states]

    def _allowed(self, life: Life, recipient: str) -> list[list[str]]:
        """The sequences of kinds that a thread may consist of."""
        if recipient == LEAD:
            return self._escalated(life)
        passed = self.passed(life, recipient)
        every = (f"r{number}" for number in range(1, life.reviews + 1))
        reviews = [code for code in every if code not in passed]
        if not life.states:
            return [["a", *reviews, *(["X"] if life.gone else [])]]
        allowed = [["a", *reviews, *life.states]]
        if len(life.states) > 1:  # a state that was over before anybody looked
            allowed.append(["a", *reviews, life.states[-1]])
        for place, state in enumerate(life.states):
            begun = f"a{state}{life.reviews or ''}"
            allowed.append([begun, *life.states[place + 1 :]])
        return allowed

    def _fitting(self, life: Life, recipient: str, codes: list[str]) -> list[str]:
        """Of the sequences that are allowed, the one that misses and adds least."""
        allowed = self._allowed(life, recipient)
        begun = [row for row in allowed if codes and row[0] == codes[0]]
        return min(begun or allowed, key=lambda row: len(set(row) ^ set(codes)))

    def _missing(self, life: Life, recipient: str) -> list[str]:
        if recipient in (REFUSED, BARRED):
            return []
        if recipient == MOODY:
            return self._missing_in_moods(life)
        codes = self._without_reminders(life, recipient)
        if recipient == LEAD and not codes:
            due = life.escalates and not (life.states or life.gone or life.busy or life.unseen)
            return ["e"] if due else []
        if recipient == LEAD and life.unseen:
            return [] if "X" in codes else ["X"]
        if life.unseen:
            return ["X"] if "a" in codes and "X" not in codes else []
        return [code for code in self._fitting(life, recipient, codes) if code not in codes]

    def _without_reminders(self, life: Life, recipient: str) -> list[str]:
        """They may come at any time, or not at all: a run is too short to say when they must."""
        return [code for code in self.codes(life.id, recipient) if not code.startswith("m")]

    def _missing_in_moods(self, life: Life) -> list[str]:
        """What neither came nor was given up; of announcements, one that told all that there was to tell."""
        codes = self._without_reminders(life, MOODY)
        passed = self.passed(life, MOODY)
        ledger = self._ledgers.get(life.id)
        party = ledger.party(MOODY) if ledger else None
        if party is None:
            return [] if life.unseen else ["a"]
        given_up = {kind.code for kind, entry in party.entries.items() if entry.mark is Mark.GIVEN_UP}
        kinds = [Kind.parse(code) for code in codes]
        begun = [kind for kind in kinds if kind.topic in ANNOUNCEMENTS]
        if not begun:
            last = party.announcement
            moment = f"a{life.states[-1]}" if life.states else "a"
            tried = last is not None and last.code in given_up and last.topic.value == moment
            tried = tried and last is not None and last.covers >= life.reviews
            return [] if tried or life.gone else ["a"]
        # An announcement that came, its answer lost, may have been refused at the next try: then it
        # is given up, and the later ones that take its place with it; once all is over, none does.
        tells = [begun[-1], *(kind for kind in map(Kind.parse, given_up) if kind.topic in ANNOUNCEMENTS)]
        covered = max(kind.covers for kind in tells)
        due = [] if life.unseen else [f"r{n}" for n in range(covered + 1, life.reviews + 1)]
        if life.gone and not life.states:
            stands = party.announcement
            due += ["X"] if stands is not None and stands.code not in given_up else []
        elif not any(kind.topic.value[1:] in life.states[-1:] for kind in tells):
            due += life.states[-1:]
        return [code for code in due if code not in codes and code not in given_up | passed]

    def _noted(self, life: Life, recipient: str) -> str:
        """What the last ledger says of somebody, for error messages."""
        ledger = self._ledgers.get(life.id)
        party = ledger.party(recipient) if ledger else None
        entries = party.entries if party is not None else {}
        return (
            " ".join(f"{kind.code}:{entry.mark.name.lower()}" for kind, entry in entries.items()) or "nothing"
        )

    def _judge(self, life: Life, recipient: str, verdict: Verdict) -> None:
        codes = self._without_reminders(life, recipient)
        name = f"{life.id} {recipient}"
        if recipient in (REFUSED, BARRED):
            verdict.refused += recipient == REFUSED
            verdict.barred += recipient == BARRED
            return
        missing = self._missing(life, recipient)
        verdict.lost += [
            f"{name}: {code}; its ledger says {self._noted(life, recipient)}" for code in missing
        ]
        free = life.unseen or recipient == MOODY
        free |= recipient == LEAD and not codes
        verdict.due += len(codes) + len(missing) if free else len(self._fitting(life, recipient, codes))
        verdict.delivered += len(codes)
        verdict.untold += life.unseen and not codes
        whole = self._fitting(life, recipient, codes) if codes else []
        if recipient != MOODY and [code for code in whole if code in codes] != codes:
            verdict.disordered.append(f"{name}: {' '.join(codes)} in place of {' '.join(whole)}")
        by_code: dict[str, list[Arrival]] = defaultdict(list)
        for mail in self.arrivals[life.id, recipient]:
            by_code[mail.code].append(mail)
        for copies in by_code.values():
            for earlier, later in itertools.pairwise(copies):
                self.compare(life.id, recipient, earlier, later, verdict)

    def compare(
        self, resource: str, recipient: str, earlier: Arrival, later: Arrival, verdict: Verdict
    ) -> None:
        """Judge the same message, come twice."""
        name, code = f"{resource} {recipient}", earlier.code
        if (earlier.message_id, self._bytes(earlier)) != (later.message_id, self._bytes(later)):
            verdict.doubled.append(f"{name}: two different messages {code}")
        elif excuse := self._excuse(resource, earlier, later):
            verdict.twins[excuse] += 1
        else:
            gap = later.at - earlier.at
            verdict.doubled.append(f"{name}: {code} came again after {gap:.1f} s without a fault")

    def _bytes(self, mail: Arrival) -> bytes:
        """What must be the same in a twin: all of it, or between versions what was frozen."""
        return mail.raw.partition(b"\r\n\r\n")[2] if self._mixed else mail.raw

    def _excuse(self, request_id: str, earlier: Arrival, later: Arrival) -> str:
        """Why the same message came again; empty when nothing excuses it."""
        cut = any(earlier.at <= at <= earlier.at + SLACK for at in self._cuts)
        if cut or not earlier.acknowledged:
            return "the server's answer was lost"
        between = (earlier.at - SLACK, later.at)
        for concerns, why in (
            (earlier.slot, "the daemon was killed before its record"),
            (request_id, "the answer to a record was lost"),
            ("*", "the cluster was out of reach"),
        ):
            if any(between[0] <= at <= between[1] for at, _ in self._faults[concerns]):
                return why
        owners = [owner for at, owner, _ in self._owners[request_id] if at <= later.at]
        since = [owner for at, owner, _ in self._owners[request_id] if between[0] <= at <= later.at]
        if "" not in since and len(owners) > 1 and since:
            return "its holder was silent for a whole lease"
        return ""

    def _unsettled(self, life: Life) -> Iterable[str]:
        """What the last ledger of a request says against its being finished."""
        ledger = self._ledgers.get(life.id)
        if ledger is None:
            return [] if life.unseen else ["no ledger"]
        # A claim of a killed daemon is taken over when something may be sent: of him that is rarely tried.
        found = ["claimed"] if ledger.owner and BARRED not in life.recipients else []
        for party in ledger.parties:
            for kind, entry in party.entries.items():
                came = kind.code in self.codes(life.id, party.address)
                if entry.mark is Mark.ATTEMPTED and party.address != BARRED:
                    found.append(f"{party.address} {kind.code} attempted and left")
                elif entry.mark is Mark.PASSED and (came or not self._choices):
                    found.append(f"{party.address} {kind.code} passed, yet it came, or nobody chose so")
                elif entry.mark is Mark.DELIVERED and not came:
                    found.append(f"{party.address} {kind.code} recorded, yet it never came")
                elif entry.mark is Mark.GIVEN_UP and party.address not in (REFUSED, MOODY):
                    found.append(f"{party.address} {kind.code} given up: {entry.note}")
        return found
