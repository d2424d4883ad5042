"""What a message says: from a kind, a request and some facts to subject, text, HTML and headers.

Pure given its inputs: the same request, facts, time and boundary give the same content. It never fails: where
an own template does, the built-in one takes its place and the fault is handed to ``on_fault``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.audits import Audit
from teleport_email.core.errors import Fault
from teleport_email.core.model import AccessRequest, ClusterInfo, Content, Kind, ResourceID, Topic
from teleport_email.render import audit_data, headers, quoting, template_data, times

if TYPE_CHECKING:
    from teleport_email.render.templating import Templates

TEMPLATE_OF: Mapping[Topic, str] = {
    Topic.ANNOUNCEMENT: "announcement",
    Topic.ANNOUNCED_APPROVED: "announcement",
    Topic.ANNOUNCED_DENIED: "announcement",
    Topic.ANNOUNCED_PROMOTED: "announcement",
    Topic.REVIEW: "review",
    Topic.REMINDER: "reminder",
    Topic.ESCALATION: "escalation",
    Topic.APPROVED: "resolution",
    Topic.DENIED: "resolution",
    Topic.PROMOTED: "resolution",
    Topic.EXPIRED: "resolution",
    Topic.RECEIVED: "received",
    Topic.REQUESTER_APPROVED: "requester_resolution",
    Topic.REQUESTER_DENIED: "requester_resolution",
    Topic.REQUESTER_PROMOTED: "requester_resolution",
    Topic.REQUESTER_EXPIRED: "requester_resolution",
    Topic.ENDED: "ended",
    Topic.AUDIT: audit_data.KIND,
}
"""Name of the template (without suffix) for each topic."""

SUBJECT = "subject.txt"
"""Name of the template of the subject, where ``delivery.subject`` is ``descriptive``."""


class Facts(Struct, frozen=True):
    """What a message tells besides the request itself."""

    cluster: ClusterInfo
    recipients: tuple[str, ...] = ()
    """Who is told of the request (the reviewers), also in messages to the requester."""
    resource_names: Mapping[ResourceID, str] = field(default_factory=dict)
    """Friendly names, as far as they could be found."""
    requester_name: str = ""
    """The requester's name or address, where it could be read."""
    silent: tuple[str, ...] = ()
    """Of the recipients, who has written no review; told in escalations."""


