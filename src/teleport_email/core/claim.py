"""One process's hold on one ledger, from the claim to the release. Pure: values in, values out.

The order is always claim, send, record, each a compare-and-swap. A :class:`Claim` says which write comes
next, which messages may be sent after it, and what an answer, or the lack of one, means. The shell
(``reconcile``) does the I/O; the exhaustive model in ``tests/model`` drives the very same code.

- No message is begun unless a confirmed write of ours marked it as attempted and fixed its content.
- A compare that failed, or a write without an answer, is never repeated blindly: read, and see who owns
  the ledger. The write id tells which of several attempts was applied, and only that one resets the
  lease's age, which counts from *issuing* it.
- Whoever is no longer the owner writes only facts (delivered, given up) and leaves the claim alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from teleport_email.core import decide, go_plugin, informing, reminding
from teleport_email.core.decide import Audience, Due, Plan, Policy, View
from teleport_email.core.errors import LedgerUnreadable
from teleport_email.core.frozen import freeze, thaw
from teleport_email.core.go_plugin import Write
from teleport_email.core.informing import Wait
from teleport_email.core.ledger import ANNOUNCEMENTS, Entry, Ledger, Mark, Party
from teleport_email.core.model import (
    AccountFault,
    Content,
    Declined,
    Delivered,
    Kind,
    Mail,
    Refused,
    SendOutcome,
    Temporary,
    replace,
)

LEASE = 30.0
"""Seconds after which another process may take over a claim that shows no life."""
RENEW_AFTER = 8.0
"""Seconds between renewals: three fit into the time in which messages may be begun, if one fails."""
BEGIN_UNTIL = 15.0
"""Seconds of the lease's age up to which a message may be begun: half the lease, against slow servers."""
FINISH_UNTIL = 20.0
"""Seconds of the lease's age up to which the final dot may be sent, where the library lets us check."""
MAX_NOTE = 200
"""Characters of a server's answer that are kept in the ledger."""

Render = Callable[[Kind, View, Ledger], Content]


class Attempt(Struct, frozen=True):
    """A write that was issued: what the ledger is if it was applied, and what may be sent then."""

    write: Write
    issued: float
    """Clock reading when it was issued, seconds."""
    start: tuple[Due, ...] = ()
    fresh: frozenset[Due] = frozenset()
    """Of ``start``, those whose mark this write sets: no earlier attempt of them is open."""
    facts: Mapping[Due, Entry | None] = field(default_factory=dict)
    """Facts that are recorded once it was applied."""

    @property
    def write_id(self) -> str:
        """The id by which a later reading recognises it."""
        return self.write.ledger.write_id


