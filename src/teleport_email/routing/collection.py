"""Recipients as the sources of a route name them. Pure.

Two spellings are the same recipient when only the case of the domain differs.
"""

from __future__ import annotations

from msgspec import Struct, field

from teleport_email.routing.route import Skipped


class Collection(Struct):
    """Recipients as they come in: first one first, with every reason."""

    found: dict[tuple[str, str], tuple[str, list[str]]] = field(default_factory=dict)
    skipped: dict[Skipped, None] = field(default_factory=dict)
    """Each once, in order."""

    spelled: dict[str, str] = field(default_factory=dict)
    """How it was written where it came in first, if that is another form of the address."""
    names: dict[str, list[str]] = field(default_factory=dict)
    """Address -> the user names for which it was looked up."""

    def add(self, address: str, why: str, written: str = "", user: str = "") -> None:
        if same(address) not in self.found and written.strip() not in ("", address):
            self.spelled[address] = written.strip()
        first, reasons = self.found.setdefault(same(address), (address, []))
        if why not in reasons:
            reasons.append(why)
        if user and user not in self.names.setdefault(first, []):
            self.names[first].append(user)

    def take(self, other: Collection) -> None:
        """Add all that the other has found."""
        for address, reasons in other.found.values():
            for why in reasons:
                self.add(address, why, other.spelled.get(address, ""))
            for user in other.names.get(address, ()):
                self.add(address, reasons[0], user=user)

    def skip(self, candidate: str, why: str) -> None:
        self.skipped[Skipped(candidate, why)] = None


def same(address: str) -> tuple[str, str]:
    local, _, domain = address.rpartition("@")
    return (local, domain.lower())
