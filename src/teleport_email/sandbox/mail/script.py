"""A script of faults: what a server does at which occasion, to whom, and how often."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, field

from teleport_email.core.model import hiding


class Cut(Struct, frozen=True):
    """Drop the connection without a word, with or without having kept the mail."""

    keep: bool = False


class Silence(Struct, frozen=True):
    """Never answer, with or without having kept the mail."""

    keep: bool = False


class Wait(Struct, frozen=True):
    """Answer as usual, this many seconds late."""

    seconds: float


Recipients = str | Callable[[str], bool] | None


class Rule(Struct, eq=False):
    """One line of the script; :meth:`remove` takes it out. ``used`` counts how often it acted."""

    occasion: str
    action: Any
    recipient: Recipients = None
    times: int | None = None
    after: int = 0
    chance: float = 1.0
    used: int = 0
    _seen: int = 0
    _script: list[Rule] = field(default_factory=list)

    __repr__ = hiding("_seen", "_script")

    def remove(self) -> None:
        """Stop acting; no error when it has been removed before."""
        if self in self._script:
            self._script.remove(self)

    def matches(self, occasion: str, recipients: Sequence[str], chance: random.Random) -> bool:
        """Whether the rule acts now; counts the occasion."""
        if self.occasion not in {occasion, "*"} or (self.times is not None and self.used >= self.times):
            return False
        if self.recipient is not None and not any(self._concerns(address) for address in recipients):
            return False
        self._seen += 1
        if self._seen <= self.after or (self.chance < 1 and chance.random() >= self.chance):
            return False
        self.used += 1
        return True

    def _concerns(self, address: str) -> bool:
        if callable(self.recipient):
            return self.recipient(address)
        return address.lower() == str(self.recipient).lower()


class Script:
    """The rules of one server, in order. The same occasions in the same order give the same faults:
    chance comes from the seed.
    """

    def __init__(self, seed: int = 0) -> None:
        self.delay = 0.0
        """Seconds before every answer."""
        self.rules: list[Rule] = []
        self._random = random.Random(seed)

    def add(
        self,
        occasion: str,
        action: Any,
        *,
        recipient: Recipients = None,
        times: int | None = None,
        after: int = 0,
        chance: float = 1.0,
    ) -> Rule:
        """Add a rule: act at ``occasion``, ``times`` times (None: always), leaving out the first ``after``
        occasions, with this ``chance`` each, only for ``recipient`` (address or predicate). The first
        rule that matches acts.
        """
        rule = Rule(occasion, action, recipient, times, after, chance, _script=self.rules)
        self.rules.append(rule)
        return rule

    def act(self, occasion: str, recipients: Sequence[str] = ()) -> Any:
        """The action of the first rule that matches, or None."""
        for rule in tuple(self.rules):
            if rule.matches(occasion, recipients, self._random):
                return rule.action
        return None

    def clear(self) -> None:
        """Be a good server again: no rules, no delay."""
        self.rules.clear()
        self.delay = 0.0
