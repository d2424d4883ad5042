"""What a missing permission means: whose identity it is, which role to change, the YAML for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

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
    "access_list": ("list", "read"),
}
"""The verbs that this program uses, by kind (the role of Teleport's setup guide, and what is optional)."""

PRESET, OURS = "access-plugin", "teleport-email"
"""Teleport's preset role for such plugins, and the one of ``examples/teleport``."""
_OF_PEOPLE = frozenset({"access", "auditor", "editor", "requester", "reviewer"})
"""Teleport's preset roles for people."""
MAKE_ONE = "make one for the daemon (README, step 3), and name its file in teleport.identity"
"""What to do about an identity that is somebody's own."""

_DENIED_ACTION = re.compile(r'perform action "(?P<verb>[a-z_]{1,40})" on "(?P<kind>[a-z_]{1,60})"')


def denied_actions(words: str) -> dict[str, tuple[str, ...]]:
    """The kinds and verbs that the server's words of a refusal name; empty when they name none."""
    found: dict[str, list[str]] = {}
    for match in _DENIED_ACTION.finditer(words):
        verbs = found.setdefault(match["kind"], [])
        if match["verb"] not in verbs:
            verbs.append(match["verb"])
    return {kind: tuple(verbs) for kind, verbs in found.items()}


def whose(user: str, roles: Sequence[str]) -> str:
    """``bot-email (role teleport-email)``: user and roles of an identity."""
    named = f"role{'' if len(roles) == 1 else 's'} {', '.join(roles)}" if roles else "no roles"
    return f"{user} ({named})"


def is_personal(user: str, roles: Sequence[str]) -> bool:
    """Whether it is as good as certain that this identity is a person's, not one made for the daemon."""
    if user.startswith("bot-") or {PRESET, OURS} & {user, *roles}:
        return False
    return "@" in user or bool(_OF_PEOPLE & {*roles})


def grant(user: str, roles: Sequence[str], lines: Iterable[str]) -> dict[str, str]:
    """For the log: who may not, and what would allow it, lines for the role or an identity made for this."""
    facts = {"identity": whose(user, roles)}
    if is_personal(user, roles):
        return {**facts, "action": f"this identity is {user}'s own: {MAKE_ONE}"}
    return {**facts, "role": "\n".join(lines)}


def where_to_add(user: str, roles: Sequence[str]) -> str:
    """Which role is to be changed and how, to stand before :func:`role_lines`."""
    if OURS in roles:
        return f"add to the role (tctl edit role/{OURS}; its file has them as comments):"
    if PRESET in roles:
        return (
            f"add, where it is a role of your own (tctl edit role/{PRESET}); where it is the preset, which "
            "Teleport sets back, to one that you give besides (examples/teleport/teleport-email-role.yaml):"
        )
    if roles:
        which = "the role" if len(roles) == 1 else "one of these roles"
        return f"add to {which} (tctl edit role/{roles[0]}), if this identity was made for the daemon:"
    return f"give {user} the preset role {PRESET} (Teleport from mid-2025), or a role with:"


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
