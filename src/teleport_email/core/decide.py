"""What is due: from the request as it is known and its ledger, who is owed which message. Pure.

In: a view of the request, its ledger, who would be told of a new one, the policy, the time. Out: a
:class:`Plan`. Never: I/O, a clock, a change of the ledger.

The rules, in short. A thread begins with the announcement; reviews, the reminder and each further state
follow, one after the other per recipient. Whoever was not reached before the resolution gets one
message, the announcement in its resolved state, which counts as announcement, reviews and resolution.
What was attempted stays due until it is delivered or given up, even when it became pointless; what was
never attempted may be dropped. Giving up ends a message, never a recipient: whose announcement was given up
is tried once more when a later message becomes due, with the announcement in the state of that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from teleport_email.core import informing
from teleport_email.core.ledger import (
    ANNOUNCED_STATES,
    ANNOUNCED_TOPICS,
    REQUESTER_STATES,
    RESOLUTION_TOPICS,
    RESOLUTIONS,
    Entry,
    Ledger,
    Mark,
    Party,
)
from teleport_email.core.model import REMINDING, AccessRequest, Kind, RequestState, Topic

ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)
REMINDER = Kind(Topic.REMINDER)
RECEIVED = Kind(Topic.RECEIVED)
ENDED = Kind(Topic.ENDED)
REQUESTER_TOPICS = {state: topic for topic, state in REQUESTER_STATES.items()}
REQUESTER_CHOICE = {
    RequestState.APPROVED: "approved",
    RequestState.PROMOTED: "promoted",
    RequestState.DENIED: "denied",
    RequestState.GONE: "expired",
}
"""Which word of ``delivery.notify_requester`` switches on the message about a state."""


@dataclass(frozen=True, slots=True)
class View:
    """The newest that is known of a request."""

    request: AccessRequest
    """As last seen. Of one that was gone before this process saw it: what its plugin data tells."""
    gone: bool = False
    """Deleted or expired. The request's own state stays the last one seen."""
    seen_pending: bool = False
    """Whether this process saw it before its resolution."""

    @property
    def state(self) -> RequestState:
        """The state to tell: a request that was resolved and then went away stays resolved."""
        if self.gone and self.request.state is RequestState.PENDING:
            return RequestState.GONE
        return self.request.state


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told of a request that has no ledger yet."""

    reviewers: tuple[str, ...] = ()
    requester: str = ""
    """Address of the requester; empty where they are not to be told."""
    spelled: Mapping[str, str] = field(default_factory=dict)
    """How an address was written, where that is another form of it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the configuration and the history of this installation say about being due."""

    catch_up: float = 168 * 3600.0
    """Seconds: pending requests up to this age are announced though they have no ledger."""
    duty_since: datetime | None = None
    """Requests made since were ours to tell, so they are told even when they are resolved already."""
    remind_before: float = 0.0
    """Seconds before the request's expiry; 0: no reminder."""
    requester: frozenset[str] = frozenset()
    """Words of ``delivery.notify_requester``."""


