"""Opens the stream on which gRPC speaks with the cluster's Auth Service, whatever lies in between.

One TLS handshake serves the Auth Service and a Proxy alike. Only where somebody else's certificate comes
back, from a load balancer that ends TLS, the same session is run inside a WebSocket.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping

from teleport_email.core.errors import TeleportEmailError, Unreachable
from teleport_email.network.race import NoneSucceeded, first
from teleport_email.teleport.connect.address import Address, parse_addresses
from teleport_email.teleport.connect.credentials import Identity, tls_context
from teleport_email.teleport.connect.handshake import EXPLAIN_LIMIT, NotAuth, Untrusted, distrust, shake_hands
from teleport_email.teleport.connect.http.conn_upgrade_switch import decided
from teleport_email.teleport.connect.http.proxy_environment import proxy_for
from teleport_email.teleport.connect.public_tls import public_context
from teleport_email.teleport.connect.route import Route
from teleport_email.teleport.connect.stranger import look_at

LIMIT = 14.0
"""Seconds for everything, explanations included: a wrong address is explained within 15."""

STAGGER = 1.0
"""Seconds after which the next address is tried beside one that has not answered yet."""

Streams = tuple[StreamReader, StreamWriter]


class Dialer:
    """Dials; and remembers which address and which way worked, to begin with them next time."""

    def __init__(self, addr: str, environ: Mapping[str, str]) -> None:
        """``addr``: ``host:port[,host:port...]``. Raises ``ValueError`` when that is no address."""
        self._addresses = parse_addresses(addr)
        self._environ = dict(environ)
        self._upgrade: dict[Address, bool] = {}
        self._way = ""

    def __repr__(self) -> str:  # without the environment, which may hold a proxy's password
        return f"Dialer({', '.join(map(str, self._addresses))})"

    @property
    def way(self) -> str:
        """How the last connection was made, for people; empty before the first."""
        return self._way

    async def dial(self, identity: Identity) -> Streams:
        """A connection with the Auth Service, after its TLS handshake.

        Raises :class:`Unreachable` with an explanation within 15 s, :class:`IdentityError` where the identity
        is at fault.
        """
        context = tls_context(identity)
        try:
            async with asyncio.timeout(LIMIT):
                return await self._first(identity, context)
        except TimeoutError:
            names = ", ".join(map(str, self._addresses))
            raise Unreachable(f"no connection with {names} within {LIMIT:.0f} s (timed out)") from None

    async def _first(self, identity: Identity, context: ssl.SSLContext) -> Streams:
        """The first address that works: each gets a head start of ``STAGGER`` before the next one."""

        async def dial(address: Address) -> tuple[Address, Streams]:
            return address, await self._dial(address, identity, context)

        try:
            address, streams = await first(
                [functools.partial(dial, address) for address in self._addresses],
                STAGGER,
                TeleportEmailError,
                lambda late: late[1][1].transport.abort(),
            )
        except NoneSucceeded as none:
            # The identity's fault is everybody's; else all reasons, as each address has its own.
            at_fault = next((exc for exc in none.errors if not isinstance(exc, Unreachable)), None)
            raise at_fault or Unreachable("; ".join(map(str, none.errors))) from at_fault
        self._prefer(address)
        return streams

    def _prefer(self, address: Address) -> None:
        self._addresses = (address, *(other for other in self._addresses if other != address))

    async def _dial(self, address: Address, identity: Identity, context: ssl.SSLContext) -> Streams:
        try:
            proxy = proxy_for(address, self._environ)
        except ValueError as exc:
            raise Unreachable(str(exc)) from None
        public = public_context(self._environ) if proxy is not None and proxy.tls else None
        route = Route(address, proxy, public)
        decision = decided(address, self._environ)
        upgrade = self._upgrade.get(address, False) if decision is None else decision
        if not upgrade:
            try:
                streams = await self._direct(route, identity, context)
            except NotAuth as exc:
                if decision is not None:
                    raise
                streams = await self._instead(route, identity, context, exc)
                upgrade = self._upgrade[address] = True
        else:
            from teleport_email.teleport.connect.upgrade import dial_upgraded

            try:
                streams = await dial_upgraded(
                    route, identity, context, public or public_context(self._environ)
                )
            except Unreachable:
                self._upgrade.pop(address, None)  # it may be another kind of place now: look again next time
                raise
        self._way = "TLS in a WebSocket" if upgrade else "TLS"
        if proxy is not None:
            self._way += f", through the HTTP proxy {proxy}"
        return streams

    async def _direct(self, route: Route, identity: Identity, context: ssl.SSLContext) -> Streams:
        try:
            return await shake_hands(await route.open(), context, str(route))
        except Untrusted as exc:
            stranger = await look_at(route, identity, EXPLAIN_LIMIT)
            raise distrust(exc, stranger, identity, str(route)) from None

    async def _instead(
        self, route: Route, identity: Identity, context: ssl.SSLContext, direct: NotAuth
    ) -> Streams:
        # With WebSocket and HTTP client: only behind what ends TLS.
        from teleport_email.teleport.connect.upgrade import NotTrusted, dial_upgraded

        public = route.public or public_context(self._environ)
        try:
            return await dial_upgraded(route, identity, context, public)
        except NotTrusted as exc:  # neither way got to know who it is: both reasons help
            raise Unreachable(f"{direct}; {exc}") from None
