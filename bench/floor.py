"""The floor: as little as one can do to bring the same bytes to the same server."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import time
from collections.abc import Sequence
from typing import Any

import aiosmtplib
from parts import PASSWORD

SMTP_SOURCE = "/usr/sbin/smtp-source"


async def bare_loop(mail: dict[str, Any], messages: Sequence[tuple[str, bytes]], connections: int) -> float:
    """aiosmtplib: tasks with a connection each, and ``sendmail`` in a loop. Seconds."""
    todo = iter(messages)
    context = None
    if mail["ca_pem"]:
        context = ssl.create_default_context(cadata=mail["ca_pem"].decode())

    async def one() -> None:
        client = aiosmtplib.SMTP(
            hostname=mail["host"],
            port=mail["port"],
            use_tls=context is not None,
            start_tls=False,
            tls_context=context,
            username="bench" if context else None,
            password=PASSWORD if context else None,
            local_hostname="bench.example.com",
        )
        await client.connect()
        for recipient, raw in todo:
            await client.sendmail("teleport@example.com", [recipient], raw)
        await client.quit()

    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())
    return time.monotonic() - begun


def smtp_source() -> str:
    """Postfix's load generator; empty where it is not installed."""
    return shutil.which(SMTP_SOURCE) or ""


def smtp_source_run(mail: dict[str, Any], count: int, size: int, connections: int) -> float:
    """The same number of messages of this size, in the clear (it knows neither TLS nor AUTH). Seconds.

    It opens a connection per message unless it is told not to (``-d``).
    """
    begun = time.monotonic()
    subprocess.run(
        [
            SMTP_SOURCE,
            "-d",
            *("-s", str(connections), "-m", str(count), "-l", str(size)),
            *("-f", "teleport@example.com", "-t", "r1@example.com"),
            f"{mail['host']}:{mail['port']}",
        ],
        check=True,
        capture_output=True,
        timeout=600,
    )
    return time.monotonic() - begun
