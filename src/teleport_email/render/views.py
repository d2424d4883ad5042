"""The values that templates see, and lists that show only their beginning. All pure.

``docs/messages.md`` documents every attribute here for people who write their own templates. In: strings that
are harmless already (:mod:`quoting`, :mod:`names`). Out: values without behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from teleport_email.render import quoting
from teleport_email.render.approvals import Approvals, RoleApprovals
from teleport_email.render.names import Unlinked
from teleport_email.render.quoting import Quote
from teleport_email.render.times import Moment

_LIST_LIMIT = 25
FILLER = "\u034f\u00a0" * 80
"""Fills what a list of mails shows beside the subject, so that nothing from the body moves up into it."""


class Status(Struct, frozen=True):
    """A state: ``name`` is ``PENDING``, ``APPROVED``, ``DENIED``, ``PROMOTED``, ``EXPIRED`` or ``ENDED``."""

    name: str
    mark: str
    """The emoji that goes with it."""

    def __str__(self) -> str:
        return f"{self.mark} {self.name}"


class Some(Struct, frozen=True):
    """The first items of a list, and how many more there are."""

    items: tuple[str, ...] = ()
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.items)

    @property
    def total(self) -> int:
        """How many there are in all."""
        return len(self.items) + self.more


class ResourceView(Struct, frozen=True):
    """A requested resource."""

    kind: str
    """Teleport's word: ``node``, ``db``, ``kube_cluster``, ``app`` ..."""
    name: str
    """Friendly name, or the id where none could be found."""
    cluster: str
    """Name of its cluster when that is another one, else empty."""


class ReviewView(Struct, frozen=True):
    """One review."""

    number: int
    author: str
    status: Status
    reason: Quote
    at: Moment | None
    access_list: str


class RequestView(Struct, frozen=True):
    """The access request. A time is None where the cluster told none."""

    id: str
    user: str
    name: str
    """The requester's name or address where it could be read and is not the user name itself."""
    roles: Some
    every_role: tuple[str, ...]
    """All of them, for the text: filters and scripts read them there."""
    reason: Quote
    status: Status
    resolve_reason: Quote
    decided_by: Some
    access_list: str
    created: Moment | None
    expires: Moment | None
    access_from: Moment | None
    """Only where a start was asked for, or access has begun."""
    access_until: Moment | None
    access_length: str
    """``8 h``: from the start to the end; from the making of the request where no start is known yet, so that
    access is at most as long. Nothing that hangs on when it is read."""
    resources: tuple[ResourceView, ...]
    resources_more: int
    reviews: tuple[ReviewView, ...]
    reviews_before: int
    """How many reviews came before the first of ``reviews``."""
    approvals: tuple[Approvals, ...]
    role_approvals: tuple[RoleApprovals, ...]
    """What each role needs, where that differs from role to role."""
    role_approvals_more: int
    approvals_missing: int
    """The fewest approvals that could still be enough; 0 when nothing is pending."""
    long_term: bool
    """Asks for access without an end, which only a promotion to an access list grants."""


class Command(Struct, frozen=True):
    """A command line to copy: ``purpose`` is ``approve``, ``deny``, ``show`` or ``use``."""

    purpose: str
    line: str


class First(Struct, frozen=True):
    """What the first sentence names: little enough for a phone, so long names are shortened."""

    user: str
    name: str
    author: str
    """Of the review that the message tells, else empty."""
    roles: Some
    resources: tuple[ResourceView, ...]
    resources_more: int
    decided_by: Some


def some(texts: Sequence[str], harmless: Callable[[str], str], budget: int, limit: int = _LIST_LIMIT) -> Some:
    """The first of ``texts``, made harmless, that together cost at most ``budget``; at least one of them."""
    shown: list[str] = []
    for raw in texts[:limit]:
        text = harmless(raw)
        budget -= cost(text)
        if budget < 0 and shown:
            break
        shown.append(text)
    return Some(tuple(shown), len(texts) - len(shown))


def every(texts: Sequence[str], harmless: Callable[[str], str], budget: int) -> tuple[str, ...]:
    """All of ``texts``, made harmless; where they cost more than ``budget``, the last item says so."""
    shown: list[str] = []
    for raw in texts:
        text = harmless(raw)
        budget -= cost(text)
        if budget < 0:
            return (*shown, quoting.MARK)
        shown.append(text)
    return tuple(shown)


def cost(text: str) -> int:
    """Bytes of ``text`` as escaped HTML, at most."""
    if isinstance(text, Unlinked):
        return len(text.__html__())
    return len(text.encode()) + 4 * sum(map(text.count, "&<>\"'"))
