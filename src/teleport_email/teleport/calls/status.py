"""gRPC's status of a failed call -> the program's errors. Pure.

The server's own words are kept: Teleport's say which verb on which kind of resource is missing.
"""

from __future__ import annotations

from collections.abc import Mapping

import grpc

from teleport_email.core.errors import (
    ClusterError,
    Conflict,
    Denied,
    NotFound,
    Rejected,
    Unreachable,
    Unsupported,
)

_ERRORS: Mapping[grpc.StatusCode, type[ClusterError]] = {
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: Conflict,
    grpc.StatusCode.FAILED_PRECONDITION: Conflict,  # a compare failed, or too many writes at once
    grpc.StatusCode.PERMISSION_DENIED: Denied,
    grpc.StatusCode.UNAUTHENTICATED: Denied,
    grpc.StatusCode.INVALID_ARGUMENT: Rejected,
    grpc.StatusCode.OUT_OF_RANGE: Rejected,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Rejected,
    grpc.StatusCode.UNIMPLEMENTED: Unsupported,
}
"""Every other status leaves open whether the call was carried out, so it counts as unreachable."""

_LONGEST_DETAILS = 500
"""Characters of the server's words that are passed on; they may quote what users wrote."""


def error_from_status(code: grpc.StatusCode, details: str, doing: str) -> ClusterError:
    """What a call that ended with ``code`` means.

    ``doing`` names the call as a phrase: "listing access requests". Line breaks and other control characters
    in the server's words become spaces, so that they cannot forge a line of the log.
    """
    words = "".join(character if character.isprintable() else " " for character in details).strip()
    if len(words) > _LONGEST_DETAILS:
        words = words[:_LONGEST_DETAILS] + "…"
    error = _ERRORS.get(code, Unreachable)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unreachable(f"{doing}: no answer in time")
    if error is Denied:
        return Denied(f"{doing}: {words or 'access denied'}")
    if error is Unsupported:
        return Unsupported(f"{doing}: this cluster's version does not have the call ({words})")
    return error(f"{doing}: {words or 'no reason given'} ({code.name})")
