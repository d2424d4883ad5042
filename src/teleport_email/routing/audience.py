"""Who is told of a request, and what the texts about it need to know: look-ups around the pure parts.

In: a request. Out: an :class:`Audience` for ``decide`` and a render function for ``claim``. The decisions
are in ``recipients``, the words in ``render``; here is what has to be asked for first.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from teleport_email.config.settings import Settings
from teleport_email.core.claim import Render
from teleport_email.core.decide import Audience, View
from teleport_email.core.errors import ClusterError
from teleport_email.core.ledger import Ledger
from teleport_email.core.model import (
    AccessRequest,
    ClusterInfo,
    Content,
    Kind,
    RequestState,
    ResourceID,
    User,
)
from teleport_email.render import Facts, Renderer
from teleport_email.routing import recipients
from teleport_email.routing.route import Route
from teleport_email.routing.rules.compiled import CompiledRule

log = structlog.get_logger()

MOST_SILENCED = 10_000
"""Ids kept; the oldest go first. Half a megabyte at most."""


class Users(Protocol):
    """Looks up users; None of one that does not exist or may not be read."""

    @property
    def permitted(self) -> bool: ...
    async def user(self, name: str) -> User | None: ...
    async def address(self, name: str) -> str | None: ...
    async def name(self, name: str) -> str | None: ...


class Resources(Protocol):
    """Looks up friendly names and labels of resources, as far as that is permitted."""

    async def names(self, ids: Sequence[ResourceID]) -> Mapping[ResourceID, str]: ...
    async def labels(self, ids: Sequence[ResourceID]) -> Sequence[Mapping[str, str]] | None: ...


class AudienceFinder:
    """Answers who is told, by the configuration and the rules of the moment."""

    def __init__(
        self,
        settings: Settings,
        rules: Callable[[], Sequence[CompiledRule]],
        users: Users,
        resources: Resources,
        *,
        unroutable: Callable[[], None] = lambda: None,
        rule_failed: Callable[[], None] = lambda: None,
    ) -> None:
        """``unroutable`` is called for each request that nobody or only the fallback could be told of,
        ``rule_failed`` for each rule whose condition does not evaluate for a request.
        """
        self._settings = settings
        self._rules = rules
        self._users = users
        self._resources = resources
        self._unroutable = unroutable
        self._rule_failed = rule_failed
        self._silenced: dict[str, None] = {}
        """Requests of which it was said that nobody is told: each change of one asks again."""

    async def audience(self, request: AccessRequest) -> Audience:
        """Who is told of ``request``. Says so in the log, once per look at a new request."""
        route = await self.route(request)
        log.debug("routed", request=request.id, route=route.summary())
        never = {rule.name for rule in self._rules() if rule.faulty}  # said when the rules were read
        for fault in (fault for fault in route.faults if fault.name not in never):
            self._rule_failed()
            log.warning("rule does not work", rule=fault.name, request=request.id, error=fault.why)
        if route.skipped and not route.excluded:
            skipped = "; ".join(f"{entry.candidate} ({entry.why})" for entry in route.skipped)
            log.warning("not told", request=request.id, skipped=skipped)
        if route.problem:
            self._unroutable()
            log.error("nobody to tell", request=request.id, roles=list(request.roles), error=route.problem)
        if route.excluded:
            return Audience()
        if route.silenced and request.id not in self._silenced:
            self._silenced[request.id] = None
            while len(self._silenced) > MOST_SILENCED:
                del self._silenced[next(iter(self._silenced))]
            log.info("silenced by a rule", request=request.id, rules=list(route.rules))
        requester, why = await self.requester(request)
        if self._settings.delivery.notify_requester and not requester:
            log.warning("requester not told", request=request.id, user=request.user, error=why)
        return Audience(route.recipients, requester, route.spelled)

    async def route(self, request: AccessRequest) -> Route:
        """The whole decision with its reasons."""
        settings, rules = self._settings, self._rules()
        traits = None
        if recipients.needs_traits(rules):
            user = await self._users.user(request.user)
            traits = user.traits if user else None
        labels = None
        if request.resources and recipients.needs_labels(rules):
            labels = await self._resources.labels(request.resources)
        names = recipients.names_to_look_up(request, settings.delivery, rules, traits=traits, labels=labels)
        addresses = {name: await self._users.address(name) for name in names if self._users.permitted}
        if not self._users.permitted:
            addresses = {}  # not looked up, which is another reason than not found
        return recipients.route(
            request,
            settings.delivery,
            settings.role_to_recipients,
            rules,
            addresses,
            traits=traits,
            spelled=settings.spelled,
            labels=labels,
        )

    async def requester(self, request: AccessRequest) -> tuple[str, str]:
        """The requester's address if they are to be told, else empty; and why."""
        if not self._settings.delivery.notify_requester:
            return "", "delivery.notify_requester is off"
        delivery = self._settings.delivery
        known = recipients.requester(request, delivery, None)
        if known[0]:
            return known
        return recipients.requester(request, delivery, await self._users.address(request.user))


def tell_of_rules(
    rules: Sequence[CompiledRule], before: Sequence[CompiledRule], failed: Callable[[], None]
) -> None:
    """Say which rules cannot match, and what is odd about others; what was so ``before`` is no news.

    ``failed`` is called for each rule that cannot match.
    """
    known = {(rule.name, rule.reason) for rule in before if rule.faulty}
    remarked = {(rule.name, remark) for rule in before for remark in rule.remarks}
    for rule in rules:
        if rule.faulty and (rule.name, rule.reason) not in known:
            failed()
            log.warning("rule does not work", rule=rule.name, error=rule.reason, action="it never matches")
        for remark in (each for each in rule.remarks if (rule.name, each) not in remarked):
            log.warning("rule to look at", rule=rule.name, remark=remark)


class TextWriter:
    """Prepares the rendering of a request's messages."""

    def __init__(
        self,
        renderer: Renderer,
        resources: Resources,
        users: Users,
        *,
        cluster: Callable[[], ClusterInfo],
        wall: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._renderer = renderer
        self._resources = resources
        self._users = users
        self._cluster = cluster
        self._wall = wall
        self._rng = rng

    async def prepare(self, request: AccessRequest) -> Render:
        """Look up what the texts show besides the request; what cannot be found is left out."""
        names: Mapping[ResourceID, str] = {}
        if request.resources:
            try:
                names = await self._resources.names(request.resources)
            except ClusterError as error:
                log.debug("names of resources not found", request=request.id, error=str(error))
        requester: str | None = None
        try:
            requester = await self._users.name(request.user)
        except ClusterError as error:  # nobody waits for a name: the message tells the user name anyway
            log.debug("name of the requester not found", request=request.id, error=str(error))
        facts = Facts(self._cluster(), resource_names=names, requester_name=requester or "")

        def render(kind: Kind, view: View, ledger: Ledger) -> Content:
            told = tuple(party.address for party in ledger.parties if not party.requester)
            request = view.request
            if view.gone and request.state is RequestState.PENDING:
                request = dataclasses.replace(request, state=RequestState.GONE)
            boundary = f"=_{self._rng.getrandbits(128):032x}"
            return self._renderer.render(
                kind,
                request,
                dataclasses.replace(facts, recipients=told),
                now=self._wall(),
                boundary=boundary,
            )

        return render
