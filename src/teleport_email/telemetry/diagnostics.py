"""Health, metrics and status over HTTP, where ``[diagnostics]`` asks for them.

``/healthz``: is the process alive (else restart it). ``/readyz``: can it tell people about requests, and if
not, why. ``/metrics``: numbers for Prometheus. ``/statusz``: the same for people. The HTTP server and the
metrics library are loaded only when there is an address to listen on.
"""

from __future__ import annotations

import errno
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from teleport_email.config.endpoints import is_loopback
from teleport_email.config.settings import DiagnosticsSettings
from teleport_email.core.errors import ConfigError, Fault, TeleportEmailError
from teleport_email.core.informing import Wait
from teleport_email.telemetry.health import Backlog, Snapshot
from teleport_email.telemetry.problems import Problems
from teleport_email.telemetry.tally import Tally
from teleport_email.watching.store import Store

if TYPE_CHECKING:
    from teleport_email.telemetry import statusz
    from teleport_email.telemetry.httpd import Handler, HttpServer, Request, Response
    from teleport_email.telemetry.metrics import Metrics

PAGES = "/healthz  /readyz  /metrics  /statusz\n"

SILENCE = 60.0
"""Seconds between two lines about faults of the pages."""
LONGEST = 300
"""Characters of such a fault."""

log = structlog.get_logger()


class CannotListen(TeleportEmailError):
    """The address cannot be had now. The message says why and what to do."""


class Diagnostics:
    """The pages, and the one server that shows them, if any."""

    def __init__(
        self,
        *,
        look: Callable[[], Snapshot],
        store: Store,
        backlog: Backlog,
        tally: Tally,
        problems: Problems,
        waits: Callable[[str], tuple[Wait, ...]] = lambda _: (),
    ) -> None:
        """``look`` takes a snapshot of the daemon; it must not wait for anything.

        ``waits``: of a request, the failed tries of those who wait.
        """
        self._look = look
        self._store = store
        self._backlog = backlog
        self._tally = tally
        self._problems = problems
        self._waits = waits
        self._metrics: Metrics | None = None
        self._server: HttpServer | None = None
        self._addr = ""
        self._faults = Faults()

    @property
    def url(self) -> str:
        """Where the pages are, without a slash at the end; empty when they are off."""
        return self._server.url if self._server else ""

    async def start(self, settings: DiagnosticsSettings) -> None:
        """Listen, if there is an address.

        Raises :class:`ConfigError` when this process may not listen there, :class:`CannotListen` when it
        cannot for a reason that may pass.
        """
        if settings.addr:
            self._server = await self._listen(settings.addr)
        self._addr = settings.addr

    @asynccontextmanager
    async def moving(self, settings: DiagnosticsSettings) -> AsyncIterator[None]:
        """Listen where new settings say, for good if the block ends well; else stay where we were.

        Raises :class:`ConfigError` before the block when the new address cannot be had.
        """
        if settings.addr == self._addr:
            yield
            return
        old, old_addr = self._server, self._addr
        # 127.0.0.1:80 and 0.0.0.0:80 cannot be had at the same time.
        in_the_way = old is not None and _port(settings.addr) == _port(old_addr)
        if old is not None and in_the_way:
            await old.close()
        try:
            async with self._tried(settings) as new:
                yield
        except BaseException:
            if in_the_way:
                self._server = await self._listen(old_addr)
            raise
        self._server, self._addr = new, settings.addr
        if old is not None:
            await old.close()

    @asynccontextmanager
    async def _tried(self, settings: DiagnosticsSettings) -> AsyncIterator[HttpServer | None]:
        """A server where the settings say, closed again when the block fails."""
        try:
            server = await self._listen(settings.addr) if settings.addr else None
        except CannotListen as error:
            raise ConfigError([Fault("diagnostics.addr", str(error))]) from None
        try:
            yield server
        except BaseException:
            if server is not None:
                await server.close()
            raise

    async def close(self) -> None:
        """Stop to listen."""
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def _listen(self, addr: str) -> HttpServer:
        from teleport_email.telemetry.httpd import (  # with h11: only for who wants the pages
            HttpServer,
            Limits,
        )
        from teleport_email.telemetry.metrics import Metrics

        self._metrics = self._metrics or Metrics(self._look, self._tally)
        host, _, port = addr.rpartition(":")
        server = HttpServer(
            {
                ("GET", path): self._guarded(answer, is_loopback(host.strip("[]")))
                for path, answer in (
                    ("/healthz", self._healthz),
                    ("/readyz", self._readyz),
                    ("/metrics", self._exposition),
                    ("/statusz", self._statusz),
                )
            },
            host=host.strip("[]"),
            port=int(port),
            # Nobody has reason to send us a body or to keep many connections.
            limits=Limits(body_bytes=1024, handler_time=5.0, connections=32),
            fallback=self._unknown,
        )
        try:
            await server.start()
        except OSError as error:
            what = f"cannot listen on {addr} for diagnostics: {_reason(error)}"
            if error.errno == errno.EACCES:
                raise ConfigError([Fault("diagnostics.addr", what)]) from None
            raise CannotListen(what) from None
        log.info("diagnostics served", url=f"{server.url}/statusz")
        return server

    def _guarded(self, answer: Handler, private: bool) -> Handler:
        """The handler, such that its faults cost a line a minute. ``private``: only this machine is meant; no
        page elsewhere may read ours through a browser here, by giving its own name to our address (DNS
        rebinding): the browser sends that name as Host.
        """
        from teleport_email.telemetry.httpd import Response

        async def guarded(request: Request) -> Response:
            if private and not _is_this_machine(request.headers.get("host", "")):
                return Response.text("only for this machine, by its own name: http://localhost\n", 403)
            try:
                return await answer(request)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with a page, the others are served
                self._faults.say(request.path, error)
                return Response.text("internal error\n", 500)

        return guarded

    # The pages ------------------------------------------------------------------------------------------

    async def _healthz(self, _request: Request) -> Response:
        """That this is answered at all shows that the event loop runs."""
        return _verdict([f"the task '{name}' has ended" for name in self._look().dead])

    async def _readyz(self, _request: Request) -> Response:
        return _verdict(self._look().obstacles())

    async def _exposition(self, request: Request) -> Response:
        from teleport_email.telemetry.httpd import Response

        assert self._metrics is not None
        body, content_type = self._metrics.exposition(request.headers.get("accept", ""))
        return Response(200, body, content_type)

    async def _statusz(self, _request: Request) -> Response:
        from teleport_email.telemetry import statusz
        from teleport_email.telemetry.httpd import Response

        text = statusz.page(self._look(), self._tally, self._problems.latest(), self._open_requests())
        return Response.html(text, headers=statusz.HEADERS)

    async def _unknown(self, request: Request) -> Response:
        from teleport_email.telemetry.httpd import Response

        return Response.text(PAGES, 200 if request.path == "/" else 404)

    def _open_requests(self) -> list[statusz.OpenRequest]:
        from teleport_email.telemetry import statusz

        self._backlog.look()
        found = []
        for request_id in self._store.ids():
            view = self._store.view(request_id)
            if view is None or view.gone:
                continue
            request = view.request
            found.append(
                statusz.OpenRequest(
                    id=request.id,
                    state=request.state.value,
                    reviews=len(request.reviews),
                    expires=request.expires,
                    waiting=self._backlog.age(request_id),
                    waits=self._waits(request_id),
                )
            )
            if len(found) == statusz.LISTED:
                break
        return found


