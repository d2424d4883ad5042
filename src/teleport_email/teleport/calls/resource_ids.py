"""Requested resources on the wire: their ids, and the parts of them that are asked for. Pure."""

from __future__ import annotations

from teleport_email.core.model import Constraint, ResourceID
from teleport_email.teleport._proto import types_pb2


def resources_from_proto(spec: types_pb2.AccessRequestSpecV3) -> tuple[ResourceID, ...]:
    """The requested resources of both fields: those with constraints stand only in the newer."""
    plain = [resource_from_proto(resource) for resource in spec.RequestedResourceIDs]
    newer = [
        resource_from_proto(
            each.id, constraint_from_proto(each.constraints) if each.HasField("constraints") else None
        )
        for each in spec.RequestedResourceAccessIDs
    ]
    return (*plain, *(resource for resource in newer if resource not in plain))


def resource_from_proto(resource: types_pb2.ResourceID, constraint: Constraint | None = None) -> ResourceID:
    """One resource's id."""
    return ResourceID(
        resource.ClusterName, resource.Kind, resource.Name, resource.SubResourceName, constraint
    )


def constraint_from_proto(constraints: types_pb2.ResourceConstraints) -> Constraint:
    """What part of a resource is asked for."""
    match constraints.WhichOneof("details"):
        case "aws_console":
            return Constraint("roles", tuple(constraints.aws_console.role_arns))
        case "ssh":
            return Constraint("logins", tuple(constraints.ssh.logins))
        case "windows_desktop":
            return Constraint("logins", tuple(constraints.windows_desktop.logins))
        case _:
            return Constraint()


def resource_to_proto(resource: ResourceID) -> types_pb2.ResourceID:
    """A resource's id, without what is asked for of it."""
    return types_pb2.ResourceID(
        ClusterName=resource.cluster,
        Kind=resource.kind,
        Name=resource.name,
        SubResourceName=resource.sub_resource,
    )


def constraint_to_proto(resource: ResourceID) -> types_pb2.ResourceConstraints:
    """What part of a resource is asked for; the message that holds it follows from the resource's kind."""
    constraints = types_pb2.ResourceConstraints(version="v1")
    constraint = resource.constraint or Constraint()
    if constraint.what == "roles":
        constraints.aws_console.role_arns.extend(constraint.values)
    elif constraint.what and resource.kind == "windows_desktop":
        constraints.windows_desktop.logins.extend(constraint.values)
    elif constraint.what:
        constraints.ssh.logins.extend(constraint.values)
    return constraints
