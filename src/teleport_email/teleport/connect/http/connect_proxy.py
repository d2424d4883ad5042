"""An HTTP proxy's tunnel (CONNECT, RFC 9110, 9.3.6) to an address."""

from __future__ import annotations

import asyncio
import ssl

from teleport_email.core.errors import Unreachable
from teleport_email.teleport.connect.address import Address
from teleport_email.teleport.connect.http.http_exchange import HttpExchange, NotHttp
from teleport_email.teleport.connect.http.proxy_environment import HttpProxy
from teleport_email.teleport.connect.tls import secure


async def through(
    transport: asyncio.Transport, proxy: HttpProxy, public: ssl.SSLContext | None, target: Address
) -> asyncio.Transport:
    """``transport`` leads to ``proxy``, of which nothing was asked yet; what comes back leads to ``target``.

    ``public``: for the TLS to an ``https://`` proxy. Raises as :func:`_tunnel`, and ``ssl.SSLError``.
    """
    exchange = HttpExchange()
    if proxy.tls:
        assert public is not None
        transport = await secure(transport, exchange, public, proxy.address.name)
    else:
        transport.set_protocol(exchange)
        exchange.connection_made(transport)
    await _tunnel(transport, exchange, proxy, target)
    return transport


async def _tunnel(
    transport: asyncio.Transport, exchange: HttpExchange, proxy: HttpProxy, target: Address
) -> None:
    """Ask ``proxy``, to which ``transport`` leads, for a tunnel; afterwards it leads to ``target``.

    Raises :class:`Unreachable`; ``OSError`` when the connection is lost. Names are resolved by the proxy.
    """
    headers = [("Host", target.authority)]
    if proxy.authorization:
        headers.append(("Proxy-Authorization", proxy.authorization.reveal()))
    try:
        answer = await exchange.ask(transport, "CONNECT", target.authority, headers)
    except NotHttp as exc:
        raise Unreachable(
            f"the HTTP proxy {proxy} does not behave as one: {exc}; check HTTPS_PROXY"
        ) from None
    if answer.switched and 200 <= answer.status < 300:
        return
    match answer.status:
        case 407 if proxy.authorization:
            reason = "it refuses the user name and password in HTTPS_PROXY (407)"
        case 407:
            reason = "it asks for a user name and password (407): HTTPS_PROXY=http://user:password@host:port"
        case 403 | 405:
            reason = f"its rules forbid it ({answer.status}): have it allowed, or add the address to NO_PROXY"
        case 502 | 503 | 504:
            reason = f"it cannot reach that address itself ({answer.status})"
        case status:
            reason = f"it answered {status}"
    raise Unreachable(f"the HTTP proxy {proxy} opens no tunnel to {target}: {reason}")
