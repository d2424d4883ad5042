"""Whether a refusal by policy is about one recipient or about all of us. Pure.

``550 5.7.1`` is said about a mailbox that takes no mail from outside, and about an account that may not send
at all (relaying denied, Exchange's SendAsDenied); the second must not cost anybody their message. So a
recipient is given up only after the account was seen to get through to others in between.
"""

from __future__ import annotations

from collections import OrderedDict

from teleport_email.core.model import AccountFault, Refused, Temporary

from .replies import PolicyRefusal

__all__ = ["Standing"]

REMEMBERED = 1000
"""Recipients whose first refusal is remembered; whoever is forgotten costs one more try."""


class Standing:
    """What the account has achieved so far."""

    def __init__(self) -> None:
        self._accepted = 0
        self._refused: OrderedDict[str, int] = OrderedDict()

    def accepted(self, recipient: str) -> None:
        """A message to this recipient was accepted."""
        self._accepted += 1
        self._refused.pop(recipient, None)

    def judge(self, recipient: str, refusal: PolicyRefusal) -> Temporary | Refused | AccountFault:
        """What the refusal means by now."""
        before = self._refused.get(recipient)
        if before is None:
            self._refused[recipient] = self._accepted
            if len(self._refused) > REMEMBERED:
                self._refused.popitem(last=False)
            return Temporary(refusal.reason) if self._accepted else AccountFault(refusal.reason)
        if self._accepted > before:
            return Refused(refusal.reason)
        return AccountFault(refusal.reason)
