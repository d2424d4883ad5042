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
    "user_login_state": {"read"},
    "node": {"list", "read"},
    "access_list": {"list", "read"},
}
"""What this program can make use of."""

PRESET: Permissions = {
    **MINIMAL,
    "access_monitoring_rule": {"list", "read"},
    "user": {"list", "read"},
    "user_login_state": {"list", "read"},
    "access_list": {"list", "read"},
}
"""Teleport's own role for such plugins. Resources it may only preview."""

PREVIEWED: Permissions = {
    kind: {"list", "read"} for kind in ("node", "app_server", "db_server", "kube_server")
}
"""What a role that may be previewed lets one list."""


class Roles:
    """The cluster's roles by name."""

    def __init__(self) -> None:
        self._roles: dict[str, dict[str, frozenset[str]]] = {}
        self._previewed: dict[str, dict[str, frozenset[str]]] = {}
        self.put("access-plugin", FULL)
        self.put("access-plugin-minimal", MINIMAL)
        self.put("access-plugin-preset", PRESET, previewed=PREVIEWED)

    def put(self, name: str, permissions: Permissions, previewed: Permissions | None = None) -> None:
        """Make or change a role; it holds from the next call on, also for certificates issued before.

        ``previewed``: what it allows besides, in calls that ask to preview.
        """
        self._roles[name] = {kind: frozenset(verbs) for kind, verbs in permissions.items()}
        self._previewed[name] = {kind: frozenset(verbs) for kind, verbs in (previewed or {}).items()}

    def missing(self, peer: Peer, kind: str, verbs: Iterable[str], *, preview: bool = False) -> list[str]:
        """The verbs that none of the peer's roles allows on ``kind``."""
        holders = [self._roles, self._previewed] if preview else [self._roles]
        allowed = frozenset[str]().union(
            *(holder.get(role, {}).get(kind, ()) for holder in holders for role in peer.roles)
        )
        return [verb for verb in verbs if verb not in allowed]
