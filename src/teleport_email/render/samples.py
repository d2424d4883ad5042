"""Made-up requests: one or more for every kind of message, for checks of templates, previews and tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

from teleport_email.core.audits import WINDOW, Audit
from teleport_email.core.model import (
    OF_REQUESTS,
    AccessList,
    AccessRequest,
    ClusterInfo,
    Kind,
    RequestState,
    ResourceID,
    Review,
    Threshold,
    Topic,
    replace,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""When the samples happen."""
CLUSTER = ClusterInfo(
    name="demo.example.com",
    server_version="17.0.0",
    proxy_public_addr="teleport.example.com:443",
    advanced_access_workflows=True,
)
COMMUNITY = replace(CLUSTER, advanced_access_workflows=False)
_NODE = ResourceID("demo.example.com", "node", "2e1f6a0c-97f5-4d5e-9d0a-5b6f6a3b1c11")
_DATABASE = ResourceID("leaf.example.com", "db", "orders-primary")
RESOURCE_NAMES: Mapping[ResourceID, str] = {_NODE: "web-01"}
RECIPIENTS = ("bob@example.com", "carol@example.com", "security@example.com")


class Sample(Struct, frozen=True):
    """Everything that one message needs."""

    name: str
    kind: Kind
    request: AccessRequest
    cluster: ClusterInfo = CLUSTER
    recipients: tuple[str, ...] = RECIPIENTS
    resource_names: Mapping[ResourceID, str] = field(default_factory=lambda: RESOURCE_NAMES)
    requester_name: str = "Alice Martin"
    now: datetime = NOW

    @property
    def silent(self) -> tuple[str, ...]:
        """Of the recipients, all but the first, who has written the first review."""
        return self.recipients[1:]


REQUEST = AccessRequest(
    id="018f2d1e-7c3a-7b52-9d41-3f6f0a9b2c11",
    user="alice@example.com",
    roles=("db-admin", "web-deploy"),
    created=NOW - timedelta(minutes=2),
    expires=NOW + timedelta(hours=3),
    access_expires=NOW + timedelta(hours=8),
    max_duration=NOW + timedelta(hours=8),
    session_ttl=NOW + timedelta(hours=8),
    request_reason="INC-4711: orders are stuck since the deployment.\n"
    "I need to look at the queue table and restart the worker.",
    thresholds=(Threshold(name="default", approve=2, deny=1),),
    suggested_reviewers=("bob@example.com",),
    resources=(_NODE, _DATABASE),
)
"""A pending request with everything in it."""

_FIRST = Review(
    author="bob@example.com",
    proposed_state=RequestState.APPROVED,
    reason="Go ahead, I am on the incident call too.",
    created=NOW - timedelta(minutes=1),
    threshold_indexes=(0,),
)
_SECOND = replace(_FIRST, author="carol@example.com", reason="", created=NOW)
_DENIAL = Review(
    author="carol@example.com",
    proposed_state=RequestState.DENIED,
    reason="Not during the freeze.\nPlease ask again on Monday.",
    created=NOW,
    threshold_indexes=(0,),
)
_LIST = AccessList("6a5e8e7c-0c3f-4b1a-9a35-8f2c8a5f1b77", "Database operators")

APPROVED = replace(
    REQUEST, state=RequestState.APPROVED, reviews=(_FIRST, _SECOND), resolve_reason=_FIRST.reason
)
DENIED = replace(REQUEST, state=RequestState.DENIED, reviews=(_FIRST, _DENIAL), resolve_reason=_DENIAL.reason)
PROMOTED = replace(
    REQUEST,
    state=RequestState.PROMOTED,
    access_list=_LIST,
    reviews=(replace(_FIRST, proposed_state=RequestState.PROMOTED, access_list=_LIST),),
)
LONG_AGO = replace(
    APPROVED,
    state=RequestState.GONE,
    created=NOW - timedelta(hours=8, minutes=3),
    expires=NOW,
    access_expires=NOW,
)
BARE = AccessRequest(id=REQUEST.id, user="alice", roles=("db-admin",), request_reason="INC-4711")
"""What a ledger alone knows of a request."""


