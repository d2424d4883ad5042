"""What one party is owed: the messages of a thread, in the order of sending. Pure.

In: a view of the request, its ledger, the policy, the time. Out: for each party the kinds that are due, and
the reviews that are passed instead. Never: I/O, a clock, a change of the ledger.

The rules, in short. A thread begins with the announcement; reviews, reminders and each further state
follow, one after the other per recipient. Whoever was not reached before the resolution gets one
message, the announcement in its resolved state, which counts as announcement, reviews and resolution.
What was attempted stays due until it is delivered or given up, even when it became pointless; what was
never attempted may be dropped. Giving up ends a message, never a recipient: whose announcement was given up
is tried once more when a later message becomes due, with the announcement in the state of that moment.

By choice some reviews are *passed*: nobody is owed a message of their own for them, and that is written down,
so that they stay passed under another choice. And while nobody decides, those to whom a request is escalated
are told as well; a thread that begins with an escalation goes on as any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from teleport_email.core.ledger import (
    ANNOUNCED_STATES,
    ANNOUNCED_TOPICS,
    MERGED,
    OWN,
    QUIET,
    REQUESTER_STATES,
    RESOLUTION_TOPICS,
    RESOLUTIONS,
    TELLS_STATE,
    Entry,
    Ledger,
    Mark,
    Party,
)
from teleport_email.core.model import REMINDING, AccessRequest, Kind, RequestState, Topic

ANNOUNCEMENT = Kind(Topic.ANNOUNCEMENT)
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
TOO_LATE = 300.0
"""Seconds before a request's end from which nobody is escalated to: they could hardly act on it."""


class View(Struct, frozen=True):
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


class Policy(Struct, frozen=True):
    """What the configuration and the history of this installation say about being due."""

    catch_up: float = 168 * 3600.0
    """Seconds: pending requests up to this age are announced though they have no ledger."""
    duty_since: datetime | None = None
    """Requests made since were ours to tell, so they are told even when they are resolved already."""
    reminders: tuple[float, ...] = ()
    """Seconds before the request's expiry, each once."""
    requester: frozenset[str] = frozenset()
    """Words of ``delivery.notify_requester``."""
    merge_deciding_review: bool = False
    skip_own_review: bool = False
    quiet_reviews: bool = False
    escalate_after: float = 0.0
    """Seconds after the request was made; 0: never."""

    def reminder(self, seconds: float) -> Kind:
        """The kind of one of the reminders. Several are told apart by their minutes, so that a reload doubles
        none; one alone has no number, which older programs understand."""
        return Kind(Topic.REMINDER, math.ceil(seconds / 60) if len(self.reminders) > 1 else 0)

    @property
    def wants_names(self) -> bool:
        """Whether it matters for which users addresses were looked up."""
        return self.skip_own_review or self.escalate_after > 0


def may_escalate(view: View, now: datetime) -> bool:
    """Whether more people may still be told: it is pending, nobody has denied, and there is time to act."""
    request = view.request
    if view.gone or request.state is not RequestState.PENDING:
        return False
    denied = any(review.proposed_state is RequestState.DENIED for review in request.reviews)
    return not denied and (request.expires is None or now < request.expires - timedelta(seconds=TOO_LATE))


def escalates_at(view: View, policy: Policy) -> datetime | None:
    """When more people are told; None where that never happens."""
    created = view.request.created
    if policy.escalate_after <= 0 or created is None:
        return None
    at = created + timedelta(seconds=policy.escalate_after)
    return at if may_escalate(view, at) else None


