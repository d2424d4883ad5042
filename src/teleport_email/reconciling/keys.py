"""What the keys of the queue stand for: the id of a request, or what somebody is reminded of. Pure."""

from __future__ import annotations

from teleport_email.core.audits import OWNER

ACCESS_LIST = "access_list/"
"""Begins the keys of reminders; what follows is the resource of their plugin data (kind ``access_list``)."""


def resource(key: str) -> str:
    """The name under which the cluster keeps the plugin data of the key."""
    return key.removeprefix(ACCESS_LIST)


def about(key: str) -> dict[str, str]:
    """The fields of a line in the log that say what it is about."""
    if not key.startswith(ACCESS_LIST):
        return {"request": key}
    name = resource(key)
    return {"owner": name} if name.startswith(OWNER) else {"access_list": name}
