"""The exception tree. Foreign errors are mapped to these in one place per adapter.

TeleportEmailError
├── ConfigError            the configuration cannot be used; carries every fault
├── IdentityError          key, certificate or CAs cannot be used; names the file and the fact
│   ├── IdentityExpired    nothing wrong with them but their time
│   └── IdentityNotYetValid  their time has not come, or the clock is wrong: passes by itself
├── ClusterError           a call to the cluster did not work
│   ├── Unreachable        no connection, no answer, stream ended: try again
│   ├── Denied             a permission is missing
│   ├── NotFound           the thing does not exist (any more)
│   ├── Conflict           a compare-and-swap lost: read again and decide
│   ├── Unsupported        the server does not have this call
│   └── Rejected           the server refuses the call as such (bad parameter, limit)
├── LedgerUnreadable       plugin data that cannot be understood: leave it alone
│   └── LedgerTooNew       written by a newer version of this program
├── ConditionError         a rule's condition does not parse or evaluate
└── TemplateError          a template of the user's cannot be used; names file and line
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "ClusterError",
    "ConditionError",
    "ConfigError",
    "Conflict",
    "Denied",
    "Fault",
    "IdentityError",
    "IdentityExpired",
    "IdentityNotYetValid",
    "LedgerTooNew",
    "LedgerUnreadable",
    "NotFound",
    "Rejected",
    "TeleportEmailError",
    "TemplateError",
    "Unreachable",
    "Unsupported",
]


class TeleportEmailError(Exception):
    """Base of everything that this program raises on purpose. The message is meant for people."""


class Fault(NamedTuple):
    """One thing wrong with the configuration."""

    path: str
    """Dotted path of the key, such as ``smtp.port``; a file's path with line and column for syntax."""
    what: str
    """What is wrong and what to do about it, one sentence, no secret in it."""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class ConfigError(TeleportEmailError):
    """The configuration cannot be used. ``faults`` has all of them, in the order of the file."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class IdentityError(TeleportEmailError):
    """Key, certificate or CAs cannot be used. The message names the file and the fact."""


class IdentityExpired(IdentityError):
    """The certificate's time is over."""


class IdentityNotYetValid(IdentityError):
    """The certificate's time has not come, or is over by a clock that nothing has set since the boot."""


class ClusterError(TeleportEmailError):
    """A call to the cluster did not work."""


class Unreachable(ClusterError):
    """No connection, no answer in time, or the stream ended. The call may have been carried out."""


class Denied(ClusterError):
    """The role lacks a permission (PERMISSION_DENIED)."""


class NotFound(ClusterError):
    """The thing does not exist, or no longer (NOT_FOUND)."""


class Conflict(ClusterError):
    """A compare-and-swap lost, or the server saw too many writes at once (FAILED_PRECONDITION)."""


class Unsupported(ClusterError):
    """The server does not have this call (UNIMPLEMENTED)."""


class Rejected(ClusterError):
    """The server refuses the call as such: bad parameter or a limit exceeded."""


class LedgerUnreadable(TeleportEmailError):
    """The ledger in the plugin data cannot be understood. It is left as it is."""


class LedgerTooNew(LedgerUnreadable):
    """The ledger was written by a newer version of this program. It is left as it is."""


class ConditionError(TeleportEmailError):
    """A condition does not parse or does not evaluate. ``position`` counts characters from 0."""

    def __init__(self, what: str, position: int | None = None) -> None:
        self.position = position
        super().__init__(what if position is None else f"{what} (at character {position + 1})")


class TemplateError(TeleportEmailError):
    """A template cannot be used. The message names file and line."""