class Renderer:
    """Renders every kind of message by the ``[delivery]`` settings. Own templates are read when first needed.

    ``on_fault`` is called with each fault of an own template that a message met with.
    """

    def __init__(
        self, delivery: DeliverySettings, *, on_fault: Callable[[Fault], None] | None = None
    ) -> None:
        self._delivery = delivery
        self._zone = times.zone(delivery.timezone)
        self._on_fault = on_fault
        self._builtin: Templates | None = None
        self._own: Templates | None = None

    def render(
        self,
        kind: Kind,
        request: AccessRequest,
        facts: Facts,
        *,
        now: datetime,
        boundary: str,
        title: str | None = None,
    ) -> Content:
        """The content of one message. ``now`` becomes its Date.

        ``title``: the subject of the conversation so far; None where it begins, so that the settings decide.
        """
        date = now.astimezone(UTC).replace(microsecond=0)
        plain = subject(facts.cluster, request.id)
        variables = template_data.build(
            kind,
            request,
            facts.cluster,
            subject=plain,
            told=facts.recipients,
            resource_names=facts.resource_names,
            requester_name=facts.requester_name,
            silent=facts.silent,
            now=date,
            zone=self._zone,
        )
        if title is None and self._delivery.subject == "descriptive":
            title = " ".join(self._part(SUBJECT, variables).split())
        title = variables["subject"] = title or plain
        return self._content(
            kind.topic,
            variables,
            subject=title,
            plain_subject=plain if title != plain else "",
            date=date,
            boundary=boundary,
            extra=headers.headers(kind, request, facts.cluster, str(variables["state"])),
        )

    def remind(
        self, audits: Sequence[Audit], cluster: ClusterInfo, *, now: datetime, boundary: str
    ) -> Content:
        """The content of a reminder to an owner of the lists of ``audits``, of which there is at least one.

        ``now``, aware, becomes its Date. The subject hangs on nothing but the cluster's name and the UTC day
        of the earliest date among them; ``delivery.subject`` changes nothing about it.
        """
        date = now.astimezone(UTC).replace(microsecond=0)
        title = audit_data.subject(cluster, audits)
        variables = audit_data.build(audits, cluster, subject=title, now=date, zone=self._zone)
        return self._content(
            Topic.AUDIT,
            variables,
            subject=title,
            date=date,
            boundary=boundary,
            extra=headers.of_lists(
                audit_data.KIND,
                [audit.list_name for audit in audit_data.in_order(audits)],
                audit_data.thread_day(audits),
                cluster,
                str(variables["state"]),
            ),
        )

    def warm_up(self) -> None:
        """Load and compile what an announcement needs, a fifth of a second's work, before one is due."""
        if self._own_templates() is not None:
            return  # check() has done so
        from teleport_email.render import samples

        request = samples.request_for(Kind(Topic.ANNOUNCEMENT))
        facts = Facts(samples.CLUSTER, recipients=samples.RECIPIENTS)
        self.render(Kind(Topic.ANNOUNCEMENT), request, facts, now=samples.NOW, boundary="=_")

    def check(self) -> list[Fault]:
        """Every fault of the own templates, found by rendering samples of all kinds; empty when all is well.

        ``path`` of a fault is file and line.
        """
        own = self._own_templates()
        if own is None:
            return []
        from teleport_email.render import samples

        faults = {str(fault): fault for fault in own.faults()}

        def attempt(names: Sequence[str], variables: Mapping[str, object]) -> None:
            for name in names:
                try:
                    own.render(name, variables)
                except Exception as error:  # noqa: BLE001 - a template may fail in any way
                    fault = own.explain(error, name)
                    faults.setdefault(str(fault), fault)

        for sample in samples.all_kinds():
            variables = template_data.build(
                sample.kind,
                sample.request,
                sample.cluster,
                subject=subject(sample.cluster, sample.request.id),
                told=sample.recipients,
                resource_names=sample.resource_names,
                requester_name=sample.requester_name,
                silent=sample.silent,
                now=sample.now,
                zone=self._zone,
            )
            template = TEMPLATE_OF[sample.kind.topic]
            attempt((f"{template}.txt", f"{template}.html", SUBJECT), variables)
        for reminder in samples.reminders():
            title = audit_data.subject(reminder.cluster, reminder.audits)
            variables = audit_data.build(
                reminder.audits, reminder.cluster, subject=title, now=reminder.now, zone=self._zone
            )
            attempt((f"{audit_data.KIND}.txt", f"{audit_data.KIND}.html"), variables)
        return list(faults.values())

    def _content(
        self,
        topic: Topic,
        variables: Mapping[str, object],
        *,
        subject: str,
        plain_subject: str = "",
        date: datetime,
        boundary: str,
        extra: tuple[tuple[str, str], ...],
    ) -> Content:
        """What the topic's template makes of the variables. ``extra``: :attr:`Content.headers`."""
        name = TEMPLATE_OF[topic]
        return Content(
            subject=subject,
            plain_subject=plain_subject,
            text=_tidy_text(self._part(f"{name}.txt", variables)),
            html=_tidy_html(self._part(f"{name}.html", variables)),
            date=date,
            boundary=boundary,
            sender=self._delivery.sender,
            reply_to=self._delivery.reply_to,
            headers=extra,
        )

    def _part(self, name: str, variables: Mapping[str, object]) -> str:
        own = self._own_templates()
        if own is not None:
            try:
                return own.render(name, variables)
            except Exception as error:  # noqa: BLE001 - a message is never lost to a template
                if self._on_fault is not None:
                    self._on_fault(own.explain(error, name))
        if self._builtin is None:
            from teleport_email.render.templating import Templates

            self._builtin = Templates()
        return self._builtin.render(name, variables)

    def _own_templates(self) -> Templates | None:
        if self._own is None and self._delivery.templates is not None:
            from teleport_email.render.templating import Templates

            self._own = Templates(self._delivery.templates)
        return self._own


def subject(cluster: ClusterInfo, request_id: str) -> str:
    """The standard subject of a request's messages, as the Go plugin writes it.

    Whatever it is, it is constant in a conversation, since Gmail and Outlook thread by it.
    """
    return f"{quoting.cluster_name(cluster.name)} Role Request {quoting.one_line(request_id)}"


def _tidy_text(text: str) -> str:
    lines = "\n".join([line.rstrip() if line != "-- " else line for line in text.splitlines()])
    while "\n\n\n" in lines:
        lines = lines.replace("\n\n\n", "\n\n")
    return lines.strip("\n") + "\n"


def _tidy_html(html: str) -> str:
    return "\n".join((*filter(None, map(str.strip, html.splitlines())), ""))
