"""Calling the cluster: a deadline for every call, a bound on calls at once, and errors of our own.

grpcio brings no type annotations, so the shapes of its call objects are stated here; the type stubs of the
generated code refer to them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar

import grpc
import grpc.aio

from teleport_email.core.errors import Rejected, Unreachable
from teleport_email.teleport.calls.decoding import decoder
from teleport_email.teleport.calls.status import error_from_status

Request = TypeVar("Request")
Response = TypeVar("Response")
Request_contra = TypeVar("Request_contra", contravariant=True)
Response_co = TypeVar("Response_co", covariant=True)

CALLS_AT_ONCE = 200
"""2,000 at once came back CANCELLED from a server, 1,000 did not. 200 keep every link busy."""


class UnaryCall(Protocol[Request_contra, Response_co]):
    """A method with one answer."""

    def __call__(
        self, request: Request_contra, /, *, timeout: float | None = None
    ) -> Awaitable[Response_co]: ...


class Stream(AsyncIterable[Response_co], Protocol[Response_co]):
    """The answers of one call, as they come."""

    def cancel(self) -> bool: ...


class StreamCall(Protocol[Request_contra, Response_co]):
    """A method with a stream of answers."""

    def __call__(
        self, request: Request_contra, /, *, timeout: float | None = None
    ) -> Stream[Response_co]: ...


class TolerantChannel:
    """A channel whose answers decode also where a text in them is not UTF-8; for the generated stubs."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    def unary_unary(self, method: str, *, response_deserializer: Any, **options: Any) -> Any:
        """As of ``grpc.aio.Channel``."""
        tolerant = decoder(response_deserializer.__self__)
        return self._channel.unary_unary(method, response_deserializer=tolerant, **options)

    def unary_stream(self, method: str, *, response_deserializer: Any, **options: Any) -> Any:
        """As of ``grpc.aio.Channel``."""
        tolerant = decoder(response_deserializer.__self__)
        return self._channel.unary_stream(method, response_deserializer=tolerant, **options)


class Caller:
    """Makes the calls of one connection.

    ``dial_fault`` tells why the last try to reach the cluster failed (``None``: it did not). grpcio itself
    sees only its connection to the relay and would say "connection reset by peer".
    """

    def __init__(self, dial_fault: Callable[[], Exception | None], *, at_once: int = CALLS_AT_ONCE) -> None:
        self._dial_fault = dial_fault
        self._places = asyncio.Semaphore(at_once)

    async def unary(
        self,
        call: UnaryCall[Request, Response],
        request: Request,
        *,
        doing: str,
        timeout: float,
        urgent: bool = False,
    ) -> Response:
        """The answer of a call. Raises a :class:`ClusterError`; ``doing`` is the phrase it begins with.

        ``timeout`` (seconds) covers the wait for a place among the calls at once, too. ``urgent`` calls wait
        for no place: a ping under load must not look like a dead peer.
        """
        async with self._place(doing, timeout, urgent=urgent) as left:
            with self._errors(doing):
                answer = await call(request, timeout=left)
        return _decoded(answer, doing)

    async def all(
        self, call: StreamCall[Request, Response], request: Request, *, doing: str, timeout: float
    ) -> list[Response]:
        """All answers of a call that streams them, within ``timeout`` seconds."""
        async with self._place(doing, timeout) as left:
            stream = call(request, timeout=left)
            try:
                with self._errors(doing):
                    answers = [answer async for answer in stream]
            finally:
                stream.cancel()
        return [_decoded(answer, doing) for answer in answers]

    async def stream(
        self, call: StreamCall[Request, Response], request: Request, *, doing: str
    ) -> AsyncGenerator[Response, None]:
        """The answers of a call without an end, as they come. Answers that do not decode are passed over.

        Returns when the server ends the stream in order; close the generator to end it from here.
        """
        stream = call(request)
        answers = aiter(stream)
        try:
            while True:
                with self._errors(doing):
                    try:
                        answer = await anext(answers)
                    except StopAsyncIteration:
                        return
                if answer is not None:  # the decoder's sign for bytes that are no message
                    yield answer
        finally:
            stream.cancel()

    @asynccontextmanager
    async def _place(
        self, doing: str, timeout: float, *, urgent: bool = False
    ) -> AsyncGenerator[float, None]:
        if urgent:
            yield timeout
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        if not self._places.locked():
            await self._places.acquire()  # which does not wait then
        else:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._places.acquire()
            except TimeoutError:
                raise Unreachable(f"{doing}: too many calls at once, none ended in time") from None
        try:
            yield deadline - loop.time()
        finally:
            self._places.release()

    @contextmanager
    def _errors(self, doing: str) -> Generator[None, None, None]:
        """Turn what grpcio raises into our errors."""
        try:
            yield
        except grpc.RpcError as error:
            self._raise(error.code(), error.details() or "", doing)
        except asyncio.CancelledError:
            # grpcio raises this also for calls that end because the channel is closed. Only when this very
            # task is being cancelled is it a cancellation.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._raise(grpc.StatusCode.CANCELLED, "the call was cut off", doing)
        except (grpc.aio.UsageError, grpc.aio.InternalError, asyncio.InvalidStateError) as error:
            self._raise(grpc.StatusCode.CANCELLED, str(error) or "the connection was closed", doing)

    def _raise(self, code: grpc.StatusCode, details: str, doing: str) -> None:
        fault = self._dial_fault()
        if fault is None and "unix:" in details:  # gRPC's words about the relay's socket help nobody
            details = "the connection to the cluster has ended"
        if fault is not None and code in _NO_CONNECTION:
            raise Unreachable(f"{doing}: {fault}") from fault
        raise error_from_status(code, details, doing) from None


_NO_CONNECTION = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
}


def _decoded(answer: Response | None, doing: str) -> Response:
    if answer is None:
        raise Rejected(f"{doing}: the answer cannot be understood")
    return answer