class Claim(Struct, frozen=True):
    """What this process knows and may do about one ledger: of a request, or of reminders."""

    request_id: str
    owner: str
    """This process: random per process."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Plugin data as last read or written."""
    ledger: Ledger = field(default_factory=Ledger)
    """The ledger in ``data``, with the Go plugin's doings taken in."""
    holding: bool = False
    confirmed: float = 0.0
    """Clock reading at which the last confirmed write was issued."""
    attempts: tuple[Attempt, ...] = ()
    """Writes without an answer, oldest first."""
    ready: tuple[Due, ...] = ()
    """Marked by a confirmed write and not begun yet."""
    in_flight: frozenset[Due] = frozenset()
    fresh: frozenset[Due] = frozenset()
    """Marked by this hold, and no attempt ended unknown: a definite refusal clears the mark."""
    deferred: frozenset[Due] = frozenset()
    """Failed for now: not tried again within this hold."""
    facts: Mapping[Due, Entry | None] = field(default_factory=dict)
    """What became known and is not recorded yet; None clears a mark."""
    waits: Mapping[tuple[str, bool], Wait] = field(default_factory=dict)
    """By party, why its last try failed: written along with what is written anyhow, never for itself."""

    # Reading ------------------------------------------------------------------------------------------

    def read(self, data: Mapping[str, str]) -> Claim:
        """Take in plugin data read after the last issued write came to an end (or before the first).

        Raises :class:`~teleport_email.core.errors.LedgerUnreadable`.
        """
        ledger = go_plugin.read(data, reviews=0)  # those are taken in with the request, which bounds them
        applied = next((attempt for attempt in self.attempts if attempt.write_id == ledger.write_id), None)
        mine = ledger.owner == self.owner
        claim = replace(self, data=dict(data), ledger=ledger, attempts=())
        if not mine:
            return replace(claim, holding=False, ready=())
        if applied is not None:
            return _applied(claim, applied)
        return claim

    @property
    def held_by_other(self) -> bool:
        """Whether another process has the claim."""
        return bool(self.ledger.owner) and self.ledger.owner != self.owner

    @property
    def rival(self) -> tuple[str, ...]:
        """Who else is at this request, in words that stay the same while they show no life; empty: nobody.

        Another process by its claim; the Go plugin by the values with which it seems about to announce.
        """
        if self.held_by_other:
            return (self.ledger.owner, self.ledger.write_id)
        if not self.ledger.exists and go_plugin.is_claiming(self.data):
            return ("go", *go_plugin.go_values(self.data).values())
        return ()

    @property
    def is_left_behind(self) -> bool:
        """Whether the ledger names this process as owner, though no hold of it is at work."""
        return self.ledger.owner == self.owner and not self.holding

    def age(self, now: float) -> float:
        """Seconds since the last confirmed write was issued; infinite without the claim."""
        return now - self.confirmed if self.holding else float("inf")

    # Writing ------------------------------------------------------------------------------------------

    def plan(self, view: View, audience: Audience, policy: Policy, wall: datetime) -> Plan:
        """What is due, all facts counted."""
        ledger = self._seen(view, self.facts)
        if isinstance(view, reminding.ReminderView):
            return reminding.decide(view, ledger, wall)
        return decide.decide(view, ledger, audience, policy, wall)

    def next_write(
        self,
        view: View,
        plan: Plan,
        *,
        write_id: str,
        nonce: str,
        domain: str,
        now: float,
        room: int,
        render: Render | None,
    ) -> Attempt | None:
        """The next write as owner, or None when nothing needs one.

        ``plan`` comes from :meth:`plan`; ``render`` may be None where it freezes nothing. ``room``: how
        many messages more may be in flight; 0 when winding down. ``write_id`` and ``nonce`` are random
        and new for each call. With nothing left to do, or reviews to pass alone, the write leaves no claim.
        """
        passes = plan.passes if room > 0 else ()
        begun = {*self.in_flight, *self.deferred, *self.ready}
        start = [due for due in plan.next if due not in begun][: max(0, room)]
        if not start and not passes and not self.holding:
            return None
        idle = not start and not self.in_flight and not self.ready
        is_due = self.age(now) >= RENEW_AFTER
        if not start and not idle and not self.facts and not is_due:
            return None
        ledger = self._seen(view, self.facts)
        if room > 0:
            if not ledger.exists:
                expires = view.request.expires
                until = max(0, int(expires.timestamp())) if expires else 0
                ledger = replace(ledger, nonce=nonce, domain=domain, expires=until)
            ledger = ledger.replace_party(*plan.add)
            if render is not None:
                for kind in (*(() if self.holding else plan.renew), *plan.freeze):
                    ledger = ledger.with_round(plan.round) if plan.round else ledger
                    ledger = _freeze(ledger, kind, render(kind, view, ledger))
            ledger = ledger.passed(passes)
        fresh = set()
        parties = {party.key: party for party in ledger.parties}
        for due in start:
            party = parties.get(due.party)
            if party is not None and party.mark(due.kind) is None:
                fresh.add(due)
                parties[due.party] = party.with_entry(due.kind, Entry(Mark.ATTEMPTED, turn=due.turn))
        for key, wait in self.waits.items():
            if key in parties:
                info = informing.with_waiting(parties[key].info, wait)
                parties[key] = replace(parties[key], info=info)
        ledger = ledger.keep_blobs(plan.owed)
        ledger = replace(
            ledger,
            parties=tuple(parties.values()),
            owner="" if idle else self.owner,
            write_id=write_id,
        )
        return Attempt(
            go_plugin.write(ledger, self.data, view.request),
            now,
            tuple(start),
            frozenset(fresh),
            dict(self.facts),
        )

    def facts_write(self, view: View) -> Write | None:
        """The write of what became known, by somebody who does not hold the claim; None: nothing.

        Marks are not cleared here: only the holder may say that an attempt did not happen. A claim of this
        very process, left behind by a hold that could not release it, is given up: nobody works on it.
        """
        facts = {due: entry for due, entry in self.facts.items() if entry is not None}
        ledger = self._known(facts)
        if self.is_left_behind:
            ledger = replace(ledger, owner="")
        if ledger == self.ledger or not ledger.exists:
            return None
        ledger = go_plugin.with_reviews(ledger, self.data, len(view.request.reviews))
        return go_plugin.write(ledger, self.data, view.request)

    def issued(self, attempt: Attempt) -> Claim:
        """The write is on its way."""
        return replace(self, attempts=(*self.attempts, attempt))

    def written(self, attempt: Attempt) -> Claim:
        """The write was confirmed."""
        claim = replace(self, data=attempt.write.after, ledger=attempt.write.ledger, attempts=())
        return _applied(claim, attempt)

    def facts_written(self, write: Write) -> Claim:
        """The facts were recorded, without the claim."""
        return replace(self, data=write.after, ledger=write.ledger, facts={})

    # Sending ------------------------------------------------------------------------------------------

    def begin(self) -> tuple[tuple[Due, ...], Claim]:
        """The messages that may be sent now, and the claim with them in flight."""
        return self.ready, replace(self, ready=(), in_flight=self.in_flight | frozenset(self.ready))

    def mails(self, dues: Collection[Due]) -> dict[Due, Mail]:
        """What :meth:`begin` says may be sent, as it is to be sent. Raises ``LedgerUnreadable``."""
        ledger = self.ledger
        # Unpacked once for all its recipients; what they share is then also written as bytes only once.
        contents = self.contents({due.kind for due in dues})
        mails = {}
        for due in dues:
            party = ledger.party(due.address, requester=due.requester)
            if party is None:
                raise AssertionError(f"{due} is marked, yet its party is not in the ledger")
            mails[due] = Mail(
                recipient=party.recipient,
                message_id=ledger.message_id(self.request_id, party, due.kind),
                thread_root=ledger.thread_root(self.request_id, party, due.kind),
                content=informing.in_thread(ledger.info, contents[due.kind], party.root),
                announces=due.kind.topic in ANNOUNCEMENTS,
            )
        return mails

    def contents(self, kinds: Iterable[Kind]) -> dict[Kind, Content]:
        """What is frozen of these kinds. Raises :class:`~teleport_email.core.errors.LedgerUnreadable`."""
        return {kind: thaw(self.ledger.blob(kind)) for kind in kinds if self.ledger.blob(kind)}

    def put_off(self, dues: Iterable[Due]) -> Claim:
        """Not to be begun within this hold: these recipients wait after a refusal."""
        return replace(self, deferred=self.deferred | frozenset(dues))

    def finish(self, due: Due, outcome: SendOutcome, at: int) -> Claim:
        """An attempt has ended. ``at``: Unix time."""
        facts, waits = dict(self.facts), dict(self.waits)
        fresh, deferred = self.fresh, self.deferred
        match outcome:
            case Delivered() | Refused():
                waits.pop(due.party, None)
            case Temporary(reason=reason) | AccountFault(reason) | Declined(reason, tried=True):
                waits[due.party] = self._wait(due, reason, at)
        match outcome:
            case Delivered():
                facts[due] = Entry(Mark.DELIVERED, at, turn=due.turn)
            case Refused(reason):
                facts[due] = Entry(Mark.GIVEN_UP, at, reason[:MAX_NOTE], due.turn)
            case Temporary(maybe_accepted=True):
                fresh, deferred = fresh - {due}, deferred | {due}
            case _:
                deferred |= {due}
                if due in fresh and self.holding:
                    facts[due] = None
                    fresh -= {due}
        return replace(
            self,
            in_flight=self.in_flight - {due},
            fresh=fresh,
            deferred=deferred,
            facts=facts,
            waits=waits,
        )

    def _wait(self, due: Due, reason: str, at: int) -> Wait:
        """One failed try more."""
        party = self.ledger.party(due.address, requester=due.requester)
        before = self.waits.get(due.party) or (informing.waiting(party.info) if party else None)
        since, tries = (min(before.since, at), before.tries) if before else (at, 0)
        return Wait(since, at, tries + 1, reason[:MAX_NOTE])

    def _seen(self, view: View, facts: Mapping[Due, Entry | None]) -> Ledger:
        """What is known, with the reviews that the Go plugin told of those that the request has."""
        return go_plugin.with_reviews(self._known(facts), self.data, len(view.request.reviews))

    def _known(self, facts: Mapping[Due, Entry | None]) -> Ledger:
        """The ledger with facts taken in: progress only grows, but for marks cleared by their maker.

        Of what was brought back since, only a delivery counts: a late "given up" is of the time before.
        """
        parties = {party.key: party for party in self.ledger.parties}
        for due, entry in facts.items():
            party = parties.get(due.party)
            if party is None:
                continue
            old = party.entries.get(due.kind)
            if _is_outdated(party, due) and (entry is None or entry.mark is not Mark.DELIVERED):
                continue
            if entry is None:
                if old is not None and old.mark is Mark.ATTEMPTED and self.holding:
                    parties[due.party] = party.with_entry(due.kind, None)
            elif old is None or (old.mark, entry.mark) in _GROWS:
                info = informing.with_waiting(party.info, None)
                party = party if info == party.info else replace(party, info=info)
                parties[due.party] = party.with_entry(due.kind, entry)
        known = tuple(parties.values())
        return self.ledger if known == self.ledger.parties else replace(self.ledger, parties=known)


