"""What the embedded cluster answers when it does not do as asked: a gRPC status and Teleport's words.

The wording follows what a Teleport 17.0 cluster was seen to answer; clients read it in their logs.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc


class Refusal(Exception):
    """A call refused, with the status ``code`` and ``details`` that the caller gets."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        self.code = code
        self.details = details
        super().__init__(f"{code.name}: {details}")


def not_found(details: str) -> Refusal:
    """The thing does not exist."""
    return Refusal(grpc.StatusCode.NOT_FOUND, details)


def bad_parameter(details: str) -> Refusal:
    """The call makes no sense as it stands."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, details)


def access_denied(details: str) -> Refusal:
    """The caller may not do this."""
    return Refusal(grpc.StatusCode.PERMISSION_DENIED, details)


def action_denied(kind: str, verbs: Iterable[str]) -> Refusal:
    """The caller's roles lack ``verbs`` on ``kind``; all that are missing are told, as Teleport does."""
    return access_denied(", ".join(f'access denied to perform action "{verb}" on "{kind}"' for verb in verbs))


def compare_failed(details: str) -> Refusal:
    """A compare-and-swap lost."""
    return Refusal(grpc.StatusCode.FAILED_PRECONDITION, details)


def unavailable(details: str = "the connection is draining") -> Refusal:
    """No answer from the cluster; whether the call was carried out stays open."""
    return Refusal(grpc.StatusCode.UNAVAILABLE, details)