def request_for(kind: Kind) -> AccessRequest:
    """A made-up request at the stage at which a message of that kind is sent."""
    stages: dict[Topic, AccessRequest] = {
        Topic.REVIEW: replace(REQUEST, reviews=(_FIRST,)),
        Topic.REMINDER: replace(REQUEST, reviews=(_FIRST,), expires=NOW + timedelta(hours=2)),
        Topic.ESCALATION: replace(REQUEST, reviews=(_FIRST,), created=NOW - timedelta(minutes=30)),
        Topic.APPROVED: APPROVED,
        Topic.DENIED: DENIED,
        Topic.PROMOTED: PROMOTED,
        Topic.EXPIRED: replace(REQUEST, state=RequestState.GONE, expires=NOW),
        Topic.ANNOUNCED_APPROVED: APPROVED,
        Topic.ANNOUNCED_DENIED: DENIED,
        Topic.ANNOUNCED_PROMOTED: PROMOTED,
        Topic.REQUESTER_APPROVED: APPROVED,
        Topic.REQUESTER_DENIED: DENIED,
        Topic.REQUESTER_PROMOTED: PROMOTED,
        Topic.REQUESTER_EXPIRED: replace(REQUEST, state=RequestState.GONE, expires=NOW),
        Topic.ENDED: LONG_AGO,
    }
    return stages.get(kind.topic, REQUEST)


def kinds() -> tuple[Kind, ...]:
    """One kind for each topic, in the order of a request's life."""
    return tuple(Kind(topic, 1 if topic is Topic.REVIEW else 0) for topic in OF_REQUESTS)


def file_name(kind: Kind) -> str:
    """A name for files that show this kind."""
    return kind.topic.name.lower().replace("_", "-")


def all_kinds() -> tuple[Sample, ...]:
    """Every kind in its usual form, with next to nothing known, and in a cluster without web reviews."""
    found: list[Sample] = []
    for kind in kinds():
        request = request_for(kind)
        found.append(Sample(file_name(kind), kind, request))
        bare = replace(BARE, state=request.state)
        found.append(
            Sample(f"{file_name(kind)}-bare", kind, bare, recipients=(), resource_names={}, requester_name="")
        )
        crowded = replace(
            request,
            roles=tuple(f"role-{number}" for number in range(60)),
            resources=tuple(ResourceID("leaf", "app", f"app-{number}") for number in range(60)),
            request_reason="word " * 2000,
            reviews=request.reviews * 10,
            thresholds=request.thresholds * 2,
            assume_start=NOW + timedelta(hours=1),
        )
        found.append(
            Sample(
                f"{file_name(kind)}-crowded",
                kind,
                crowded,
                COMMUNITY,
                tuple(f"p{n}@example.com" for n in range(60)),
            )
        )
    return tuple(found)


# Reminders to owners of Access Lists ----------------------------------------------------------------


class Reminder(Struct, frozen=True):
    """Everything that one reminder needs."""

    name: str
    audits: tuple[Audit, ...]
    cluster: ClusterInfo = CLUSTER
    now: datetime = NOW


def _audit(name: str, days: int, title: str, description: str = "", **more: object) -> Audit:
    due = NOW.replace(hour=12, minute=0) + timedelta(days=days)
    known: dict[str, object] = {"members": 12, "member_lists": 2, "roles": ("db-admin", "db-reader"), **more}
    return Audit(name, due, due - WINDOW, title, description, **known)  # type: ignore[arg-type]


OPERATORS = _audit(
    _LIST.name,
    9,
    _LIST.title,
    "Who may change the databases of orders and billing.\nAsk Carol before you add somebody.",
)
"""A list with everything in it, nine days before its date."""
_SEVERAL = (
    OPERATORS,
    _audit(
        "b0a7c1de-1111-4c44-9f6e-0b1a2c3d4e5f", 0, "Auditors", members=1, member_lists=0, roles=("auditor",)
    ),
    _audit("web-deploy", 4, "", members=None, member_lists=None, roles=()),
)


def reminders() -> tuple[Reminder, ...]:
    """Reminders in their usual forms, with next to nothing known, and with more lists than are told."""
    overdue = _audit(
        "3d1c9a52-7e0b-4f7e-8d5a-9c2b6f1e0a47",
        -3,
        "Incident responders",
        "Who may open the production systems in an incident.",
        members=7,
        member_lists=0,
        roles=("incident",),
    )
    crowded = tuple(
        replace(
            OPERATORS,
            list_name=f"list-{number:02}",
            title=f"Operators of region {number:02}",
            due=OPERATORS.due + timedelta(days=number - 11),
            roles=tuple(f"role-{number}-{n}" for n in range(30)),
            description="word " * 400,
        )
        for number in range(30)
    )
    bare = Audit("web-deploy", OPERATORS.due, OPERATORS.opens)
    return (
        Reminder("access-list-review", (OPERATORS,)),
        Reminder("access-list-review-several", _SEVERAL),
        Reminder("access-list-review-overdue", (overdue,)),
        Reminder("access-list-review-overdue-several", (overdue, *_SEVERAL)),
        Reminder("access-list-review-ownerless", (_SEVERAL[0], replace(_SEVERAL[1], ownerless=True))),
        Reminder("access-list-review-crowded", crowded),
        Reminder("access-list-review-bare", (bare,), replace(CLUSTER, proxy_public_addr="")),
    )
