"""One candidate for being told: an address, or the name of a user who may have one. Pure.

What nobody who runs the cluster wrote is held against ``delivery.allowed_domains``.
"""

from __future__ import annotations

from collections.abc import Mapping

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.addresses import parse_address
from teleport_email.routing.collection import Collection
from teleport_email.routing.route import Reason, Route

_SSO = "SSO users who are not logged in may not be found"


def add_foreign(
    chosen: Collection,
    candidate: str,
    why: str,
    delivery: DeliverySettings,
    addresses: Mapping[str, str | None],
) -> None:
    """An address that no administrator wrote, or a user's name: a requester may have a say in it."""
    address = address_of(candidate)
    if address is None:
        add_user(chosen, candidate, why, delivery, addresses)
    elif is_allowed(address, delivery):
        chosen.add(address, why, candidate)
    else:
        chosen.skip(candidate, f"{why}: the domain is not in delivery.allowed_domains")


def add_user(
    chosen: Collection,
    name: str,
    why: str,
    delivery: DeliverySettings,
    addresses: Mapping[str, str | None],
) -> None:
    """A recipient that is a user's name: their looked-up address, if there is one and it is allowed."""
    if name not in addresses:
        chosen.skip(name, f"{why}: not an email address, and users could not be looked up")
        return
    found = addresses[name]
    if found is None:
        chosen.skip(
            name, f'{why}: not an email address, and no address (trait "email") was found for it; {_SSO}'
        )
        return
    address = address_of(found)
    if address is None:
        chosen.skip(name, f'{why}: the user\'s trait "email" is not an email address')
    elif is_allowed(address, delivery):
        chosen.add(address, f"{why}, user {name}", found, name)
    else:
        chosen.skip(name, f"{why}: the domain of the user's address is not in delivery.allowed_domains")


def fall_back(chosen: Collection, delivery: DeliverySettings, problem: str, whom: str) -> tuple[str, bool]:
    """Nobody is left (``problem`` says why): tell ``delivery.fallback_recipient`` where there is one.

    Returns the problem in full, and whether there is. ``whom``: who could not be told, for the reason.
    """
    if delivery.fallback_recipient:
        chosen.add(delivery.fallback_recipient, f"fallback_recipient: {whom} could be told")
        return problem, True
    return f"{problem}, and no delivery.fallback_recipient is set", False


def route_to(chosen: Collection, delivery: DeliverySettings, spelled: Mapping[str, str] | None) -> Route:
    """The route to whom was found, up to ``delivery.max_recipients``.

    ``spelled``: how the configuration writes an address where that is another form of it.
    """
    dropped = _apply_limit(chosen, delivery.max_recipients)
    told = tuple(address for address, _ in chosen.found.values())
    written = {**(spelled or {}), **chosen.spelled}
    return Route(
        recipients=told,
        spelled={address: text for address, text in written.items() if address in told},
        names={address: tuple(users) for address, users in chosen.names.items() if users and address in told},
        reasons=tuple(Reason(address, "; ".join(why)) for address, why in chosen.found.values()),
        skipped=tuple(chosen.skipped),
        dropped=dropped,
    )


def _apply_limit(chosen: Collection, most: int) -> int:
    over = list(chosen.found.items())[most:]
    for key, (address, _) in over:
        del chosen.found[key]
        chosen.skip(address, f"beyond the first {most} recipients (delivery.max_recipients)")
    return len(over)


def is_allowed(address: str, delivery: DeliverySettings) -> bool:
    """Whether its domain is one of ``delivery.allowed_domains``, or these are not limited."""
    allowed = delivery.allowed_domains
    return not allowed or address.rpartition("@")[2].lower() in (domain.lower() for domain in allowed)


def address_of(text: str) -> str | None:
    """The address that a text is, in the form in which addresses are compared; None where it is none."""
    try:
        return parse_address(text.strip())
    except ValueError:
        return None
