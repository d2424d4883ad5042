"""Opens the stream on which gRPC speaks with the cluster's Auth Service, whatever lies in between."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping

from teleport_email.errors import Unreachable
from teleport_email.teleport.address import parse_addresses
from teleport_email.teleport.credentials import SERVER_NAME, Identity, tls_context
from teleport_email.teleport.tls import start_tls

LIMIT = 14.0
"""Seconds for everything, explanations included: a wrong address is explained within 15."""


class Dialer:
    def __init__(self, addr: str, environ: Mapping[str, str]) -> None:
        self._addresses = parse_addresses(addr)
        self._environ = dict(environ)
        self._way = "TLS"

    @property
    def way(self) -> str:
        """How the last connection was made, for people."""
        return self._way

    async def dial(self, identity: Identity) -> tuple[StreamReader, StreamWriter]:
        context = tls_context(identity)
        address = self._addresses[0]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(LIMIT):
                transport, _ = await loop.create_connection(
                    asyncio.Protocol, address.host, address.port, happy_eyeballs_delay=0.25
                )
                return await start_tls(transport, context, SERVER_NAME)
        except OSError as exc:
            raise Unreachable(f"{address}: {exc}") from exc
