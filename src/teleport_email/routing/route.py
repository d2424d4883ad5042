"""The outcome of routing: who is told of a request, and why, and who is not. Pure values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

_SHOWN = 20
"""Entries of each kind in a summary: a line of the log stays readable with 500 recipients."""
_LONGEST = 200
"""Characters of one name or reason in a summary: requesters choose names."""


class Reason(Struct, frozen=True):
    """Why an address is told; several reasons are joined by ``; ``."""

    address: str
    why: str


class Skipped(Struct, frozen=True):
    """A candidate (as it was written) that is not told, and why not."""

    candidate: str
    why: str


class RuleVerdict(Struct, frozen=True):
    """What became of one rule. ``why``: why it did not match, or what is special about a match.

    ``faulty``: its condition or its schedule is to blame.
    """

    name: str
    matched: bool
    why: str = ""
    faulty: bool = False
    remarks: tuple[str, ...] = ()


class Route(Struct, frozen=True):
    """Who is told. ``recipients`` and ``reasons`` are in the same order: that of the sources."""

    recipients: tuple[str, ...] = ()
    spelled: Mapping[str, str] = field(default_factory=dict)
    """How a recipient was written, where that is another form of the address."""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Recipient -> the user names for which the address was looked up."""
    reasons: tuple[Reason, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    rules: tuple[str, ...] = ()
    """Names of the rules that matched."""
    verdicts: tuple[RuleVerdict, ...] = ()
    """Every rule that was looked at, by name."""
    excluded: bool = False
    """Nobody is told on purpose (``delivery.exclude_roles``)."""
    silenced: bool = False
    """Nobody is told on purpose: only rules matched that tell nobody."""
    fallback: bool = False
    """``delivery.fallback_recipient`` is told because nobody else could be."""
    problem: str = ""
    """Not empty: the routing did not work as meant; belongs into the log as an error, and counted."""
    dropped: int = 0
    """How many more there would have been without ``delivery.max_recipients``."""

    @property
    def faults(self) -> tuple[RuleVerdict, ...]:
        """The rules whose condition does not parse or evaluate: one clear log line each, counted."""
        return tuple(verdict for verdict in self.verdicts if verdict.faulty)

    def summary(self) -> str:
        """The whole decision in one printable line, for the log."""
        if self.excluded:
            return "nobody: every requested role is excluded"
        if self.silenced:
            return f"nobody: silenced by the rules {listed(plain(name) for name in self.rules)}"
        told = listed(f"{plain(reason.address)} ({plain(reason.why)})" for reason in self.reasons)
        parts = [f"told {len(self.recipients)}: {told}" if self.recipients else "told nobody"]
        if self.rules:
            parts.append("rules " + listed(plain(name) for name in self.rules))
        if self.skipped:
            parts.append("not " + listed(f"{plain(entry.candidate)} ({entry.why})" for entry in self.skipped))
        if self.problem:
            parts.append(self.problem)
        return "; ".join(parts)


def listed(entries: Iterable[str]) -> str:
    shown = list(entries)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def plain(text: str) -> str:
    """User text for one line of a log: what is not printable is escaped, what is very long is cut."""
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    return shown if shown.isprintable() else shown.encode("unicode_escape").decode("ascii")
