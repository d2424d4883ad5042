"""What a major version of Teleport can do, as far as this program sees a difference.

From Teleport's changelogs and, for 12 and 17, from what real servers answered.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from teleport_email.core.errors import ConditionError
from teleport_email.core.model import AccessMonitoringRule
from teleport_email.routing.rules import parse
from teleport_email.sandbox.cluster.refusal import bad_parameter

VERSIONS: Mapping[int, str] = {12: "12.4.35", 15: "15.5.4", 17: "17.0.0", 19: "19.0.0"}
"""Those that ``sandbox --teleport`` offers: a full version of each."""

_LISTS_OF_LISTS = 16
"""Lists as owners and members, and how many members there are: some of it came within a major version."""
_SINCE: Mapping[str, int] = {
    "ListAccessRequests": 15,
    "ListAccessMonitoringRules": 15,
    "ListAccessMonitoringRulesWithFilter": 16,
    "UsersService/GetUser": 15,
    "GetUserLoginState": 15,
    "ListAccessLists": 14,
    "GetAccessList": 14,
    "GetAccessListOwners": _LISTS_OF_LISTS,
}
ENTERPRISE = frozenset({"ListAccessLists", "GetAccessList", "GetAccessListOwners"})
"""Methods that only a Teleport Enterprise has."""
_UNTIL: Mapping[str, int] = {"GetUser": 18}
"""Method -> the last major version that has it."""
_RULES_CHECKED = 18
_PLUGIN_NAME_GONE = 19
_PARTIAL_WATCH = 13


class Generation(Struct, frozen=True):
    """The abilities of one major version."""

    major: int

    @classmethod
    def of(cls, version: str) -> Generation:
        """That of a full version: ``17.0.0-dev``."""
        return cls(int(version.partition(".")[0]))

    def has(self, method: str) -> bool:
        """Whether it has the method, by the name under which :class:`Service` counts it."""
        return _SINCE.get(method, 0) <= self.major <= _UNTIL.get(method, self.major)

    @property
    def rules(self) -> bool:
        """Whether there are Access Monitoring Rules."""
        return self.has("ListAccessMonitoringRules")

    @property
    def partial_watch(self) -> bool:
        """Whether a watch may be granted in part, and says of which kinds."""
        return self.major >= _PARTIAL_WATCH

    @property
    def access_lists(self) -> bool:
        """Whether an Enterprise cluster has Access Lists, and plugin data for them."""
        return self.has("ListAccessLists")

    @property
    def lists_of_lists(self) -> bool:
        """Whether lists can own lists, and the number of members is told."""
        return self.major >= _LISTS_OF_LISTS

    def check_rule(self, rule: AccessMonitoringRule) -> None:
        """Refuse a rule that the server would not store; older ones store anything.

        :raises Refusal: its condition does not parse there.
        """
        if self.major < _RULES_CHECKED:
            return
        try:
            condition = parse(rule.condition)
        except ConditionError as error:
            raise bad_parameter(f"access monitoring rule condition is invalid: {error}") from None
        if self.major >= _PLUGIN_NAME_GONE and "plugin.spec.name" in condition.uses:
            raise bad_parameter("access monitoring rule condition is invalid: unknown plugin.spec.name")
