"""Who may do what: Teleport's roles as far as the calls of this program need them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from teleport_email.sandbox.front.front import Peer

Permissions = Mapping[str, Collection[str]]
"""Verbs allowed, by kind: ``{"access_request": {"list", "read"}}``."""

MINIMAL: Permissions = {"access_request": {"list", "read"}, "access_plugin_data": {"update"}}
"""What Teleport's setup guide gives to the plugin."""

FULL: Permissions = {
    **MINIMAL,
    "access_monitoring_rule": {"list", "read"},
    "user": {"read"},
    "node": {"list", "read"},
}
"""What this program can make use of."""


class Roles:
    """The cluster's roles by name."""

    def __init__(self) -> None:
        self._roles: dict[str, dict[str, frozenset[str]]] = {}
        self.put("access-plugin", FULL)
        self.put("access-plugin-minimal", MINIMAL)

    def put(self, name: str, permissions: Permissions) -> None:
        """Make or change a role; it holds from the next call on, also for certificates issued before."""
        self._roles[name] = {kind: frozenset(verbs) for kind, verbs in permissions.items()}

    def missing(self, peer: Peer, kind: str, verbs: Iterable[str]) -> list[str]:
        """The verbs that none of the peer's roles allows on ``kind``."""
        allowed = frozenset[str]().union(*(self._roles.get(role, {}).get(kind, ()) for role in peer.roles))
        return [verb for verb in verbs if verb not in allowed]
