"""What a Teleport Proxy tells everybody about itself, ``GET /webapi/find``: for explanations, ``check``."""

from __future__ import annotations

import asyncio
import ssl

from msgspec import Struct

from teleport_email.core.errors import Unreachable
from teleport_email.core.foreign import Unreadable, json_object
from teleport_email.teleport.connect.http.http_exchange import HttpExchange
from teleport_email.teleport.connect.route import Route
from teleport_email.teleport.connect.tls import secure


class ProxyFacts(Struct, frozen=True):
    """The part that helps to explain. ``cluster`` is empty with old Proxies, which do not say."""

    cluster: str
    version: str
    tls_routing: bool


async def find(route: Route, public: ssl.SSLContext) -> ProxyFacts | None:
    """Facts about the Proxy at the end of ``route``; None if there is none.

    Raises :class:`Unreachable` and ``OSError``, ``ssl.SSLError`` included. The limit on time is the caller's.
    """
    plain = await route.open()
    exchange = HttpExchange()
    transport = await secure(plain, exchange, public, route.address.name)
    try:
        answer = await exchange.ask(
            transport,
            "GET",
            "/webapi/find",
            [("Host", route.address.authority), ("Accept", "application/json"), ("Connection", "close")],
        )
    finally:
        transport.abort()
    return _parse(answer.body) if answer.status == 200 else None


def _parse(body: bytes) -> ProxyFacts | None:
    try:
        data = json_object(body)
    except Unreadable:
        return None
    if not isinstance(data.get("server_version"), str):
        return None
    proxy = data.get("proxy")
    return ProxyFacts(
        cluster=_short(data.get("cluster_name")),
        version=_short(data["server_version"]),
        tls_routing=isinstance(proxy, dict) and proxy.get("tls_routing_enabled") is True,
    )


def _short(value: object) -> str:
    """Text from a stranger, fit for a log."""
    return "".join(char for char in value if char.isprintable())[:100] if isinstance(value, str) else ""


async def find_quietly(route: Route, public: ssl.SSLContext, limit: float) -> ProxyFacts | None:
    """As :func:`find`, within ``limit`` seconds; any failure is None. For explaining another failure."""
    try:
        async with asyncio.timeout(limit):
            return await find(route, public)
    except (OSError, Unreachable):
        return None