@dataclass(frozen=True, slots=True)
class Due:
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


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due now, and what has to be written before it may be sent."""

    add: tuple[Party, ...] = ()
    """Parties to be frozen, because the ledger does not have them yet."""
    freeze: tuple[Kind, ...] = ()
    """Kinds whose content is to be fixed, in this order."""
    next: tuple[Due, ...] = ()
    """The next message of everybody who is owed one."""
    owed: frozenset[Kind] = frozenset()
    """All kinds that somebody is owed: their contents must be kept."""
    stale: bool = False
    """The ledger is further than the view: look again soon."""
    wake_at: datetime | None = None
    """When the passing of time alone makes something due."""

    @property
    def settled(self) -> bool:
        """Nothing to do until the request changes (or ``wake_at``)."""
        return not self.next and not self.stale


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
        candidates = [_party(address, audience) for address in dict.fromkeys(audience.reviewers)]
        if audience.requester and policy.requester:
            candidates.append(_party(audience.requester, audience, requester=True))
        known = {party.key for party in ledger.parties}
        add = tuple(party for party in candidates if party.key not in known)
    state = view.state
    reviews = len(view.request.reviews)
    stale = not view.gone and (state.rank < ledger.state.rank or reviews < ledger.reviews)
    if state.rank < ledger.state.rank:
        state = ledger.state
    elif state is RequestState.GONE and ledger.state is not RequestState.PENDING:
        state = ledger.state  # it was resolved before it went away: nobody is told that it expired
    owing = _Owing(view, ledger, policy, now, state=state, stale=stale)
    newcomers = [(party, owing.of(party)) for party in add]
    lists = [*((party, owing.of(party)) for party in ledger.parties), *newcomers]
    owed = [kind for _, kinds in lists for kind in kinds]
    return Plan(
        # A requester who wants only later news is written down with the first claim: there is no other time.
        add=tuple(party for party, kinds in newcomers if kinds or party.requester),
        freeze=tuple(kind for kind in _in_order(owed) if not ledger.blob(kind)),
        next=tuple(
            Due(party.address, party.requester, kinds[0], party.turn_of(kinds[0]))
            for party, kinds in lists
            if kinds
        ),
        owed=frozenset(owed),
        stale=stale,
        wake_at=owing.wake_at,
    )


def _party(address: str, audience: Audience, *, requester: bool = False) -> Party:
    info = informing.with_spelling({}, audience.spelled.get(address, ""))
    return Party(address, requester, info=info)


_ORDER = {topic: place for place, topic in enumerate(Topic)}


def _in_order(kinds: Iterable[Kind]) -> list[Kind]:
    """Each kind once, as the messages of a thread follow each other."""
    return sorted(set(kinds), key=lambda kind: (_ORDER[kind.topic], kind.number))


class _Owing:
    """What one party is owed, in the order of sending. Holds the facts that are the same for all."""

    def __init__(
        self, view: View, ledger: Ledger, policy: Policy, now: datetime, *, state: RequestState, stale: bool
    ) -> None:
        self._view = view
        self._ledger = ledger
        self._policy = policy
        self._state = state
        self._stale = stale
        self._places = {frozen.kind: place for place, frozen in enumerate(ledger.frozen)}
        self._blobs = {frozen.kind for frozen in ledger.frozen if frozen.blob}
        self._remind_at: datetime | None = None
        self.wake_at: datetime | None = None
        expires = view.request.expires
        pending = state is RequestState.PENDING and not view.gone
        if pending and policy.remind_before > 0 and expires is not None and now < expires:
            remind_at = expires - timedelta(seconds=policy.remind_before)
            if remind_at <= now:
                self._remind_at = remind_at
            else:
                self.wake_at = remind_at

    def of(self, party: Party) -> list[Kind]:
        kinds = self._to_requester(party) if party.requester else self._to_reviewer(party)
        return [kind for kind in kinds if self._is_open(party, kind)]

    def _is_open(self, party: Party, kind: Kind) -> bool:
        mark = party.mark(kind)
        return mark in (None, Mark.ATTEMPTED) and (kind in self._blobs or self._can_freeze(kind))

    def _can_freeze(self, kind: Kind) -> bool:
        """Whether the content of ``kind`` can be written from the view without falling behind the ledger."""
        if self._stale:
            return False
        if kind.topic is Topic.REVIEW:
            # Once the end was told, a review from before it matters to nobody, and would come out of order.
            over = self._ledger.state is RequestState.GONE
            return not over and kind.number <= len(self._view.request.reviews)
        if kind.topic in (Topic.ANNOUNCEMENT, Topic.REMINDER, Topic.RECEIVED):
            return self._state is RequestState.PENDING and not self._view.gone
        if kind.topic is Topic.ENDED:
            return self._view.gone
        told = RESOLUTIONS | ANNOUNCED_STATES | REQUESTER_STATES
        return told[kind.topic] is self._state

    def _to_reviewer(self, party: Party) -> list[Kind]:
        begun = party.announcement
        stands = begun is not None and party.mark(begun) is not Mark.GIVEN_UP
        begin = begun if stands else self._beginning(party)
        if begin is None or not (party.mark(begin) is Mark.DELIVERED or self._is_open(party, begin)):
            return []  # a view that is behind cannot write the announcement: no reply goes before it
        told = ANNOUNCED_STATES.get(begin.topic, RequestState.PENDING)
        seen = max(len(self._view.request.reviews), self._ledger.reviews)
        rest = [Kind(Topic.REVIEW, number) for number in range(begin.covers + 1, seen + 1)]
        if self._is_reminder_due(party, begin):
            rest.append(REMINDER)
        rest += self._states(RESOLUTION_TOPICS, told)
        # What was frozen keeps its order, also where a review came to be known after a resolution.
        rest.sort(key=lambda kind: self._places.get(kind, len(self._places)))
        return [begin, *rest]

    def _beginning(self, party: Party) -> Kind | None:
        """The message that begins the thread of somebody who was not reached yet, or was refused before.

        The latter has given it up already where nothing came since then that is told to others.
        """
        if self._view.gone:
            return None  # nobody can act on it any more
        topic = ANNOUNCED_TOPICS.get(self._state)
        if self._state is RequestState.PENDING:
            topic = Topic.ANNOUNCEMENT
        if topic is None:
            return None
        refused = {kind.number: entry for kind, entry in party.entries.items() if kind.topic is topic}
        if topic is Topic.ANNOUNCEMENT and not refused and not party.turn:
            return ANNOUNCEMENT
        furthest = max(refused, default=-1)
        for kind in self._places:
            if kind.topic is topic and kind in self._blobs and kind.number > furthest:
                return kind
        number = len(self._view.request.reviews)
        if furthest >= REMINDING or (refused and self._is_before_reminder(refused[furthest])):
            number += REMINDING
        return Kind(topic, number)

    def _is_before_reminder(self, entry: Entry) -> bool:
        """Whether the reminder has become due since: not where one would come on the heels of the other."""
        return self._remind_at is not None and entry.at < self._remind_at.timestamp()

    def _is_reminder_due(self, party: Party, begin: Kind) -> bool:
        if party.mark(REMINDER) is Mark.ATTEMPTED:
            return True
        announced = party.entries.get(begin)
        if announced is None or announced.mark is not Mark.DELIVERED:
            return False
        return self._is_before_reminder(announced)

    def _states(self, topics: dict[RequestState, Topic], told: RequestState) -> list[Kind]:
        """The states beyond ``told`` that are to be told: those frozen, and the one that is now."""
        by_topic = {topic: state for state, topic in topics.items()}
        kinds = [
            kind
            for kind in self._places
            if kind.topic in by_topic and by_topic[kind.topic].rank > told.rank and kind in self._blobs
        ]
        topic = topics.get(self._state)
        is_further = self._state.rank > self._ledger.state.rank or self._state is self._ledger.state
        if topic is not None and self._state.rank > told.rank and is_further and Kind(topic) not in kinds:
            kinds.append(Kind(topic))
        return kinds

    def _to_requester(self, party: Party) -> list[Kind]:
        choices = self._policy.requester
        kinds: list[Kind] = []
        pending = self._state is RequestState.PENDING and not self._view.gone
        if party.mark(RECEIVED) is Mark.ATTEMPTED or (pending and "received" in choices):
            kinds.append(RECEIVED)
        kinds += [
            kind
            for kind in self._states(REQUESTER_TOPICS, RequestState.PENDING)
            if kind in self._blobs or REQUESTER_CHOICE[REQUESTER_STATES[kind.topic]] in choices
        ]
        granted = RequestState.APPROVED in (self._state, self._ledger.state)
        if party.mark(ENDED) is Mark.ATTEMPTED or (self._view.gone and granted and "ended" in choices):
            kinds.append(ENDED)
        return kinds
