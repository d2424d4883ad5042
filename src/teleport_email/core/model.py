"""The values that go through the program: requests, reviews, content, mails, outcomes.

All frozen, without I/O and without a clock. Times are aware ``datetime`` in UTC; ``None`` where the
cluster gave none. Text that users wrote is kept as it came: whoever renders it makes it harmless.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    # mypy looks at the changes that are given to this one, and at a Struct as at a dataclass.
    from dataclasses import replace as replace  # noqa: PLC0414 - for whoever imports it from here
else:
    from msgspec.structs import replace as replace  # noqa: PLC0414


def hiding(*names: str) -> Callable[[Struct], str]:
    """A ``__repr__`` without these fields: secrets, and what nobody wants to read."""

    def shown(value: Struct) -> str:
        fields = (f"{each}={getattr(value, each)!r}" for each in value.__struct_fields__ if each not in names)
        return f"{type(value).__name__}({', '.join(fields)})"

    return shown


class RequestState(enum.StrEnum):
    """State of an access request (``types.RequestState``), and ``GONE`` once it was deleted or expired."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    PROMOTED = "PROMOTED"
    GONE = "EXPIRED"
    """Deletion and expiry look the same on the wire; people are told ``EXPIRED`` as by the Go plugin."""

    @property
    def rank(self) -> int:
        """How far along: a state only gives way to one of a higher rank."""
        return _RANKS[self]


_RANKS = {
    RequestState.PENDING: 0,
    RequestState.APPROVED: 1,
    RequestState.PROMOTED: 1,
    RequestState.DENIED: 2,  # a denial may still follow an approval
    RequestState.GONE: 3,
}


class AccessList(Struct, frozen=True):
    """The access list that a request was promoted to."""

    name: str
    title: str = ""


class Review(Struct, frozen=True):
    """One review of a request (``types.AccessReview``)."""

    author: str
    proposed_state: RequestState
    reason: str = ""
    created: datetime | None = None
    roles: tuple[str, ...] = ()
    threshold_indexes: tuple[int, ...] = ()
    assume_start: datetime | None = None
    access_list: AccessList | None = None


class Threshold(Struct, frozen=True):
    """How many reviews approve or deny (``types.AccessReviewThreshold``); 0 means one suffices."""

    name: str = ""
    filter: str = ""
    approve: int = 0
    deny: int = 0


class Constraint(Struct, frozen=True):
    """Which part of a resource is asked for: some ``logins`` or (AWS) ``roles``.

    ``what`` is empty where the server names a part in a way that this program does not know.
    """

    what: str = ""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.what}: {', '.join(self.values)}" if self.what else "a part of it"


class ResourceID(Struct, frozen=True):
    """A requested resource (``types.ResourceID``, ``types.ResourceAccessID``). A node's name is a UUID."""

    cluster: str
    kind: str
    name: str
    sub_resource: str = ""
    constraint: Constraint | None = None
    """None: all that the resource offers."""

    def __str__(self) -> str:
        """As Teleport writes it: ``/cluster/kind/name``, with a constraint behind it."""
        parts = (self.cluster, self.kind, self.name, self.sub_resource)
        path = "".join(f"/{part}" for part in parts if part)
        return f"{path} ({self.constraint})" if self.constraint else path


