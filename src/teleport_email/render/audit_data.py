"""What the templates see of a reminder to the owner of Access Lists. Pure.

In: the audits that it tells, raw. Out: the variables of ``access_list_review``, harmless like those of
:mod:`template_data`; ``docs/messages.md`` documents every name here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from msgspec import Struct

from teleport_email.core.audits import Audit
from teleport_email.core.model import ClusterInfo, replace
from teleport_email.render import links, names, quoting
from teleport_email.render.quoting import Quote
from teleport_email.render.times import Moment, moment
from teleport_email.render.views import FILLER, Some, cost, every, some

KIND = "access_list_review"
"""Name of the kind in headers and templates, and of its template."""
MOST_LISTS = 25
"""Lists that are told in full, as many as other lists in mails have: whoever has more goes to the page."""
_BUDGET = 18_000
"""Cost of all that users wrote, as escaped HTML: with the markup of 25 lists the message stays below 60 KB,
whatever comes in. Gmail clips at 102 KB, and the content is kept in the ledger until everybody has it."""
_DESCRIPTION_BUDGET = 1500
_DESCRIPTION_BUDGET_WITH_OTHERS = 160
"""About four rows of a phone: several lists are told one below the other."""
_DESCRIPTION_LINES = 20
_DESCRIPTION_LINES_WITH_OTHERS = 4
_ROLES_BUDGET = 1300
_ROLES_BUDGET_WITH_OTHERS = 120
_EVERY_ROLE_BUDGET = 20_000  # in the text alone
_EVERY_ROLE_BUDGET_WITH_OTHERS = 600
_RAW_LIMIT = 1000
"""Characters of a title or a role that are looked at, many times what is shown: a mail has many of them."""
_RAW_DESCRIPTION_LIMIT = 6000
_SHORT = 44
"""Columns of a title in a sentence or on a button: two rows of a phone."""


class ListView(Struct, frozen=True):
    """An Access List of which a review is due."""

    name: str
    """Of its resource, often a UUID."""
    title: str
    """Its name where it has none."""
    short: str
    """The title cut for a sentence or a button."""
    due: Moment
    days: int
    """From the message's date to that day, by the calendar of the configured zone; below 0: overdue."""
    members: int | None
    """Users who are members by themselves; None where that is not known."""
    member_lists: int | None
    """Lists that are members; None where that is not known."""
    roles: Some
    """What it grants."""
    every_role: tuple[str, ...]
    """More of them, for the text; its last item says so where these are not all."""
    description: Quote
    link: str
    """Where it is reviewed; empty where no Proxy is known."""
    ownerless: bool
    """None of its owners can be told: the reader stands in for them."""


def build(
    audits: Sequence[Audit], cluster: ClusterInfo, *, subject: str, now: datetime, zone: tzinfo
) -> dict[str, object]:
    """The variables of the template. At least one audit; ``now``: the message's date."""
    ordered = in_order(audits)
    several = len(ordered) > 1
    shown = _shown(ordered, cluster, now, zone)
    page = links.lists_link(cluster)
    overdue = sum(_days(audit.due, now, zone) < 0 for audit in ordered)
    return {
        "kind": KIND,
        "subject": subject,
        "cluster": names.confirmed(cluster.name),
        "lists": shown,
        "lists_more": len(ordered) - len(shown),
        "total": len(ordered),
        "overdue": overdue,
        "ownerless": sum(audit.ownerless for audit in ordered),
        "first": shown[0],
        "link": page if several else shown[0].link,
        "page": page,
        "state": "OVERDUE" if overdue else "DUE",
        "filler": FILLER,
        "now": moment(now, now=now, zone=zone),
    }


def in_order(audits: Sequence[Audit]) -> tuple[Audit, ...]:
    """What is due first stands first; then by title."""
    return tuple(
        sorted(
            audits,
            key=lambda audit: (audit.due, (audit.title or audit.list_name).casefold(), audit.list_name),
        )
    )


def thread_day(audits: Sequence[Audit]) -> str:
    """The earliest date, in UTC as all times are. Reminders that have it in common are one conversation,
    whatever lists are in them.
    """
    return min(audit.due for audit in audits).date().isoformat()


def subject(cluster: ClusterInfo, audits: Sequence[Audit]) -> str:
    """The subject: constant in a conversation, since Gmail and Outlook thread by it. It tells no list's name,
    since another list may be in the next mail, and no state, since the day may go by.
    """
    return f"{quoting.cluster_name(cluster.name)} Access List Reviews due {thread_day(audits)}"


def _shown(
    ordered: Sequence[Audit], cluster: ClusterInfo, now: datetime, zone: tzinfo
) -> tuple[ListView, ...]:
    shown: list[ListView] = []
    budget = _BUDGET
    for audit in ordered[:MOST_LISTS]:
        view = _view(audit, cluster, now, zone, alone=len(ordered) == 1)
        texts = (view.title, view.short, view.link, *view.roles.items, *view.description.lines)
        budget -= sum(map(cost, texts))
        if budget < 0 and shown:
            break
        shown.append(view)
    return tuple(shown)


def _view(audit: Audit, cluster: ClusterInfo, now: datetime, zone: tzinfo, *, alone: bool) -> ListView:
    name = names.confirmed(audit.list_name[:_RAW_LIMIT])
    title = quoting.one_line(audit.title[:_RAW_LIMIT]) or name
    return ListView(
        name=name,
        title=title,
        short=names.shorter(title, _SHORT),
        due=moment(audit.due, now=now, zone=zone),
        days=_days(audit.due, now, zone),
        members=audit.members,
        member_lists=audit.member_lists,
        roles=some(audit.roles, _role, _ROLES_BUDGET if alone else _ROLES_BUDGET_WITH_OTHERS),
        every_role=every(
            audit.roles,
            _role,
            _EVERY_ROLE_BUDGET if alone else _EVERY_ROLE_BUDGET_WITH_OTHERS,
        ),
        description=_beginning(audit.description, alone=alone),
        link=links.list_link(cluster, audit.list_name),
        ownerless=audit.ownerless,
    )


def _role(role: str) -> str:
    return names.confirmed_item(role[:_RAW_LIMIT])


def _beginning(description: str, *, alone: bool) -> Quote:
    """Cut in the text, too: it says what the list is about, and the list's page has it whole."""
    budget, most = (
        (_DESCRIPTION_BUDGET, _DESCRIPTION_LINES)
        if alone
        else (_DESCRIPTION_BUDGET_WITH_OTHERS, _DESCRIPTION_LINES_WITH_OTHERS)
    )
    quote = quoting.block(description[:_RAW_DESCRIPTION_LIMIT], budget)
    lines = quote.lines
    if len(lines) > most:
        lines = (*lines[: most - 1], f"{lines[most - 1]} {quoting.MARK}".lstrip())
    return replace(quote, lines=lines, whole=lines, head=lines)


def _days(due: datetime, now: datetime, zone: tzinfo) -> int:
    try:
        return (due.astimezone(zone).date() - now.astimezone(zone).date()).days
    except OverflowError:  # a time at the very end of the calendar has no local form in some zones
        return (due.astimezone(UTC).date() - now.astimezone(UTC).date()).days
