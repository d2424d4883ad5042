"""One look at one request: what the situation is.

In: an id, and what earlier looks at it left behind. Out: one value of :data:`Situation`. It reads the store,
the plugin data and, of a new request, who is told; the rest is a function of these. Never: a write, a send, a
memory of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from teleport_email.core.claim import LEASE, Claim
from teleport_email.core.decide import Audience, Due, Plan, Policy, View, is_ours_to_tell
from teleport_email.core.errors import LedgerUnreadable
from teleport_email.core.ledger import Entry
from teleport_email.core.model import AccessRequest
from teleport_email.reconciling.record import PluginData


class Known(Protocol):
    """What is known of the keys: of requests :class:`teleport_email.watching.store.Store`, of reminders
    :class:`teleport_email.watching.audits.AuditBoard`.
    """

    def view(self, request_id: str) -> View | None: ...

    def is_new(self, request_id: str) -> bool: ...

    def is_remembered(self, request_id: str) -> bool: ...

    def version(self, request_id: str) -> int: ...

    def settle(self, request_id: str, version: int) -> None: ...


class Router(Protocol):
    """Finds out who is told of a new request, and who of one that nobody decides."""

    async def audience(self, request: AccessRequest) -> Audience: ...

    def escalation(self, request: AccessRequest) -> Audience:
        """For a request that has a ledger: whom it is escalated to; it asks nobody."""
        ...


class Sighting(Struct, frozen=True):
    """Somebody's claim as first received: the same one, a lease later, is taken over."""

    what: tuple[str, ...]
    received: float
    """Clock reading, seconds."""


class Unknown(Struct, frozen=True):
    """Nothing is known of it, or nothing but its plugin data: the next list tells."""


class Unreadable(Struct, frozen=True):
    """Its ledger cannot be understood, so it is left as it is."""

    version: int
    error: LedgerUnreadable


class NotNew(Struct, frozen=True):
    """It was taken for new and would be left alone, yet has plugin data: to be looked at with these."""


class Settled(Struct, frozen=True):
    """Nothing is due until it changes."""

    version: int
    """What the store knew when it was looked at."""
    wake_at: datetime | None
    """When the passing of time alone makes something due."""


class HeldByOther(Struct, frozen=True):
    """Another process has the claim and shows life, or was not watched for long enough."""

    claim: Claim
    view: View
    sighting: Sighting


class GoPluginAtWork(Struct, frozen=True):
    """The Go plugin seems about to announce it."""

    sighting: Sighting


class Waiting(Struct, frozen=True):
    """The ledger is further than what is known of the request, or has facts to take in; no message is due."""

    claim: Claim
    view: View


class WorkDue(Struct, frozen=True):
    """Messages are due, or reviews to be passed, and it is our turn."""

    claim: Claim
    audience: Audience
    plan: Plan
    version: int
    """What the store knew when it was looked at."""


Situation = Unknown | Unreadable | NotNew | Settled | HeldByOther | GoPluginAtWork | Waiting | WorkDue


class Look:
    """Looks at requests; of each, all at once and nothing after."""

    def __init__(
        self,
        *,
        owner: str,
        store: Known,
        plugin_data: PluginData,
        router: Callable[[], Router],
        policy: Callable[[], Policy],
        clock: Callable[[], float],
        wall: Callable[[], datetime],
    ) -> None:
        """As for :class:`~teleport_email.reconciling.reconcile.Reconciler`."""
        self._owner = owner
        self._store = store
        self._data = plugin_data
        self._router = router
        self._policy = policy
        self._clock = clock
        self._wall = wall

    async def situation(
        self, request_id: str, *, facts: Mapping[Due, Entry | None], sighting: Sighting | None, tried: bool
    ) -> Situation:
        """The situation of one request. Raises :class:`~teleport_email.core.errors.ClusterError`.

        ``facts``: what an earlier hold could not record. ``sighting``: the claim of somebody else that was
        seen last. ``tried``: whether it was worked on, or found told, before.
        """
        version = self._store.version(request_id)
        begun = self._clock()
        # Of a new request nobody has told yet: it is claimed at once, and the compare notices if one has.
        assumed = self._store.is_new(request_id) and not tried
        data = {} if assumed else await self._data.read(request_id)
        received = self._clock()
        view = self.view(request_id, data)
        if view is None:
            return Unknown()
        claim = Claim(request_id, self._owner, facts=facts)
        try:
            claim = claim.read(data)
            router = self._router()
            if not claim.ledger.exists and is_ours_to_tell(view, self._policy(), self._wall()):
                audience = await router.audience(view.request)
            else:
                audience = router.escalation(view.request)
            plan = claim.plan(view, audience, self._policy(), self._wall())
            # Before anything is claimed: what was frozen must go out as it is, or not at all.
            claim.contents(plan.owed)
        except LedgerUnreadable as error:
            return Unreadable(version, error)
        if assumed and not plan.next and await self._data.read(request_id):
            return NotNew()
        if plan.settled and not claim.facts and not claim.is_left_behind:
            return Settled(version, plan.wake_at)
        if claim.rival:
            if sighting is None or sighting.what != claim.rival:
                sighting = Sighting(claim.rival, received)
            if begun - sighting.received < LEASE:
                return HeldByOther(claim, view, sighting) if claim.held_by_other else GoPluginAtWork(sighting)
        if not plan.next and not plan.passes:
            return Waiting(claim, view)
        return WorkDue(claim, audience, plan, version)

    def view(self, request_id: str, data: Mapping[str, str]) -> View | None:
        """What is known of the request, filled from its plugin data where it was gone before we saw it."""
        view = self._store.view(request_id)
        if view is None or self._store.is_remembered(request_id):
            return view
        if not view.gone:
            return None  # known by its plugin data alone, and not known to be gone: the next list tells
        return View(_from_plugin_data(request_id, data), gone=True)

    def is_settled(self, request_id: str, data: Mapping[str, str]) -> bool:
        """Whether nothing is due for a request, given its plugin data; False when that is not certain."""
        view = self.view(request_id, data)
        return view is None or self._nothing_due(view, data)

    def is_finished(self, request_id: str, data: Mapping[str, str]) -> bool:
        """Whether nothing would be due even if the request were gone by now."""
        return self._nothing_due(View(_from_plugin_data(request_id, data), gone=True), data)

    def _nothing_due(self, view: View, data: Mapping[str, str]) -> bool:
        try:
            claim = Claim(view.request.id, self._owner).read(data)
        except LedgerUnreadable:
            return False
        if not claim.ledger.exists and is_ours_to_tell(view, self._policy(), self._wall()):
            return False
        audience = self._router().escalation(view.request)
        plan = claim.plan(view, audience, self._policy(), self._wall())
        return plan.settled and plan.wake_at is None


def _from_plugin_data(request_id: str, data: Mapping[str, str]) -> AccessRequest:
    """What the plugin data tell of a request that is gone."""
    return AccessRequest(
        id=request_id,
        user=data.get("user", ""),
        roles=tuple(role for role in data.get("roles", "").split(",") if role),
        request_reason=data.get("request_reason", ""),
    )
