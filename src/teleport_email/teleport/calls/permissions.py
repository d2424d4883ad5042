"""What a missing permission means for the role: the YAML lines that would allow it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from teleport_email.core.errors import Denied

NEEDED: Mapping[str, tuple[str, ...]] = {
    "access_request": ("list", "read"),
    "access_plugin_data": ("update",),
    "access_monitoring_rule": ("list", "read"),
    "user": ("read",),
    "user_login_state": ("read",),
    "node": ("list", "read"),
    "app_server": ("list", "read"),
    "db_server": ("list", "read"),
    "kube_server": ("list", "read"),
    "windows_desktop": ("list", "read"),
    "user_group": ("list", "read"),
}
"""The verbs that this program uses, by kind (the role of Teleport's setup guide, and what is optional)."""

_DENIED_ACTION = re.compile(r'perform action "(?P<verb>[a-z_]{1,40})" on "(?P<kind>[a-z_]{1,60})"')


def denied_actions(words: str) -> dict[str, tuple[str, ...]]:
    """The kinds and verbs that the server's words of a refusal name; empty when they name none."""
    found: dict[str, list[str]] = {}
    for match in _DENIED_ACTION.finditer(words):
        verbs = found.setdefault(match["kind"], [])
        if match["verb"] not in verbs:
            verbs.append(match["verb"])
    return {kind: tuple(verbs) for kind, verbs in found.items()}


def role_lines(kinds: Iterable[str] | Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The lines of a role (``kind: role``) that allow this program's verbs on the kinds.

    A mapping adds the verbs that were refused to those known to be needed.
    """
    refused = kinds if isinstance(kinds, Mapping) else dict.fromkeys(kinds, ())
    lines = ["spec:", "  allow:", "    rules:"]
    for kind, verbs in refused.items():
        wanted = dict.fromkeys((*NEEDED.get(kind, ()), *verbs))
        lines += [f"      - resources: [{kind}]", f"        verbs: [{', '.join(wanted)}]"]
    return tuple(lines)


def help_for(denied: Denied) -> tuple[str, ...]:
    """The lines of the role that would have allowed the call; empty when the refusal does not say."""
    actions = denied_actions(str(denied))
    return role_lines(actions) if actions else ()
