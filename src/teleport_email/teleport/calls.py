"""Calling the cluster: a deadline for every call, a bound on calls at once, and errors of our own.

grpcio brings no type annotations, so the shapes of its call objects are stated here; the type stubs of the
generated code refer to them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Protocol, TypeVar

Request_contra = TypeVar("Request_contra", contravariant=True)
Response_co = TypeVar("Response_co", covariant=True)


class UnaryCall(Protocol[Request_contra, Response_co]):
    """A method with one answer."""

    def __call__(
        self, request: Request_contra, /, *, timeout: float | None = None
    ) -> Awaitable[Response_co]: ...


class Stream(AsyncIterator[Response_co], Protocol[Response_co]):
    """The answers of one call, as they come."""

    def cancel(self) -> bool: ...


class StreamCall(Protocol[Request_contra, Response_co]):
    """A method with a stream of answers."""

    def __call__(
        self, request: Request_contra, /, *, timeout: float | None = None
    ) -> Stream[Response_co]: ...
