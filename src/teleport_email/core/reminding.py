"""Who is to be reminded of which reviews of Access Lists, and by which message. Pure.

In: the audits that are open and who is reminded of them, their ledger, the time. Out: a
:class:`~teleport_email.core.decide.Plan`. Never: I/O, a clock, a change of the ledger.

A reminder is a *round*: it tells all that is due for somebody, and has a number. An audit is due when its
step (:func:`~teleport_email.core.audits.step_begin`) began after the last round that told it was written
down. What was perhaps sent goes out again as it was, for as long as any of its audits is open; what is known
to have reached nobody is written anew, under the same number, with what is due then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import field

from teleport_email.core import informing
from teleport_email.core.audits import DAY, Audit, next_step, step_begin
from teleport_email.core.decide import Audience, Due, Plan
from teleport_email.core.ledger import TOLD, Ledger, Mark, Party, Round
from teleport_email.core.model import AccessRequest, Kind, Topic
from teleport_email.core.owing import View

PROMPT = 4
"""Reminders within a day that go out as soon as something is due. Dates are mostly those of a few days at
midnight; who owns many lists with times of their own would have a mail for each of them."""
GATHER = timedelta(hours=3)
"""What is due after so many waits until so long after the last: as often as Teleport's own plugin looks."""
AHEAD = DAY
"""How far in the future a round may seem to be: what a clock wrote that was wrong by more would silence an
owner for as long."""


class ReminderView(View, frozen=True):
    """The newest that is known of what one ledger is about: all audits of one owner, or that of one list."""

    recipients: tuple[str, ...] = ()
    """Who is reminded: addresses in the form in which they are compared."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """How an address was written, where that is another form of it."""
    audits: tuple[Audit, ...] = ()
    """Those whose window is open, or opens soon."""


def view_of(
    key: str,
    recipients: Iterable[str],
    audits: Iterable[Audit],
    spelled: Mapping[str, str] | None = None,
) -> ReminderView:
    """What is known of a key. Its request is hollow, so that nothing is written into the Go plugin's keys."""
    return ReminderView(
        AccessRequest(id=key, user=""),
        recipients=tuple(dict.fromkeys(recipients)),
        spelled=spelled or {},
        audits=tuple(audits),
    )


class NoRouting:
    """A router where the view itself says who is told."""

    async def audience(self, request: AccessRequest) -> Audience:
        """Nobody more."""
        return self.escalation(request)

    def escalation(self, request: AccessRequest) -> Audience:  # noqa: ARG002 - as the Protocol has it
        """Nobody more."""
        return Audience()


def audits_of(view: View, ledger: Ledger, kind: Kind) -> tuple[Audit, ...]:
    """Of the audits in view those that a message tells, the earliest date first."""
    told = ledger.round_of(kind)
    if told is None or not isinstance(view, ReminderView):
        return ()
    return tuple(sorted((one for one in view.audits if one.mark in told.audits), key=_by_date))


def _by_date(audit: Audit) -> tuple[datetime, str]:
    return (audit.due, audit.list_name)