_GROWS = {
    (Mark.ATTEMPTED, Mark.DELIVERED),
    (Mark.ATTEMPTED, Mark.GIVEN_UP),
    (Mark.GIVEN_UP, Mark.DELIVERED),
}
"""Delivered is final: a twin that is refused takes nothing back from whoever has the first one."""


def _freeze(ledger: Ledger, kind: Kind, content: Content) -> Ledger:
    """The ledger with the content fixed. Its Date is later than that of all before: mail readers sort a
    thread by it, and a review shares its second with the resolution that it causes."""
    last = informing.last_date(ledger.info) or _latest_date(ledger)
    if last is not None:
        content = replace(content, date=max(content.date, last + timedelta(seconds=1)))
    ledger = ledger.keep_blobs(ledger.contents - {kind}).freeze(kind, freeze(content))
    info = informing.with_subjects(ledger.info, content.subject, content.plain_subject)
    return replace(ledger, info=informing.with_last_date(info, content.date))


def _latest_date(ledger: Ledger) -> datetime | None:
    """Of the contents that are still there: an older program does not keep the Date for itself."""
    try:
        return max((thaw(item.blob).date for item in ledger.frozen if item.blob), default=None)
    except LedgerUnreadable:
        return None


def _applied(claim: Claim, attempt: Attempt) -> Claim:
    left = {
        due: entry
        for due, entry in claim.facts.items()
        if due not in attempt.facts or attempt.facts[due] != entry
    }
    return replace(
        claim,
        holding=attempt.write.ledger.owner == claim.owner,
        confirmed=max(attempt.issued, claim.confirmed),
        ready=(*claim.ready, *(due for due in attempt.start if _is_open(claim.ledger, due))),
        fresh=claim.fresh | attempt.fresh,
        facts=left,
    )


def _is_open(ledger: Ledger, due: Due) -> bool:
    """Whether the message still waits; somebody else's facts may say that it was delivered meanwhile."""
    party = ledger.party(due.address, requester=due.requester)
    return party is not None and party.mark(due.kind) is Mark.ATTEMPTED and not _is_outdated(party, due)


def _is_outdated(party: Party, due: Due) -> bool:
    """Whether the message was given up and brought back since."""
    return due.turn != party.turn_of(due.kind)
