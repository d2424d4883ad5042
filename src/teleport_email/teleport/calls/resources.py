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
PAGES = 20
"""Pages of one answer, at most: each agent that serves an application has an entry of its own."""

_LISTED_AS: Mapping[str, str] = {"app": "app_server", "db": "db_server", "kube_cluster": "kube_server"}
"""Kind in a request -> kind to list; every other kind is listed as itself."""
_FRIENDLY = frozenset({"node", "app", "user_group", "aws_ic_account"})
"""Kinds with friendly names. The names of all others are what people know them by."""

_OKTA_LABELS = ("teleport.internal/okta-app-name", "teleport.internal/okta-group-name")
_ORIGIN_LABEL = "teleport.dev/origin"
_ACCOUNT = "aws_ic_account"


class Resources:
    """The resources of one cluster."""

    def __init__(self, caller: Caller, auth: AuthServiceStub, cluster: str) -> None:
        self._caller = caller
        self._auth = auth
        self._cluster = cluster
        self._denied: set[tuple[str, bool]] = set()
        """Kinds that the role may not list, and for what: not asked for again over this connection."""

    async def names(self, ids: Sequence[ResourceID]) -> dict[ResourceID, str]:
        """The friendly names that could be found. Never raises a :class:`ClusterError`."""
        resources = await self._find([each for each in ids if each.kind in _FRIENDLY], for_names=True)
        found = {wanted: friendly_name(resource, wanted.kind) for wanted, resource in resources.items()}
        return {wanted: name for wanted, name in found.items() if name}

    async def labels(self, ids: Sequence[ResourceID]) -> list[Mapping[str, str]] | None:
        """The labels of each resource, in order; ``None`` when those of any cannot be read.

        A rule that asks for labels must not take unread ones for none. Never raises a :class:`ClusterError`.
        """
        found = await self._find(ids, for_names=False)
        if not all(wanted in found for wanted in ids):
            return None
        return [labelled(found[wanted]) for wanted in ids]

    async def _find(
        self, ids: Sequence[ResourceID], *, for_names: bool
    ) -> dict[ResourceID, auth_pb2.PaginatedResource]:
        found: dict[ResourceID, auth_pb2.PaginatedResource] = {}
        for kind in dict.fromkeys(each.kind for each in ids if each.kind):
            # A leaf cluster's resources are not listed by the root's Auth Service.
            wanted = [each for each in ids if each.kind == kind and each.cluster == self._cluster]
            names = list(dict.fromkeys(each.name for each in wanted if each.name))
            listed_as = _LISTED_AS.get(kind, kind)
            by_name: dict[str, auth_pb2.PaginatedResource] = {}
            for start in range(0, len(names), AT_ONCE):
                if (listed_as, for_names) in self._denied:
                    break
                by_name |= await self._look_up(listed_as, names[start : start + AT_ONCE], for_names=for_names)
            found |= {each: by_name[each.name] for each in wanted if each.name in by_name}
        return found

    async def _look_up(
        self, listed_as: str, names: Sequence[str], *, for_names: bool
    ) -> dict[str, auth_pb2.PaginatedResource]:
        found: dict[str, auth_pb2.PaginatedResource] = {}
        try:
            # Roles that only let us search or preview resources count, such as those of Teleport's preset.
            request = auth_pb2.ListResourcesRequest(
                ResourceType=listed_as,
                Limit=len(names),
                PredicateExpression=expression(names),
                UseSearchAsRoles=for_names,
                UsePreviewAsRoles=True,
            )
            for _ in range(PAGES):
                answer = await self._caller.unary(
                    self._auth.ListResources, request, doing=f"looking up {listed_as} names", timeout=DEADLINE
                )
                found |= {
                    name: each for each in answer.Resources if (name := own_name(each)) and name in names
                }
                if not answer.NextKey or len(found) == len(names):
                    break
                request.StartKey = answer.NextKey
        except Denied:
            self._denied.add((listed_as, for_names))
        except (ClusterError, ValueError):  # the latter: a name that is no text
            pass
        return found


def expression(names: Iterable[str]) -> str:
    """Teleport's predicate for resources of these names. Users chose the names, so each is quoted."""
    return " || ".join(f"resource.metadata.name == {json.dumps(name, ensure_ascii=False)}" for name in names)


def own_name(resource: auth_pb2.PaginatedResource) -> str:
    """The name by which it is requested; empty for a kind that this program does not know."""
    match resource.WhichOneof("resource"):
        case "Node":
            return resource.Node.Metadata.Name
        case "AppServer":
            return resource.AppServer.Metadata.Name
        case "DatabaseServer":
            return resource.DatabaseServer.Metadata.Name
        case "KubernetesServer":
            return resource.KubernetesServer.Metadata.Name
        case "WindowsDesktop":
            return resource.WindowsDesktop.Header.Metadata.Name
        case "UserGroup":
            return resource.UserGroup.Header.Metadata.Name
        case _:
            return ""


def friendly_name(resource: auth_pb2.PaginatedResource, kind: str) -> str:
    """What people call it, as Teleport's own plugins find it; empty: its own name will do."""
    if resource.HasField("Node"):
        return resource.Node.Spec.Hostname
    if resource.HasField("AppServer"):
        metadata = resource.AppServer.Metadata
        if kind == _ACCOUNT:
            return metadata.Description
        return _okta_name(resource.AppServer.Spec.App.Metadata) or _okta_name(metadata)
    return _okta_name(resource.UserGroup.Header.Metadata)


def labelled(resource: auth_pb2.PaginatedResource) -> dict[str, str]:
    """The labels of the thing itself, not of the agent that serves it: static ones, and commands' results."""
    match resource.WhichOneof("resource"):
        case "Node":
            return _labels(resource.Node.Metadata, resource.Node.Spec.CmdLabels)
        case "AppServer":
            app = resource.AppServer.Spec.App
            return _labels(app.Metadata, app.Spec.DynamicLabels)
        case "DatabaseServer":
            database = resource.DatabaseServer.Spec.Database
            return _labels(database.Metadata, database.Spec.DynamicLabels)
        case "KubernetesServer":
            cluster = resource.KubernetesServer.Spec.Cluster
            return _labels(cluster.Metadata, cluster.Spec.DynamicLabels)
        case "WindowsDesktop":
            return _labels(resource.WindowsDesktop.Header.Metadata, {})
        case _:
            return _labels(resource.UserGroup.Header.Metadata, {})


def _labels(metadata: types_pb2.Metadata, commands: Mapping[str, types_pb2.CommandLabelV2]) -> dict[str, str]:
    return {**metadata.Labels, **{key: command.Result for key, command in commands.items()}}


def _okta_name(metadata: types_pb2.Metadata) -> str:
    if metadata.Labels.get(_ORIGIN_LABEL, "") != "okta":
        return ""
    labels = (metadata.Labels.get(label, "") for label in _OKTA_LABELS)
    return next((label for label in labels if label), metadata.Description)
