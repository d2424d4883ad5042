"""What is due: from the request as it is known and its ledger, who is owed which message. Pure.

In: a view of the request, its ledger, who would be told of a new one, the policy, the time. Out: a
:class:`Plan`. Never: I/O, a clock, a change of the ledger.

What one party is owed: :mod:`owing`. Here is who is a party, and what follows for the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from teleport_email.core import informing
from teleport_email.core.addresses import one_form
from teleport_email.core.ledger import Ledger, Party, Round
from teleport_email.core.model import Kind, RequestState, Topic
from teleport_email.core.owing import Owing, Policy, View

__all__ = ["Audience", "Due", "Pass", "Plan", "Policy", "View", "decide", "is_ours_to_tell", "not_told"]

Pass = tuple[tuple[str, bool], Kind, str]
"""A party's key, a review that it is not owed, and why (a note of ``ledger``)."""


class Audience(Struct, frozen=True):
    """Who is told of a request that has no ledger yet, and who may have to be told later."""

    reviewers: tuple[str, ...] = ()
    requester: str = ""
    """Address of the requester; empty where they are not to be told."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """How an address was written, where that is another form of it."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Address -> the user names for which it was looked up."""
    escalation: tuple[str, ...] = ()
    """Who is told once nobody has decided for a while: also for a request that has a ledger."""


class Due(Struct, frozen=True):
    """One message that one party is owed."""

    address: str
    requester: bool
    kind: Kind
    turn: int = 0
    """The turn of the attempt: see :attr:`ledger.Party.turn`."""

    @property
    def party(self) -> tuple[str, bool]:
        """Key of the party."""
        return (self.address, self.requester)


class Plan(Struct, frozen=True):
    """What is due now, and what has to be written before it may be sent."""

    add: tuple[Party, ...] = ()
    """Parties to be frozen, because the ledger does not have them yet."""
    freeze: tuple[Kind, ...] = ()
    """Kinds whose content is to be fixed, in this order."""
    renew: tuple[Kind, ...] = ()
    """Kinds whose content is fixed, though nobody can have it yet: whoever claims writes them anew, so that a
    repair of the configuration (``delivery.sender``) reaches what was refused for it."""
    next: tuple[Due, ...] = ()
    """The next message of everybody who is owed one."""
    passes: tuple[Pass, ...] = ()
    """Reviews that would be due and never will be, once this is written."""
    owed: frozenset[Kind] = frozenset()
    """All kinds that somebody is owed: their contents must be kept."""
    round: Round | None = None
    """Of reminders: what the message tells that is to be fixed or written anew."""
    stale: bool = False
    """The ledger is further than the view: look again soon."""
    wake_at: datetime | None = None
    """When the passing of time alone makes something due."""

    @property
    def settled(self) -> bool:
        """Nothing to do until the request changes (or ``wake_at``)."""
        return not (self.next or self.passes or self.stale)


def is_ours_to_tell(view: View, policy: Policy, now: datetime) -> bool:
    """Whether a request without a ledger is announced at all."""
    request = view.request
    if view.gone or request.dry_run:
        return False
    if policy.duty_since is not None and request.created is not None and request.created >= policy.duty_since:
        return True
    # Seen pending by ourselves: ours, whatever the clocks say of when it was made.
    was_pending = request.state is RequestState.PENDING or view.seen_pending
    if not was_pending or policy.catch_up <= 0:
        return False
    return request.created is None or now - request.created <= timedelta(seconds=policy.catch_up)


def decide(view: View, ledger: Ledger, audience: Audience, policy: Policy, now: datetime) -> Plan:
    """Work out what is due. ``now`` is the wall clock, UTC."""
    add: tuple[Party, ...] = ()
    if not ledger.exists and is_ours_to_tell(view, policy, now):
        candidates = [_party(address, audience, policy) for address in dict.fromkeys(audience.reviewers)]
        if audience.requester and policy.requester:
            candidates.append(_party(audience.requester, audience, policy, requester=True))
        known = {party.key for party in ledger.parties}
        add = tuple(party for party in candidates if party.key not in known)
    state = view.state
    reviews = len(view.request.reviews)
    stale = not view.gone and (state.rank < ledger.state.rank or reviews < ledger.reviews)
    if state.rank < ledger.state.rank:
        state = ledger.state
    elif state is RequestState.GONE and ledger.state is not RequestState.PENDING:
        state = ledger.state  # it was resolved before it went away: nobody is told that it expired
    others = not_told(ledger, audience, add) if policy.escalate_after > 0 else ()
    owing = Owing(view, ledger, policy, now, state=state, stale=stale, others=bool(others))
    newcomers = [(party, owing.of(party)) for party in (*add, *others)]
    lists = [*((party, owing.of(party)) for party in ledger.parties), *newcomers]
    passes = {(party.key, kind): note for party, kinds in lists for kind, note in owing.passes(party, kinds)}
    if passes:
        lists = [
            (party, [kind for kind in kinds if (party.key, kind) not in passes]) for party, kinds in lists
        ]
    owed = _in_order(kind for _, kinds in lists for kind in kinds)
    begun = {kind for party in ledger.parties for kind in party.entries}
    return Plan(
        # A requester who wants only later news is written down with the first claim: there is no other time.
        add=tuple(party for party, kinds in newcomers if kinds or party.requester),
        freeze=tuple(kind for kind in owed if not ledger.blob(kind)),
        renew=tuple(
            kind for kind in owed if ledger.blob(kind) and kind not in begun and owing.can_freeze(kind)
        ),
        next=tuple(
            Due(party.address, party.requester, kinds[0], party.turn_of(kinds[0]))
            for party, kinds in lists
            if kinds
        ),
        passes=tuple((key, kind, note) for (key, kind), note in passes.items()),
        owed=frozenset(owed),
        stale=stale,
        wake_at=owing.wake_at,
    )


def _party(address: str, audience: Audience, policy: Policy, *, requester: bool = False) -> Party:
    info = informing.with_spelling({}, audience.spelled.get(address, ""))
    names = () if requester or not policy.wants_names else audience.names.get(address, ())
    return Party(address, requester, info=info, names=names)


def not_told(ledger: Ledger, audience: Audience, add: Iterable[Party] = ()) -> tuple[Party, ...]:
    """Whom a request is escalated to and who is not in its ledger. Somebody must have been asked first.

    ``add``: who is to be written into it now.
    """
    if all(party.requester for party in ledger.parties):
        return ()
    known = {one_form(party.address) for party in (*ledger.parties, *add) if not party.requester}
    return tuple(
        Party(address, info=informing.with_spelling({}, audience.spelled.get(address, "")), escalated=True)
        for address in dict.fromkeys(audience.escalation)
        if one_form(address) not in known
    )


_ORDER = {topic: place for place, topic in enumerate(Topic)}


def _in_order(kinds: Iterable[Kind]) -> list[Kind]:
    """Each kind once, as the messages of a thread follow each other."""
    return sorted(set(kinds), key=lambda kind: (_ORDER[kind.topic], kind.number))
