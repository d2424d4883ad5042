"""What the cluster holds besides requests and plugin data: users, Access Monitoring Rules, resources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from teleport_email.core.model import AccessMonitoringRule, User
from teleport_email.sandbox.cluster.refusal import not_found
from teleport_email.sandbox.cluster.wire import deleted, field, put_rule
from teleport_email.teleport._proto import auth_pb2, rules_pb2, types_pb2
from teleport_email.teleport.calls.convert import (
    ACCESS_MONITORING_RULE,
    login_state_to_proto,
    rule_to_proto,
    user_to_proto,
)
from teleport_email.teleport.calls.resources import own_name

_RULES_PAGE = 100  # what a list without a page size gives at most

_NAME_IN_EXPRESSION = re.compile(r'resource\.metadata\.name\s*==\s*("(?:[^"\\]|\\.)*")')


class Catalog:
    """``publish(kind, event)`` is called when a rule changes; users and resources have no watchers here."""

    def __init__(self, publish: Callable[[str, bytes], None], new_revision: Callable[[], str]) -> None:
        self._publish = publish
        self._new_revision = new_revision
        self._users: dict[str, bytes] = {}
        self._login_states: dict[str, bytes] = {}
        self._rules: dict[str, tuple[rules_pb2.AccessMonitoringRule, bytes]] = {}
        self._resources: dict[tuple[str, str], bytes] = {}

    # Users ------------------------------------------------------------------------------------------

    def put_user(self, user: User) -> None:
        """Make or replace a user."""
        message = user_to_proto(user)
        message.Metadata.Revision = self._new_revision()
        self.load_user(message.SerializeToString())

    def load_user(self, wire: bytes) -> None:
        """Take over a recorded ``types.UserV2`` as it is."""
        self._users[types_pb2.UserV2.FromString(wire).Metadata.Name] = wire

    def delete_user(self, name: str) -> None:
        """Delete a user, if there is one."""
        self._users.pop(name, None)

    def user(self, name: str) -> bytes:
        """The ``types.UserV2``; raises :class:`Refusal` when there is none."""
        if name not in self._users:
            raise not_found(f'user "{name}" not found')
        return self._users[name]

    def put_login_state(self, user: User) -> None:
        """What a user got when they logged in."""
        self._login_states[user.name] = login_state_to_proto(user).SerializeToString()

    def login_state(self, name: str) -> bytes:
        """The login state; raises :class:`Refusal` when there is none."""
        if name not in self._login_states:
            raise not_found(f'user_login_state "{name}" doesn\'t exist')
        return self._login_states[name]

    # Rules ------------------------------------------------------------------------------------------

    def put_rule(self, rule: AccessMonitoringRule) -> None:
        """Make or replace a rule. Its condition is taken as it is: real clusters do not check it either."""
        message = rule_to_proto(rule)
        message.metadata.revision = self._new_revision()
        self.load_rule(message.SerializeToString())

    def load_rule(self, wire: bytes) -> None:
        """Take over a recorded rule as it is."""
        message = rules_pb2.AccessMonitoringRule.FromString(wire)
        self._rules[message.metadata.name] = (message, wire)
        self._publish(ACCESS_MONITORING_RULE, put_rule(wire))

    def delete_rule(self, name: str) -> None:
        """Delete a rule; raises :class:`Refusal` when there is none."""
        if self._rules.pop(name, None) is None:
            raise not_found(f'access_monitoring_rule "{name}" doesn\'t exist')
        self._publish(ACCESS_MONITORING_RULE, deleted(ACCESS_MONITORING_RULE, "v1", name))

    def rules(self, page_size: int, page_token: str, subjects: Sequence[str] = (), plugin: str = "") -> bytes:
        """A page of rules that have all ``subjects`` and name ``plugin``; both list calls answer so."""
        found = [
            name
            for name, (message, _) in sorted(self._rules.items())
            if set(subjects) <= set(message.spec.subjects)
            and (not plugin or message.spec.notification.name == plugin)
            and name >= page_token
        ]
        limit = page_size if page_size > 0 else _RULES_PAGE
        answer = b"".join(field(1, self._rules[name][1]) for name in found[:limit])
        return answer + (field(2, found[limit].encode()) if len(found) > limit else b"")

    # Resources --------------------------------------------------------------------------------------

    def put_resource(self, kind: str, resource: auth_pb2.PaginatedResource) -> None:
        """Make or replace a resource, listed as ``kind`` (``node``, ``app_server``, ``db_server`` ...)."""
        self._resources[kind, own_name(resource)] = resource.SerializeToString()

    def resources(self, asked: auth_pb2.ListResourcesRequest) -> bytes:
        """The resources of a type; of expressions, only ``name == "..." || ...`` is understood."""
        names = None
        if asked.PredicateExpression:
            names = {json.loads(quoted) for quoted in _NAME_IN_EXPRESSION.findall(asked.PredicateExpression)}
        found = [
            wire
            for (kind, name), wire in sorted(self._resources.items())
            if kind == asked.ResourceType and (names is None or name in names)
        ]
        return b"".join(field(1, wire) for wire in found[: asked.Limit or None])