def decide(view: ReminderView, ledger: Ledger, now: datetime) -> Plan:
    """Work out what is due. ``now`` is the wall clock, UTC."""
    parties = {party.key: party for party in ledger.parties}
    people = [parties.get((address, False)) or _party(address, view) for address in view.recipients]
    steps = {
        audit.mark: int(at.timestamp()) for audit in view.audits if (at := step_begin(audit, now)) is not None
    }
    wakes = [next_step(audit, now) for audit in view.audits]
    kinds: dict[str, Kind] = {}
    wants: dict[str, frozenset[str]] = {}
    for party in people:
        rounds = _told(ledger, party, now)
        told = {mark: one.at for one in sorted(rounds, key=lambda one: one.at) for mark in one.audits}
        due = frozenset(mark for mark, begun in steps.items() if begun > told.get(mark, -1))
        perhaps = [one for one in _perhaps_sent(ledger, party) if _is_open(one, steps)]
        if perhaps:
            kinds[party.address] = perhaps[0].kind
        elif due and (at := _gathers_until(rounds, now)) is not None:
            wakes.append(at)
        elif due:
            wants[party.address] = due
    last = ledger.rounds[-1] if ledger.rounds else None
    reached = last is not None and any(last.kind in party.entries for party in ledger.parties)
    for party in people:
        due = wants.get(party.address, frozenset())
        joins = due and last is not None and reached and last.kind not in party.entries
        if joins and last is not None and _tells(ledger, last, due, steps):
            kinds[party.address] = last.kind
            del wants[party.address]
    new: Round | None = None
    is_fixed = False
    if wants:
        due = frozenset[str]().union(*wants.values())
        number = last.number if last is not None and not reached else _next_number(ledger)
        date = min(audit.due for audit in view.audits if audit.mark in due)
        new = Round(number, int(now.timestamp()), int(date.timestamp()) // 86400, due)
        is_fixed = last is not None and last.number == number and _tells(ledger, last, due, steps)
        kinds |= dict.fromkeys(wants, new.kind)
    kept = {one.kind for party in ledger.parties for one in _perhaps_sent(ledger, party)}
    return Plan(
        add=tuple(party for party in people if party.address in kinds and party.key not in parties),
        freeze=(new.kind,) if new is not None and not is_fixed else (),
        renew=(new.kind,) if new is not None and is_fixed else (),
        round=new,
        next=tuple(
            Due(party.address, party.requester, kind, party.turn_of(kind))
            for party in people
            if (kind := kinds.get(party.address)) is not None
        ),
        # What was perhaps sent is kept though its lists are gone: they may be back with the next answer.
        owed=frozenset(kinds.values()) | kept,
        wake_at=min(wakes, default=None),
    )


def _party(address: str, view: ReminderView) -> Party:
    return Party(address, info=informing.with_spelling({}, view.spelled.get(address, "")))


def _told(ledger: Ledger, party: Party, now: datetime) -> list[Round]:
    """The rounds that count as told to somebody."""
    latest = (now + AHEAD).timestamp()
    return [one for one in ledger.rounds if party.mark(one.kind) in TOLD and one.at <= latest]


def _gathers_until(told: list[Round], now: datetime) -> datetime | None:
    """Until when what is due waits for more, after many reminders; None: it does not."""
    today = [one.at for one in told if one.at > (now - DAY).timestamp()]
    if len(today) < PROMPT:
        return None
    until = datetime.fromtimestamp(max(today), UTC) + GATHER
    return until if now < until else None


def _perhaps_sent(ledger: Ledger, party: Party) -> list[Round]:
    """The rounds that somebody may have, though nobody heard of it."""
    attempted = [one for one in ledger.rounds if party.mark(one.kind) is Mark.ATTEMPTED]
    return [one for one in attempted if ledger.blob(one.kind)]


def _is_open(one: Round, steps: Mapping[str, int]) -> bool:
    """Whether anything that a round tells is still to be reviewed."""
    return not one.audits.isdisjoint(steps)


def _tells(ledger: Ledger, last: Round, due: frozenset[str], steps: Mapping[str, int]) -> bool:
    """Whether the content of a round, as it is, tells what is due, in this step, and nothing that is over."""
    in_step = all(last.at >= steps[mark] for mark in due)
    return bool(ledger.blob(last.kind)) and in_step and due <= last.audits <= steps.keys()


def _next_number(ledger: Ledger) -> int:
    """One that no message has had: its id would be that of another one."""
    kinds = {kind for party in ledger.parties for kind in party.entries}
    kinds |= {item.kind for item in ledger.frozen} | {one.kind for one in ledger.rounds}
    return 1 + max((kind.number for kind in kinds if kind.topic is Topic.AUDIT), default=0)
