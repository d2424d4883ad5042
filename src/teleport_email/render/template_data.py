"""What the templates see of a message: the request's facts, harmless and ready to be put into a sentence.

``docs/messages.md`` documents every name here for people who write their own templates. All strings have
been through :mod:`teleport_email.render.quoting`; a template cannot get at the raw ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo

from teleport_email.core.ledger import ANNOUNCEMENTS
from teleport_email.core.model import (
    AccessRequest,
    ClusterInfo,
    Kind,
    RequestState,
    ResourceID,
    Review,
    Topic,
    replace,
)
from teleport_email.render import first_screen, links, names, quoting
from teleport_email.render.approvals import Progress, progress
from teleport_email.render.quoting import Quote
from teleport_email.render.times import Moment, moment, span
from teleport_email.render.views import (
    FILLER,
    Command,
    First,
    RequestView,
    ResourceView,
    ReviewView,
    Some,
    Status,
    cost,
    every,
    some,
)

AUTOMATIC_REVIEWER = "@teleport-access-approval-bot"
"""Who Teleport says has made the reviews that its rules make."""

# Costs (bytes of escaped HTML) that keep the whole message under 30 KB whatever comes in: Gmail clips at
# 102 KB, and the content is kept in the ledger until everybody has it.
_ROLES_BUDGET = 1300
_EVERY_ROLE_BUDGET = 20_000  # in the text alone
_RESOURCES_BUDGET = 1600
_PEOPLE_BUDGET = 1000
_DECIDED_BY_BUDGET = 500
_REVIEWS_SHOWN = 5
_REVIEW_REASON_BUDGET = 500
_RESOLVE_REASON_BUDGET = 1500
_LATER_REASON_BUDGET = 200
"""Of the reason for the request, in all mails but the first of a thread, which has it whole."""
_ROLES_LIMIT = 100
_RESOURCES_LIMIT = 25

_MARKS = {
    RequestState.PENDING: "⏳",
    RequestState.APPROVED: "✅",
    RequestState.DENIED: "❌",
    RequestState.PROMOTED: "📋",
    RequestState.GONE: "⌛",
}
# A resolution says its own state, whatever became of the request since.
_STATE_OF_TOPIC = {
    Topic.APPROVED: RequestState.APPROVED,
    Topic.DENIED: RequestState.DENIED,
    Topic.PROMOTED: RequestState.PROMOTED,
    Topic.EXPIRED: RequestState.GONE,
    Topic.REQUESTER_APPROVED: RequestState.APPROVED,
    Topic.REQUESTER_DENIED: RequestState.DENIED,
    Topic.REQUESTER_PROMOTED: RequestState.PROMOTED,
    Topic.REQUESTER_EXPIRED: RequestState.GONE,
    Topic.ANNOUNCED_APPROVED: RequestState.APPROVED,
    Topic.ANNOUNCED_DENIED: RequestState.DENIED,
    Topic.ANNOUNCED_PROMOTED: RequestState.PROMOTED,
    Topic.ENDED: RequestState.GONE,
}
_OVER = {Topic.EXPIRED, Topic.REQUESTER_EXPIRED, Topic.ENDED}


def build(
    kind: Kind,
    request: AccessRequest,
    cluster: ClusterInfo,
    *,
    subject: str,
    told: Iterable[str],
    resource_names: Mapping[ResourceID, str],
    requester_name: str,
    silent: Sequence[str],
    now: datetime,
    zone: tzinfo,
) -> dict[str, object]:
    """The variables of a template. ``silent``: who was told and has written no review, for escalations."""

    def at(time: datetime | None) -> Moment | None:
        return None if time is None else moment(time, now=now, zone=zone)

    topic = kind.topic
    state = _STATE_OF_TOPIC.get(topic, request.state)
    told_reviews = request.reviews[: kind.number] if topic is Topic.REVIEW else request.reviews
    listed = tuple(enumerate(told_reviews, start=1))
    the_review = None
    if topic is Topic.REVIEW and told_reviews:  # told in full, so not in the list of the others
        last = told_reviews[-1]
        the_review = _review(last, len(told_reviews), at(last.created), quoting.REASON_LIMIT)
        listed = listed[:-1]
    shown_reviews = tuple(
        _review(review, number, at(review.created)) for number, review in listed[-_REVIEWS_SHOWN:]
    )
    pending = state is RequestState.PENDING
    over = topic in _OVER or state is RequestState.GONE  # its page is gone with it
    approvals = progress(request, told_reviews) if pending and not request.long_term else Progress()
    until = request.access_expires or request.max_duration
    start = _access_start(request, state, now)
    resources, resources_more = _resources(request.resources, cluster.name, resource_names)
    begins = topic in ANNOUNCEMENTS or topic is Topic.RECEIVED
    reason_limit = quoting.REASON_LIMIT if begins else _LATER_REASON_BUDGET
    view = RequestView(
        id=quoting.one_line(request.id),
        user=names.confirmed_user(request.user),
        name="" if requester_name == request.user else quoting.name(requester_name),
        roles=some(request.roles, names.confirmed_item, _ROLES_BUDGET, _ROLES_LIMIT),
        every_role=every(request.roles, names.confirmed_item, _EVERY_ROLE_BUDGET),
        reason=quoting.block(request.request_reason, reason_limit),
        status=Status("ENDED", "⌛") if topic is Topic.ENDED else status(state),
        resolve_reason=quoting.block("" if over else request.resolve_reason, _RESOLVE_REASON_BUDGET),
        decided_by=some(_deciders(request, state), names.confirmed_user, _DECIDED_BY_BUDGET),
        access_list=_access_list(request),
        created=at(request.created),
        expires=at(request.expires),
        access_from=at(start),
        access_until=at(until),
        access_length=_length(start or request.created, until),
        resources=resources,
        resources_more=resources_more,
        reviews=shown_reviews,
        reviews_before=len(listed) - len(shown_reviews),
        approvals=approvals.ways,
        role_approvals=approvals.roles,
        role_approvals_more=approvals.roles_more,
        approvals_missing=approvals.missing,
        long_term=request.long_term,
    )
    first = first_screen.first(view, the_review, topic)
    view, the_review = _above_the_button(view, the_review, first, topic)
    page = links.request_link(cluster, request.id)
    link = "" if over else page
    told_view = some(tuple(told), quoting.name, _PEOPLE_BUDGET)
    silent_view = some(silent, quoting.name, _PEOPLE_BUDGET)
    return {
        "kind": topic.name.lower(),
        "for_requester": topic.for_requester,
        "begins": begins,
        "subject": subject,
        "cluster": names.confirmed(cluster.name),
        "request": view,
        "review": the_review,
        "first": first,
        "told": told_view,
        "silent": silent_view,
        "details": _details(view, told_view, silent_view, topic, pending),
        "filler": FILLER,
        "link": link,
        "page": page,
        "commands": () if over else _commands(request.id, topic, pending, link),
        "automatic_reviewer": quoting.name(AUTOMATIC_REVIEWER),
        "now": moment(now, now=now, zone=zone),
        "state": view.status.name,
    }


def _above_the_button(
    view: RequestView, review: ReviewView | None, first: First, topic: Topic
) -> tuple[RequestView, ReviewView | None]:
    """Both with the beginning of the reason that is the news in its head, as far as it fits there."""

    if topic in first_screen.NO_REASON:
        return view, review

    def fitting(quote: Quote) -> Quote:
        return first_screen.with_head(quote, first, topic)

    if review is not None and review.reason:
        return view, replace(review, reason=fitting(review.reason))
    if review is None and view.resolve_reason:
        return replace(view, resolve_reason=fitting(view.resolve_reason)), review
    return replace(view, reason=fitting(view.reason)), review


def status(state: RequestState) -> Status:
    """A state with its emoji."""
    return Status(state.value, _MARKS[state])


def _review(
    review: Review, number: int, at: Moment | None, budget: int = _REVIEW_REASON_BUDGET
) -> ReviewView:
    promoted_to = review.access_list
    return ReviewView(
        number=number,
        author=names.confirmed_user(review.author),
        status=status(review.proposed_state),
        reason=quoting.block(review.reason, budget),
        at=at,
        access_list="" if promoted_to is None else names.confirmed(promoted_to.title or promoted_to.name),
    )


def _deciders(request: AccessRequest, state: RequestState) -> tuple[str, ...]:
    return tuple(dict.fromkeys(r.author for r in request.reviews if r.proposed_state is state))


def _access_list(request: AccessRequest) -> str:
    of_reviews = (review.access_list for review in reversed(request.reviews) if review.access_list)
    promoted_to = request.access_list or next(of_reviews, None)
    return "" if promoted_to is None else names.confirmed(promoted_to.title or promoted_to.name)


def _access_start(request: AccessRequest, state: RequestState, now: datetime) -> datetime | None:
    if request.assume_start is not None:
        return request.assume_start
    if state is not RequestState.APPROVED:
        return None
    deciding = [r.created for r in request.reviews if r.created and r.proposed_state is state]
    return max(deciding, default=now)


def _length(start: datetime | None, until: datetime | None) -> str:
    if start is None or until is None or until <= start:
        return ""
    return span((until - start).total_seconds())


def _resources(
    resources: tuple[ResourceID, ...], here: str, found: Mapping[ResourceID, str]
) -> tuple[tuple[ResourceView, ...], int]:
    shown: list[ResourceView] = []
    budget = _RESOURCES_BUDGET
    for resource in resources[:_RESOURCES_LIMIT]:
        view = ResourceView(
            kind=quoting.one_line(resource.kind, 40),
            name=_label(resource, found.get(resource, "")),
            cluster="" if resource.cluster == here else quoting.one_line(resource.cluster),
        )
        budget -= cost(view.kind) + cost(view.name) + cost(view.cluster)
        if budget < 0 and shown:
            break
        shown.append(view)
    return tuple(shown), len(resources) - len(shown)


def _label(resource: ResourceID, found: str) -> str:
    """Its name with the part that is asked for. Only a name that the cluster told is known to be one; what
    stands below it, or is asked for of it, never is."""
    below = f"/{resource.sub_resource}" if resource.sub_resource else ""
    if not found:
        return quoting.one_line(resource.name + below) + _part(resource)
    name = names.confirmed(found)
    part = quoting.one_line(below) + _part(resource)
    return names.Unlinked(name + part) if isinstance(name, names.Unlinked) else name + part


def _part(resource: ResourceID) -> str:
    """What is asked for of a resource, as Teleport writes it behind the name: `` (logins: root, admin)``."""
    if resource.constraint is None:
        return ""
    values = tuple(map(quoting.item, resource.constraint.values))
    return f" ({quoting.one_line(str(replace(resource.constraint, values=values)))})"


def _details(view: RequestView, told: Some, silent: Some, topic: Topic, pending: bool) -> tuple[str, ...]:
    """Which facts, beyond the lines that every message has, this one tells, in order."""
    granted = topic in {
        Topic.APPROVED,
        Topic.ANNOUNCED_APPROVED,
        Topic.REQUESTER_APPROVED,
        Topic.ENDED,
    }
    resolved = view.status.name in {"APPROVED", "DENIED", "PROMOTED"}
    facts = {
        "term": view.long_term,
        "name": bool(view.name) and not topic.for_requester,
        "resources": bool(view.resources),
        "asked": view.created is not None,
        "decide_by": pending and view.expires is not None,
        "access": (pending or granted) and view.access_until is not None,
        "access_list": bool(view.access_list) and view.status.name == "PROMOTED",
        "approvals": bool(view.approvals),
        "decided_by": resolved and bool(view.decided_by),
        "reviews": bool(view.reviews) and topic is not Topic.ENDED,
        "told": bool(told) and topic in {*ANNOUNCEMENTS, Topic.RECEIVED},  # where a thread begins it is news
        "silent": bool(silent) and topic is Topic.ESCALATION,
    }
    return tuple(name for name, present in facts.items() if present)


def _commands(request_id: str, topic: Topic, pending: bool, link: str) -> tuple[Command, ...]:
    word = quoting.shell_word(request_id)
    if not word:
        return ()
    if topic is Topic.REQUESTER_APPROVED:
        return (Command("use", f"tsh login --request-id={word}"),)
    if link:
        return ()
    if topic in ANNOUNCEMENTS and pending:  # nowhere else: filters tell a new request by them
        return (
            Command("approve", f"tsh request review --approve {word}"),
            Command("deny", f"tsh request review --deny {word}"),
        )
    return (Command("show", f"tsh request show {word}"),)
