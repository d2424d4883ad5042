"""What an SMTP server can do to its clients, as a script: per verb, recipient and occurrence.

faults = SmtpFaults()
faults.on("RCPT", Reply(550, "5.1.1 no such user"), recipient="gone@example.com")
faults.on("DOT", Cut(keep=True), times=1)          # took the mail, never said so
faults.on("MAIL", Reply(451, "4.3.0 later"), times=3, after=2)
faults.delay = 0.05                                # a round trip to everything
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from .script import Cut, Recipients, Rule, Script, Silence, Wait

__all__ = ["Action", "Cut", "Reply", "Silence", "SmtpFaults", "Verb", "Wait"]

Verb = Literal[
    "CONNECT", "HELO", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "DOT", "RSET", "NOOP", "QUIT", "*"
]
"""A command; ``CONNECT`` is the greeting, ``DOT`` the end of the data, ``*`` any of them."""


class Reply(Struct, frozen=True):
    """Answer this instead. 421 ends the connection, others only with ``close``."""

    code: int
    text: str = "scripted"
    close: bool = False
    keep: bool = False
    """At the dot: take the mail nevertheless."""


Action = Reply | Cut | Silence | Wait


class SmtpFaults(Script):
    """The script of one SMTP server. All attributes may be changed while it runs.

    ``delay`` applies to greeting, commands and dot.
    """

    pipelining = True
    """Offered to clients (RFC 2920). No fault, so :meth:`clear` leaves it as it is."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.connection_limit: int | None = None
        self.over_limit: Literal["421", "cut"] = "421"
        """What a connection beyond the limit gets."""
        self.messages_per_connection: int | None = None
        """The next MAIL after so many messages gets 421."""
        self.greylist: float | None = None
        """Seconds that must pass between a recipient's first RCPT (answered 451) and a good one."""
        self.drops_commands = False
        """Of commands that come in one go all but the first are thrown away, whatever is offered."""
        self.hide_starttls = False
        """STARTTLS is neither offered nor known nor demanded, as when somebody in between strips it."""
        self.smtputf8 = False
        """Whether addresses that are not ASCII are taken (RFC 6531)."""
        self.refuse_login = False
        """Every AUTH gets 535, until repaired."""
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
        """Add a rule, as :meth:`Script.add`. ``recipient`` makes sense for RCPT and DOT."""
        return self.add(verb, action, recipient=recipient, times=times, after=after, chance=chance)

    def clear(self) -> None:
        """Be a good server again: no rules, no limits, no delay."""
        super().clear()
        self.connection_limit = self.messages_per_connection = self.greylist = None
        self.over_limit = "421"
        self.hide_starttls = self.refuse_login = self.smtputf8 = self.drops_commands = False
        self._first_seen.clear()

    def at(self, verb: str, recipients: Sequence[str] = (), *, now: float = 0.0) -> Action | None:
        """What to do at this occasion; None: nothing special. ``now`` in seconds of any clock."""
        action: Action | None = self.act(verb, recipients)
        if action is not None:
            return action
        if verb == "RCPT" and self.greylist is not None:
            for address in recipients:
                known = address.lower() in self._first_seen
                first = self._first_seen.setdefault(address.lower(), now)
                if not known or now - first < self.greylist:
                    return Reply(451, "4.7.1 greylisted, please try again later")
        if verb == "AUTH" and self.refuse_login:
            return Reply(535, "5.7.8 authentication credentials invalid")
        return None