class AccessRequest(Struct, frozen=True):
    """An access request as the cluster showed it (``types.AccessRequestV3``)."""

    id: str
    user: str
    roles: tuple[str, ...] = ()
    state: RequestState = RequestState.PENDING
    created: datetime | None = None
    expires: datetime | None = None
    """When the request disappears (``Metadata.Expires``)."""
    access_expires: datetime | None = None
    """When access granted by it would end (``Spec.Expires``)."""
    max_duration: datetime | None = None
    session_ttl: datetime | None = None
    assume_start: datetime | None = None
    request_reason: str = ""
    resolve_reason: str = ""
    reviews: tuple[Review, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    role_thresholds: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    """Role -> sets of indexes of ``thresholds``: of every set one must be met. Empty: not told."""
    suggested_reviewers: tuple[str, ...] = ()
    resources: tuple[ResourceID, ...] = ()
    system_annotations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    access_list: AccessList | None = None
    login_hint: str = ""
    dry_run: bool = False
    long_term: bool = False
    """Asks for access without an end, which only a promotion to an access list grants."""

    @property
    def progress(self) -> tuple[int, int]:
        """Grows with every step of the request's life: (rank of the state, number of reviews)."""
        return (self.state.rank, len(self.reviews))


class Shift(Struct, frozen=True):
    """A part of a day of the week, as it is written: ``Monday``, ``22:00``, ``23:59``."""

    weekday: str
    start: str
    end: str


class Schedule(Struct, frozen=True):
    """When a rule counts. ``timezone``: an IANA name, empty for UTC; without shifts it never does."""

    shifts: tuple[Shift, ...] = ()
    timezone: str = ""


class AccessMonitoringRule(Struct, frozen=True):
    """An Access Monitoring Rule, as far as notification needs it."""

    name: str
    subjects: tuple[str, ...] = ()
    condition: str = ""
    notification: str = ""
    """Name of the plugin that is to notify (``spec.notification.name``)."""
    recipients: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    desired_state: str = ""
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    """By name; none: at any time."""
    labels: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    """What its spec holds that this program does not know: ``spec: field 9``, ``spec: colour``."""


class User(Struct, frozen=True):
    """A cluster user, as far as finding an address needs it."""

    name: str
    roles: tuple[str, ...] = ()
    traits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class ClusterInfo(Struct, frozen=True):
    """What ``Ping`` tells about the cluster."""

    name: str
    server_version: str = ""
    proxy_public_addr: str = ""
    """``host:port`` of the Proxy, or empty."""
    advanced_access_workflows: bool = False
    """Whether requests can be reviewed in the web UI (else by ``tsh`` only)."""
    cloud: bool = False


# Messages -------------------------------------------------------------------------------------------


class Topic(enum.StrEnum):
    """What a message is about; the value is its short code in ledgers and Message-IDs."""

    ANNOUNCEMENT = "a"
    REVIEW = "r"
    REMINDER = "m"
    ESCALATION = "e"
    """The announcement to somebody who was not told at first: nobody has decided for a while."""
    APPROVED = "A"
    DENIED = "D"
    PROMOTED = "P"
    EXPIRED = "X"
    # The announcement of a request that is over already: announcement, reviews and resolution in one.
    ANNOUNCED_APPROVED = "aA"
    ANNOUNCED_DENIED = "aD"
    ANNOUNCED_PROMOTED = "aP"
    # For the requester, in a thread of their own.
    RECEIVED = "q"
    REQUESTER_APPROVED = "qA"
    REQUESTER_DENIED = "qD"
    REQUESTER_PROMOTED = "qP"
    REQUESTER_EXPIRED = "qX"
    ENDED = "qE"
    # For the owners of Access Lists: of no request.
    AUDIT = "l"
    """Reviews of Access Lists are due."""

    @property
    def for_requester(self) -> bool:
        """Whether the message goes to the requester, not to reviewers."""
        return self.value.startswith("q")


OF_REQUESTS = tuple(topic for topic in Topic if topic is not Topic.AUDIT)
"""The topics of messages about Access Requests."""

REMINDING = 100_000
"""Added to the number of an announcement that takes the place of a reminder, once for each: what was refused
is tried again then, with an id that no announcement before has. More than a request has reviews."""


class Kind(Struct, frozen=True):
    """Kind of a message: its topic, and which review or reminder (or how many reviews it covers)."""

    topic: Topic
    number: int = 0
    """REVIEW: 1 for the first. Announcements and ESCALATION: the number of reviews told along, perhaps with
    :data:`REMINDING`; 0 for the first try of a pending request's, which tells none. REMINDER: minutes before
    the end, where there are several. AUDIT: the round, from 1. Else 0."""

    @property
    def code(self) -> str:
        """Short form: ``a``, ``r1``, ``A``, ``aA2`` ..."""
        return f"{self.topic.value}{self.number}" if self.number else self.topic.value

    @property
    def covers(self) -> int:
        """How many reviews an announcement tells along, so that nobody is told of them again; else 0."""
        return self.number % REMINDING if self.topic.value.startswith(("a", "e")) else 0

    @classmethod
    def parse(cls, code: str) -> Kind:
        """The kind of a code; ``ValueError`` when there is none such."""
        letters = code.rstrip("0123456789")
        return cls(Topic(letters), int(code[len(letters) :] or 0))

    def __str__(self) -> str:
        name = self.topic.name.lower().replace("_", " ")
        if self.topic is Topic.AUDIT:
            return "access list review"
        if self.topic is Topic.REMINDER and self.number:
            return f"{name} {self.number} min"
        return f"{name} {self.number}" if self.topic is Topic.REVIEW else name


class Content(Struct, frozen=True):
    """What a message says, the same for all its recipients. Frozen in the ledger before the first try.

    From it, the recipient and the Message-ID the bytes follow, so a retry by whomever is the same mail.
    """

    subject: str
    text: str
    html: str
    date: datetime
    """Whole seconds, UTC: the ``Date`` header."""
    boundary: str
    """Of ``multipart/alternative``; random, so that no user's text can contain it."""
    sender: str
    """Bare address, or ``Name <address>`` where the configuration allows it."""
    reply_to: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """More headers, in order: ``List-Id``, ``X-Teleport-*``. Printable ASCII, no line breaks."""
    plain_subject: str = ""
    """The Go plugin's form of the subject where ``subject`` is another. Kept beside the ledger's contents."""


class Mail(Struct, frozen=True):
    """One message to one recipient, ready to be made into bytes."""

    recipient: str
    message_id: str
    """Without angle brackets; at most 70 characters, so that no client or library folds it."""
    thread_root: str
    """What ``References`` names in every message of the thread; without brackets."""
    content: Content
    announces: bool = False
    """Whether it is a new request's: those have no ``In-Reply-To``, by which people tell them."""

    __repr__ = hiding("content")


# What became of one attempt to send -----------------------------------------------------------------


class Delivered(Struct, frozen=True):
    """The server has taken responsibility (SMTP 250 after the dot; Mailgun 200 with an id)."""

    answer: str = ""


class Temporary(Struct, frozen=True):
    """Not delivered as far as is known; worth another try."""

    reason: str
    maybe_accepted: bool = False
    """True when the final dot (or the whole HTTP request) was sent and no definite refusal came back."""
    retry_after: float | None = None
    """Seconds the server asked for."""


class Refused(Struct, frozen=True):
    """This recipient (or this very message) will never be accepted: give up on it."""

    reason: str


class Believe(enum.Enum):
    """When a permanent refusal that does not name the mailbox is taken for the recipient's all the same."""

    NEVER = enum.auto()
    REPEATED = enum.auto()
    """It says that there is no such domain: when it has said so several times in a row."""
    SEEN = enum.auto()
    """It says nothing by an enhanced code: when the same came again and again while others were accepted."""


class Declined(Struct, frozen=True):
    """Refused for good, but nothing says that the mailbox is at fault: perhaps we are. Definitely not
    delivered; tried again after a wait of this recipient's own.
    """

    reason: str
    believe: Believe = Believe.NEVER
    tried: bool = True
    """False: not even tried, since this recipient still waits after an earlier refusal."""


class AccountFault(Struct, frozen=True):
    """The account, not the message, is at fault (login, sender, domain). Definitely not delivered."""

    reason: str
    login: bool = False
    """The login was refused: tried again less eagerly, since servers lock accounts."""


class Withdrawn(Struct, frozen=True):
    """Given back before its dot because the claim was lost or too old. Definitely not delivered."""

    reason: str = ""


SendOutcome = Delivered | Temporary | Refused | Declined | AccountFault | Withdrawn
