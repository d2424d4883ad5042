"""Access Lists through the control socket: what ``teleport-email sandbox access-list`` asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.refusal import bad_parameter
from teleport_email.teleport._proto import accesslist_pb2

_LIST = accesslist_pb2.MEMBERSHIP_KIND_LIST


class ListControl:
    """The commands on a cluster's Access Lists; arguments as of ``AccessListBook``, times in seconds."""

    def __init__(self, cluster: SandboxCluster) -> None:
        self._cluster = cluster
        self.commands: Mapping[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "create_list": self._create,
            "review_list": self._review,
            "delete_list": self._delete,
            "lists": self._ls,
        }

    async def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        """``due_in`` counts from the cluster's time; ``due`` is a date in ISO 8601."""
        cluster = self._cluster
        if not cluster.has_access_lists:
            raise bad_parameter("this cluster has no Access Lists: it is a community or an old one")
        options: dict[str, Any] = {}
        if "due_in" in asked:
            options["due"] = (cluster.now() + timedelta(seconds=float(asked["due_in"]))).replace(
                microsecond=0
            )
        elif "due" in asked:
            options["due"] = datetime.fromisoformat(str(asked["due"]))
        if "notify_before" in asked:
            options["notify_before"] = timedelta(seconds=float(asked["notify_before"]))
        for key in ("title", "description"):
            options[key] = str(asked.get(key, ""))
        for key in ("owners", "owner_lists", "members", "member_lists", "roles"):
            options[key] = [str(each) for each in asked.get(key, ())]
        for key in ("months", "day_of_month"):
            if key in asked:
                options[key] = int(asked[key])
        return self._shown(cluster.access_lists.create(str(asked["name"]), replace=True, **options))

    async def _review(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = str(asked["name"])
        self._cluster.access_lists.review(name)
        return self._shown(name)

    async def _delete(self, asked: dict[str, Any]) -> None:
        self._cluster.access_lists.delete(str(asked["name"]))

    async def _ls(self, _asked: dict[str, Any]) -> Sequence[dict[str, Any]]:
        return [list_as_json(each) for each in self._cluster.access_lists.list()]

    def _shown(self, name: str) -> dict[str, Any]:
        message = self._cluster.access_lists.get(name)
        assert message is not None
        return list_as_json(message)


def list_as_json(message: accesslist_pb2.AccessList) -> dict[str, Any]:
    """What is worth showing of a list; times in ISO 8601, spans in seconds."""
    spec = message.spec
    audit = spec.audit
    due = (
        audit.next_audit_date.ToDatetime(tzinfo=UTC).isoformat()
        if audit.HasField("next_audit_date")
        else None
    )
    return {
        "name": message.header.metadata.name,
        "title": spec.title,
        "description": spec.description,
        "owners": [owner.name for owner in spec.owners if owner.membership_kind != _LIST],
        "owner_lists": [owner.name for owner in spec.owners if owner.membership_kind == _LIST],
        "due": due,
        "notify_before": audit.notifications.start.seconds,
        "members": message.status.member_count,
        "member_lists": message.status.member_list_count,
        "roles": list(spec.grants.roles),
        "months": audit.recurrence.frequency,
        "day_of_month": audit.recurrence.day_of_month,
    }
