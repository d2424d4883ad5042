"""Friendly names and labels of requested resources: a node is requested by its UUID, known by its host name.

The names are a courtesy: where the role lacks the permission or the cluster does not answer, there are none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from teleport_email.core.errors import ClusterError, Denied
from teleport_email.core.model import ResourceID
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport.calls.call import Caller

DEADLINE = 5.0
AT_ONCE = 50
"""Resources asked for in one call: the expression stays a few kB."""

_LISTED_AS: Mapping[str, str] = {"node": "node", "app": "app_server", "user_group": "user_group"}
"""Kind in a request -> kind to list. The names of all other kinds are what people know them by."""

_OKTA_LABELS = ("teleport.internal/okta-app-name", "teleport.internal/okta-group-name")
_ORIGIN_LABEL = "teleport.dev/origin"


class Resources:
    """The resources of one cluster."""

    def __init__(self, caller: Caller, auth: AuthServiceStub, cluster: str) -> None:
        self._caller = caller
        self._auth = auth
        self._cluster = cluster
        self._denied: set[str] = set()
        """Kinds that the role may not list: not asked for again over this connection."""

    async def names(self, ids: Sequence[ResourceID]) -> dict[ResourceID, str]:
        """The friendly names that could be found. Never raises a :class:`ClusterError`."""
        found = {wanted: named(resource)[1] for wanted, resource in (await self._find(ids)).items()}
        return {wanted: name for wanted, name in found.items() if name}

    async def labels(self, ids: Sequence[ResourceID]) -> list[Mapping[str, str]] | None:
        """The labels of each resource, in order; ``None`` when those of any cannot be read.

        A rule that asks for labels must not take unread ones for none. Never raises a :class:`ClusterError`.
        """
        found = await self._find(ids)
        if not all(wanted in found for wanted in ids):
            return None
        return [labelled(found[wanted]) for wanted in ids]

    async def _find(self, ids: Sequence[ResourceID]) -> dict[ResourceID, auth_pb2.PaginatedResource]:
        found: dict[ResourceID, auth_pb2.PaginatedResource] = {}
        for kind, listed_as in _LISTED_AS.items():
            # A leaf cluster's resources are not listed by the root's Auth Service.
            wanted = [each for each in ids if each.kind == kind and each.cluster == self._cluster]
            names = list(dict.fromkeys(each.name for each in wanted if each.name))
            by_name: dict[str, auth_pb2.PaginatedResource] = {}
            for start in range(0, len(names), AT_ONCE):
                if listed_as in self._denied:
                    break
                by_name |= await self._look_up(listed_as, names[start : start + AT_ONCE])
            found |= {each: by_name[each.name] for each in wanted if each.name in by_name}
        return found

    async def _look_up(self, listed_as: str, names: Sequence[str]) -> dict[str, auth_pb2.PaginatedResource]:
        try:
            request = auth_pb2.ListResourcesRequest(
                ResourceType=listed_as, Limit=len(names), PredicateExpression=expression(names)
            )
        except ValueError:
            return {}
        try:
            answer = await self._caller.unary(
                self._auth.ListResources, request, doing=f"looking up {listed_as} names", timeout=DEADLINE
            )
        except Denied:
            self._denied.add(listed_as)
            return {}
        except ClusterError:
            return {}
        by_name = {named(resource)[0]: resource for resource in answer.Resources}
        return {name: resource for name, resource in by_name.items() if name in names}


def expression(names: Iterable[str]) -> str:
    """Teleport's predicate for resources of these names. Users chose the names, so each is quoted."""
    return " || ".join(f"resource.metadata.name == {json.dumps(name, ensure_ascii=False)}" for name in names)


def named(resource: auth_pb2.PaginatedResource) -> tuple[str, str]:
    """Name and friendly name (empty: none), as Teleport's own plugins find it."""
    if resource.HasField("Node"):
        return resource.Node.Metadata.Name, resource.Node.Spec.Hostname
    if resource.HasField("AppServer"):
        metadata = resource.AppServer.Metadata
        return metadata.Name, _okta_name(resource.AppServer.Spec.App.Metadata) or _okta_name(metadata)
    if resource.HasField("UserGroup"):
        metadata = resource.UserGroup.Header.Metadata
        return metadata.Name, _okta_name(metadata)
    return "", ""


def labelled(resource: auth_pb2.PaginatedResource) -> dict[str, str]:
    """The static labels of a resource; an application's are those of the application itself."""
    if resource.HasField("Node"):
        return dict(resource.Node.Metadata.Labels)
    if resource.HasField("AppServer"):
        return {**resource.AppServer.Metadata.Labels, **resource.AppServer.Spec.App.Metadata.Labels}
    return dict(resource.UserGroup.Header.Metadata.Labels)


def _okta_name(metadata: types_pb2.Metadata) -> str:
    if metadata.Labels.get(_ORIGIN_LABEL, "") != "okta":
        return ""
    labels = (metadata.Labels.get(label, "") for label in _OKTA_LABELS)
    return next((label for label in labels if label), metadata.Description)
