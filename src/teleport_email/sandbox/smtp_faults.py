"""What an SMTP server can do to its clients, as a script: per verb, recipient and occurrence.

    faults = SmtpFaults()
    faults.on("RCPT", Reply(550, "5.1.1 no such user"), recipient="gone@example.com")
    faults.on("DOT", Cut(keep=True), times=1)          # took the mail, never said so
    faults.on("MAIL", Reply(451, "4.3.0 later"), times=3, after=2)
    faults.delay = 0.05                                # a round trip to everything

The same calls in the same order give the same faults: chance comes from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Verb = Literal[
    "CONNECT", "HELO", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "DOT", "RSET", "NOOP", "QUIT", "*"
]
"""A command; ``CONNECT`` is the greeting, ``DOT`` the end of the data, ``*`` any of them."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer this instead. 421 ends the connection, others only with ``close``."""

    code: int
    text: str = "scripted"
    close: bool = False
    keep: bool = False
    """At the dot: take the mail nevertheless."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Drop the connection without a word; at the dot with or without having kept the mail."""

    keep: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """Never answer; at the dot with or without having kept the mail."""

    keep: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Answer as usual, this many seconds late."""

    seconds: float


Action = Reply | Cut | Silence | Wait
Recipients = str | Callable[[str], bool] | None


@dataclass(eq=False)
class Rule:
    """One line of the script; :meth:`remove` takes it out. ``used`` counts how often it acted."""

    verb: Verb
    action: Action
    recipient: Recipients = None
    times: int | None = None
    after: int = 0
    chance: float = 1.0
    used: int = 0
    _seen: int = field(default=0, repr=False)
    _script: list[Rule] = field(default_factory=list, repr=False)

    def remove(self) -> None:
        """Stop acting; no error when it has been removed before."""
        if self in self._script:
            self._script.remove(self)

    def matches(self, verb: str, recipients: Sequence[str], chance: random.Random) -> bool:
        """Whether the rule acts now; counts the occasion."""
        if self.verb not in {verb, "*"} or (self.times is not None and self.used >= self.times):
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


class SmtpFaults:
    """The script of one server. All attributes may be changed while it runs."""

    def __init__(self, seed: int = 0) -> None:
        self.delay = 0.0
        """Seconds before every answer: greeting, commands, dot."""
        self.connection_limit: int | None = None
        self.over_limit: Literal["421", "cut"] = "421"
        """What a connection beyond the limit gets."""
        self.messages_per_connection: int | None = None
        """The next MAIL after so many messages gets 421."""
        self.greylist: float | None = None
        """Seconds that must pass between a recipient's first RCPT (answered 451) and a good one."""
        self.hide_starttls = False
        """STARTTLS is neither offered nor known nor demanded, as when somebody in between strips it."""
        self.refuse_login = False
        """Every AUTH gets 535, until repaired."""
        self.rules: list[Rule] = []
        self._random = random.Random(seed)
        self._first_seen: dict[str, float] = {}

    def on(
        self,
        verb: Verb,
        action: Action,
        *,
        recipient: Recipients = None,
        times: int | None = None,
        after: int = 0,
        chance: float = 1.0,
    ) -> Rule:
        """Add a rule: act at ``verb``, ``times`` times (None: always), leaving out the first ``after``
        occasions, with this ``chance`` each, only for ``recipient`` (address or predicate; for RCPT and
        DOT). The first rule that matches acts.
        """
        rule = Rule(verb, action, recipient, times, after, chance, _script=self.rules)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Be a good server again: no rules, no limits, no delay."""
        self.rules.clear()
        self.delay = 0.0
        self.connection_limit = self.messages_per_connection = self.greylist = None
        self.over_limit = "421"
        self.hide_starttls = self.refuse_login = False
        self._first_seen.clear()

    def at(self, verb: str, recipients: Sequence[str] = (), *, now: float = 0.0) -> Action | None:
        """What to do at this occasion; None: nothing special. ``now`` in seconds of any clock."""
        for rule in tuple(self.rules):
            if rule.matches(verb, recipients, self._random):
                return rule.action
        if verb == "RCPT" and self.greylist is not None:
            for address in recipients:
                known = address.lower() in self._first_seen
                first = self._first_seen.setdefault(address.lower(), now)
                if not known or now - first < self.greylist:
                    return Reply(451, "4.7.1 greylisted, please try again later")
        if verb == "AUTH" and self.refuse_login:
            return Reply(535, "5.7.8 authentication credentials invalid")
        return None
