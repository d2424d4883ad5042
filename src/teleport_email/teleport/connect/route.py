"""The way of the bytes to an address: TCP, perhaps through an HTTP proxy. Not yet TLS to the address."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

from msgspec import Struct

from teleport_email.core.errors import Unreachable
from teleport_email.core.model import hiding
from teleport_email.network.connect import connect
from teleport_email.network.unresolved import unresolved
from teleport_email.teleport.connect.address import Address
from teleport_email.teleport.connect.http.proxy_environment import HttpProxy

OPEN_LIMIT = 7.0
"""Seconds to an open connection: three of TCP's attempts (at 0, 1 and 3 s), and time left to explain."""


class Route(Struct, frozen=True):
    """Where to, and through what. ``public``: for the TLS to an ``https://`` proxy."""

    address: Address
    proxy: HttpProxy | None = None
    public: ssl.SSLContext | None = None

    __repr__ = hiding("public")

    def __str__(self) -> str:
        return f"{self.address} (through the HTTP proxy {self.proxy})" if self.proxy else str(self.address)

    async def open(self) -> asyncio.Transport:
        """A connection on which nothing was said yet to the address; its reading is paused.

        Raises :class:`Unreachable`, which says where it failed and what to look at.
        """
        peer = self._peer
        transport: asyncio.Transport | None = None
        try:
            async with asyncio.timeout(OPEN_LIMIT):
                transport, _ = await asyncio.get_running_loop().create_connection(
                    _Silent, sock=await connect(peer.host, peer.port)
                )
                if self.proxy is not None:
                    # With an HTTP client: only for who has a proxy.
                    from teleport_email.teleport.connect.http.connect_proxy import through

                    transport = await through(transport, self.proxy, self.public, self.address)
        except TimeoutError:
            _abort(transport)
            step = "gave no answer" if transport else "did not take a connection"
            raise Unreachable(
                f"{self._what} {step} within {OPEN_LIMIT:.0f} s (timed out): is the address right, "
                "and does a firewall let us through?"
            ) from None
        except OSError as exc:
            _abort(transport)
            raise Unreachable(self._reason(exc)) from exc
        except BaseException:
            _abort(transport)
            raise
        return transport

    @property
    def _peer(self) -> Address:
        """Whom we connect to."""
        return self.proxy.address if self.proxy else self.address

    @property
    def _what(self) -> str:
        return f"the HTTP proxy {self._peer}" if self.proxy else str(self._peer)

    def _reason(self, exc: OSError) -> str:
        what = self._what
        if isinstance(exc, socket.gaierror):
            return unresolved(self._peer.host, "HTTPS_PROXY" if self.proxy else "teleport.addr", exc)
        if isinstance(exc, ssl.SSLError):
            return f"{what}: no TLS with it: {getattr(exc, 'verify_message', '') or exc.reason or exc}"
        match exc.errno:
            case errno.ECONNREFUSED:
                return f"{what} refused the connection: nothing listens on that port, or a firewall says no"
            case errno.ENETUNREACH | errno.EHOSTUNREACH:
                return f"{what}: no route to it from here ({exc.strerror or exc})"
            case errno.ETIMEDOUT:
                return f"{what} did not take a connection (timed out)"
            case errno.EMFILE | errno.ENFILE:
                return "no file descriptor left for a connection: raise LimitNOFILE"
            case _:
                return f"{what}: {exc.strerror or exc}"


class _Silent(asyncio.Protocol):
    """Reads nothing. What the peer says before it is asked (no TLS server does) is for whoever takes over."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()


def _abort(transport: asyncio.Transport | None) -> None:
    if transport is not None:
        transport.abort()
