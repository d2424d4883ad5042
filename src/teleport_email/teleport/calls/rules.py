"""Access Monitoring Rules that name our plugin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from teleport_email.core.errors import Rejected, Unsupported
from teleport_email.core.model import AccessMonitoringRule
from teleport_email.teleport._proto import rules_pb2
from teleport_email.teleport._proto.rules_pb2_grpc import AccessMonitoringRulesServiceStub
from teleport_email.teleport.calls.call import Caller
from teleport_email.teleport.calls.convert import ACCESS_REQUEST, rule_from_proto

PAGE = 100
DEADLINE = 20.0
DOING = "listing access monitoring rules"


class _Page(Protocol):
    @property
    def rules(self) -> Iterable[rules_pb2.AccessMonitoringRule]: ...
    @property
    def next_page_token(self) -> str: ...


class Rules:
    """The rules of a cluster, as far as they are about access requests and name one plugin."""

    def __init__(self, caller: Caller, service: AccessMonitoringRulesServiceStub, plugin: str) -> None:
        self._caller = caller
        self._service = service
        self._plugin = plugin
        self._filters = True
        """False once the server said that it can list only all rules."""

    async def list(self) -> list[AccessMonitoringRule]:
        """All rules for this plugin.

        Raises :class:`Denied` without ``access_monitoring_rule: list, read``, :class:`Unsupported` where the
        cluster is too old to have any. The conditions are as users wrote them: servers before 18 accept such
        as do not parse.
        """
        found: Sequence[AccessMonitoringRule] = ()
        if self._filters:
            try:
                found = await self._all_pages(self._filtered_page)
            except Unsupported:
                self._filters = False
        if not self._filters:
            found = await self._all_pages(self._page)
        # The plain list has everybody's rules, and a filter is soon misunderstood.
        return [rule for rule in found if self.concerns(rule)]

    async def exist(self) -> bool:
        """Whether this version of Teleport has rules at all. Raises any :class:`ClusterError` but
        :class:`Unsupported`.
        """
        try:
            await self.list()
        except Unsupported:
            return False
        return True

    def concerns(self, rule: AccessMonitoringRule) -> bool:
        """Whether the rule is about access requests and names this plugin."""
        return ACCESS_REQUEST in rule.subjects and rule.notification == self._plugin

    async def _filtered_page(self, token: str) -> _Page:
        return await self._caller.unary(
            self._service.ListAccessMonitoringRulesWithFilter,
            rules_pb2.ListAccessMonitoringRulesWithFilterRequest(
                page_size=PAGE, page_token=token, subjects=[ACCESS_REQUEST], notification_name=self._plugin
            ),
            doing=DOING,
            timeout=DEADLINE,
        )

    async def _page(self, token: str) -> _Page:
        return await self._caller.unary(
            self._service.ListAccessMonitoringRules,
            rules_pb2.ListAccessMonitoringRulesRequest(page_size=PAGE, page_token=token),
            doing=DOING,
            timeout=DEADLINE,
        )

    async def _all_pages(self, page: Callable[[str], Awaitable[_Page]]) -> Sequence[AccessMonitoringRule]:
        found: dict[str, AccessMonitoringRule] = {}
        seen: set[str] = set()
        token = ""
        while True:
            answer = await page(token)
            for message in answer.rules:
                rule = rule_from_proto(message)
                if rule.name:
                    found[rule.name] = rule
            token = answer.next_page_token
            if not token:
                return list(found.values())
            if token in seen:
                raise Rejected(f"{DOING}: the pages go round in circles")
            seen.add(token)