class Faults:
    """Says what is wrong with our pages, at most once a minute: whoever may ask for them may ask often."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._silent_until = float("-inf")
        self._unsaid = 0

    def say(self, page: str, error: Exception) -> None:
        """Log it, or only count it."""
        now = self._clock()
        if now < self._silent_until:
            self._unsaid += 1
            return
        what = f"{type(error).__name__}: {error}"[:LONGEST]
        log.error("http request failed", path=page[:LONGEST], error=what, unsaid=self._unsaid)
        self._silent_until, self._unsaid = now + SILENCE, 0


def _is_this_machine(host: str) -> bool:
    """Whether a Host header names this machine; also where there is none, which no browser does."""
    name = host.strip()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    return not name or is_loopback(name)


def _verdict(obstacles: list[str] | tuple[str, ...]) -> Response:
    from teleport_email.telemetry.httpd import Response

    if obstacles:
        return Response.text("".join(f"{' '.join(text.split())}\n" for text in obstacles), 503)
    return Response.text("ok\n")


def _port(addr: str) -> str:
    return addr.rpartition(":")[2]


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "another process listens there already; choose another port or end that process"
        case errno.EACCES:
            return "this user may not; ports below 1024 are for root, choose a higher one"
        case errno.EADDRNOTAVAIL | None:  # from Python 3.12 on asyncio tries the next one, and says just this
            return "this machine has no such address"
        case _:
            return error.strerror or str(error)
