"""Friendly names of requested resources: a node is requested by its UUID, people know it by its host name.

The names are a courtesy: where the role lacks the permission or the cluster does not answer, there are none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from teleport_email.errors import ClusterError, Denied
from teleport_email.model import ResourceID
from teleport_email.teleport._proto import auth_pb2, types_pb2
from teleport_email.teleport._proto.auth_pb2_grpc import AuthServiceStub
from teleport_email.teleport.calls import Caller

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
        found: dict[ResourceID, str] = {}
        for kind, listed_as in _LISTED_AS.items():
            # A leaf cluster's resources are not listed by the root's Auth Service.
            wanted = [each for each in ids if each.kind == kind and each.cluster == self._cluster]
            names = list(dict.fromkeys(each.name for each in wanted if each.name))
            by_name: dict[str, str] = {}
            for start in range(0, len(names), AT_ONCE):
                if listed_as in self._denied:
                    break
                by_name |= await self._look_up(listed_as, names[start : start + AT_ONCE])
            found |= {each: by_name[each.name] for each in wanted if each.name in by_name}
        return found

    async def _look_up(self, listed_as: str, names: Sequence[str]) -> dict[str, str]:
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
        pairs = (named(resource) for resource in answer.Resources)
        return {name: friendly for name, friendly in pairs if name in names and friendly}


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


def _okta_name(metadata: types_pb2.Metadata) -> str:
    if metadata.Labels.get(_ORIGIN_LABEL, "") != "okta":
        return ""
    labels = (metadata.Labels.get(label, "") for label in _OKTA_LABELS)
    return next((label for label in labels if label), metadata.Description)
