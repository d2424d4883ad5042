"""Who is reminded of the review of an Access List, and which of its owners are not and why. Pure.

What has to be looked up (``names_to_look_up``) comes in as ``addresses``. An owner whose name is an address
is written to there, any other at the first address of their trait ``email``. Owners are named in the cluster,
not in our configuration, so ``delivery.allowed_domains`` concerns all; ``delivery.max_recipients`` counts
per list. Where no owner is left, ``delivery.fallback_recipient`` is told, as for requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.audits import ListOwner
from teleport_email.core.model import replace
from teleport_email.routing.candidates import add_foreign, address_of, fall_back, route_to
from teleport_email.routing.collection import Collection
from teleport_email.routing.route import Route

MOST = 2000
"""Owners of one list that are looked at, more than ``delivery.max_recipients`` is meant for: whoever may edit
a list could name tens of thousands, and each takes a look-up, or a part of a millisecond of everybody's."""


def names_to_look_up(owners: Sequence[ListOwner]) -> tuple[str, ...]:
    """The user names whose address :func:`reminded` would like to know; each once, in order."""
    names = [owner.name.strip() for owner in owners[:MOST] if not owner.is_list]
    return tuple(dict.fromkeys(name for name in names if name and address_of(name) is None))


def reminded(
    owners: Sequence[ListOwner],
    delivery: DeliverySettings,
    addresses: Mapping[str, str | None],
    spelled: Mapping[str, str] | None = None,
) -> Route:
    """Who is reminded of a list with these owners.

    ``addresses``: user name -> the address found for it, ``None`` when there is none; a name that is missing
    was not looked up. ``spelled``: how the configuration writes an address where that is another form of it.
    """
    chosen = Collection()
    for owner in owners[:MOST]:
        name = owner.name.strip()
        if owner.is_list:
            chosen.skip(name, "owner: a list whose owners the cluster did not name")
        elif name:
            add_foreign(chosen, name, "owner", delivery, addresses)
    if (beyond := len(owners) - MOST) > 0:
        chosen.skip(f"{beyond} more", f"owner: beyond the first {MOST} owners of the list")
    problem, fallback = "", False
    if not chosen.found:
        problem, fallback = fall_back(chosen, delivery, "no owner has a usable address", "no owner")
    return replace(route_to(chosen, delivery, spelled), fallback=fallback, problem=problem)
