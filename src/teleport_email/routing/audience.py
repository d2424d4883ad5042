"""Who is told of a request: look-ups around the pure parts.

In: a request. Out: an :class:`Audience` for ``decide``. The decisions are in ``recipients``; here is what has
to be asked for first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import structlog

from teleport_email.config.settings import Settings
from teleport_email.core.audits import ListOwner
from teleport_email.core.decide import Audience
from teleport_email.core.model import AccessMonitoringRule, AccessRequest, ResourceID, User
from teleport_email.routing import owners, recipients
from teleport_email.routing.escalation import escalation
from teleport_email.routing.route import Route, RuleVerdict, listed, plain

if TYPE_CHECKING:
    from teleport_email.routing.rules import CompiledRule

log = structlog.get_logger()

MOST_SILENCED = 10_000
"""Ids kept; the oldest go first. Half a megabyte at most."""


class Users(Protocol):
    """Looks up users; None of one that does not exist or may not be read."""

    @property
    def permitted(self) -> bool: ...
    async def user(self, name: str) -> User | None: ...
    async def address(self, name: str) -> str | None: ...


class Resources(Protocol):
    """Looks up labels of resources, as far as that is permitted."""

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
            skipped = listed(f"{plain(entry.candidate)} ({plain(entry.why)})" for entry in route.skipped)
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
        later = self.escalation(request)
        requester, why = await self.requester(request)
        if self._settings.delivery.notify_requester and not requester:
            log.warning("requester not told", request=request.id, user=request.user, error=why)
        spelled = {**later.spelled, **route.spelled}
        return Audience(route.recipients, requester, spelled, route.names, later.escalation)

    def escalation(self, request: AccessRequest) -> Audience:
        """Whom a request that has a ledger is escalated to; nothing is looked up for it."""
        route = escalation(request, self._settings)
        return Audience(escalation=route.recipients, spelled=route.spelled)

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
        verdicts: list[RuleVerdict] = []
        for piece in recipients.judged(request, settings.delivery, rules, traits, labels):
            verdicts += piece
            await asyncio.sleep(0)  # rules can ask for a fifth of a second, and others want their turn
        names = recipients.names_to_look_up(request, settings.delivery, rules, verdicts)
        addresses = await _addresses(self._users, names)
        return recipients.route(
            request,
            settings.delivery,
            settings.role_to_recipients,
            rules,
            addresses,
            traits=traits,
            spelled=settings.spelled,
            labels=labels,
            verdicts=verdicts,
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


async def reminded(owned_by: Sequence[ListOwner], settings: Settings, users: Users) -> Route:
    """Who is reminded of the review of an Access List with these owners, and who not and why.

    Raises :class:`~teleport_email.core.errors.Unreachable` where users cannot be looked up at the moment.
    """
    addresses = await _addresses(users, owners.names_to_look_up(owned_by))
    return owners.reminded(owned_by, settings.delivery, addresses, settings.spelled)


async def _addresses(users: Users, names: Iterable[str]) -> dict[str, str | None]:
    """User name -> address. Empty where users may not be read: another reason than that none was found."""
    addresses = {name: await users.address(name) for name in names if users.permitted}
    return addresses if users.permitted else {}


def compiled(
    rules: Sequence[AccessMonitoringRule], plugin_name: str, before: Sequence[CompiledRule]
) -> Sequence[CompiledRule]:
    """The rules, ready to be asked; those that are as they were ``before`` are not compiled again.

    Their language is loaded only where there are any: most clusters have none.
    """
    if not rules:
        return ()
    from teleport_email.routing.rules import compile_rules

    return compile_rules(rules, plugin_name, before)


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