class Owing:
    """What one party is owed, in the order of sending. Holds the facts that are the same for all."""

    def __init__(
        self,
        view: View,
        ledger: Ledger,
        policy: Policy,
        now: datetime,
        *,
        state: RequestState,
        stale: bool,
        others: bool,
    ) -> None:
        """``others``: whether there is anybody to escalate to."""
        self._view = view
        self._ledger = ledger
        self._policy = policy
        self._state = state
        self._stale = stale
        self._places = {frozen.kind: place for place, frozen in enumerate(ledger.frozen)}
        self._blobs = {frozen.kind for frozen in ledger.frozen if frozen.blob}
        self._remind_at: datetime | None = None
        """When the last of the reminders whose time has come became due."""
        self._reminder: Kind | None = None
        self._reminded = 0
        """How many reminders have become due."""
        self._may_escalate = self._is_escalating = False
        self._known: dict[tuple[object, ...], Sequence[Kind]] = {}
        """What is owed, by how far a party is."""
        self.wake_at: datetime | None = None
        if state is RequestState.PENDING and not view.gone:
            self._look_at_time(now, others=others)

    def _look_at_time(self, now: datetime, *, others: bool) -> None:
        """What the passing of time has made due in a pending request, and when it will next."""
        request, policy = self._view.request, self._policy
        expires = request.expires
        wakes: list[datetime] = []
        if expires is not None and now < expires:
            times = {expires - timedelta(seconds=seconds): seconds for seconds in policy.reminders}
            wakes += [at for at in times if at > now]
            self._reminded = len(times) - len(wakes)
            if self._reminded:
                self._remind_at = max(at for at in times if at <= now)
                self._reminder = policy.reminder(times[self._remind_at])
        self._may_escalate = may_escalate(self._view, now)
        at = escalates_at(self._view, policy)
        if at is not None:
            self._is_escalating = self._may_escalate and at <= now
            if others and at > now:
                wakes.append(at)
        self.wake_at = min(wakes, default=None)

    def of(self, party: Party) -> Sequence[Kind]:
        # Most parties of a request are as far as each other; nothing else of them matters here.
        how_far = (party.requester, party.escalated, party.turn, tuple(party.entries.items()))
        known = self._known.get(how_far)
        if known is None:
            kinds = self._to_requester(party) if party.requester else self._to_reviewer(party)
            known = self._known[how_far] = tuple(kind for kind in kinds if self._is_open(party, kind))
        return known

    def passes(self, party: Party, kinds: Iterable[Kind]) -> Iterator[tuple[Kind, str]]:
        """Of what is open, the reviews that are to be passed, and why.

        ``quiet_reviews`` and ``merge_deciding_review`` concern those that nobody was told of yet. The latter
        those that an end tells along which is about to be written.
        """
        policy, reviews = self._policy, self._view.request.reviews
        if party.requester or self._stale or not reviews:
            return
        kinds = tuple(kinds)
        ends = any(kind.topic in RESOLUTIONS and kind not in self._blobs for kind in kinds)
        for kind in kinds:
            if kind.topic is not Topic.REVIEW or party.mark(kind) is not None or kind.number > len(reviews):
                continue
            new = kind not in self._places
            if policy.skip_own_review and party.wrote(reviews[kind.number - 1]):
                yield kind, OWN
            elif policy.quiet_reviews and new:
                yield kind, QUIET
            elif policy.merge_deciding_review and new and ends:
                yield kind, MERGED

    def _is_open(self, party: Party, kind: Kind) -> bool:
        mark = party.mark(kind)
        return mark in (None, Mark.ATTEMPTED) and (kind in self._blobs or self.can_freeze(kind))

    def can_freeze(self, kind: Kind) -> bool:
        """Whether the content of ``kind`` can be written from the view without falling behind the ledger."""
        if self._stale:
            return False
        if kind.topic is Topic.REVIEW:
            # Once the end was told, a review from before it matters to nobody, and would come out of order.
            over = self._ledger.state is RequestState.GONE
            return not over and kind.number <= len(self._view.request.reviews)
        if kind.topic in (Topic.ANNOUNCEMENT, Topic.ESCALATION, Topic.REMINDER, Topic.RECEIVED):
            return self._state is RequestState.PENDING and not self._view.gone
        if kind.topic is Topic.ENDED:
            return self._view.gone
        return TELLS_STATE[kind.topic] is self._state

    def _to_reviewer(self, party: Party) -> list[Kind]:
        begun = party.announcement
        stands = begun is not None and party.mark(begun) is not Mark.GIVEN_UP
        begin = begun if stands else self._beginning(party)
        if begin is None or not (party.mark(begin) is Mark.DELIVERED or self._is_open(party, begin)):
            return []  # a view that is behind cannot write the announcement: no reply goes before it
        told = ANNOUNCED_STATES.get(begin.topic, RequestState.PENDING)
        seen = max(len(self._view.request.reviews), self._ledger.reviews)
        rest = [Kind(Topic.REVIEW, number) for number in range(begin.covers + 1, seen + 1)]
        rest += self._reminders(party, begin)
        rest += self._states(RESOLUTIONS, RESOLUTION_TOPICS, told)
        # What was frozen keeps its order, also where a review came to be known after a resolution.
        rest.sort(key=lambda kind: self._places.get(kind, len(self._places)))
        return [begin, *rest]

    def _beginning(self, party: Party) -> Kind | None:
        """The message that begins the thread of somebody who was not reached yet, or was refused before.

        The latter has given it up already where nothing came since then that is told to others.
        """
        if self._view.gone:
            return None  # nobody can act on it any more
        pending = self._state is RequestState.PENDING
        topic = ANNOUNCED_TOPICS.get(self._state)
        if pending:
            topic = Topic.ESCALATION if party.escalated else Topic.ANNOUNCEMENT
        if topic is None:
            return None
        if party.escalated:
            tried = party.announcement is not None or party.turn > 0
            if not (tried and (self._may_escalate or not pending)) and not self._is_escalating:
                return None  # never begun, and pointless by now
        refused = {kind.number: entry for kind, entry in party.entries.items() if kind.topic is topic}
        if topic is Topic.ANNOUNCEMENT and not refused and not party.turn:
            return ANNOUNCEMENT
        furthest = max(refused, default=-1)
        for kind in self._places:
            if kind.topic is topic and kind in self._blobs and kind.number > furthest:
                return kind
        reminded = max(furthest, 0) // REMINDING
        if reminded < self._reminded and refused and self._is_before_reminder(refused[furthest]):
            reminded += 1
        return Kind(topic, len(self._view.request.reviews) + reminded * REMINDING)

    def _is_before_reminder(self, entry: Entry) -> bool:
        """Whether a reminder has become due since: not where one would come on the heels of the other."""
        return self._remind_at is not None and entry.at < self._remind_at.timestamp()

    def _reminders(self, party: Party, begin: Kind) -> list[Kind]:
        """What was attempted, else the last one whose time has come, if nothing as late was told."""
        told = {kind: entry for kind, entry in party.entries.items() if kind.topic is Topic.REMINDER}
        begun = [kind for kind, entry in told.items() if entry.mark is Mark.ATTEMPTED]
        announced = party.entries.get(begin)
        due = self._reminder
        if begun or due is None or announced is None or announced.mark is not Mark.DELIVERED:
            return begun
        if not self._is_before_reminder(announced) or due in told:
            return []
        as_late = (kind.number and due.number and kind.number <= due.number for kind in told)
        if any(as_late) or not all(map(self._is_before_reminder, told.values())):
            return []
        return [due]

    def _states(
        self, by_topic: Mapping[Topic, RequestState], topics: Mapping[RequestState, Topic], told: RequestState
    ) -> list[Kind]:
        """The states beyond ``told`` that are to be told: those frozen, and the one that is now."""
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
            for kind in self._states(REQUESTER_STATES, REQUESTER_TOPICS, RequestState.PENDING)
            if kind in self._blobs or REQUESTER_CHOICE[REQUESTER_STATES[kind.topic]] in choices
        ]
        granted = RequestState.APPROVED in (self._state, self._ledger.state)
        if party.mark(ENDED) is Mark.ATTEMPTED or (self._view.gone and granted and "ended" in choices):
            kinds.append(ENDED)
        return kinds
