"""The floor: as little as one can do to bring the same bytes to the same server."""

from __future__ import annotations

import asyncio
import base64
import shutil
import ssl
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from parts import PASSWORD

SMTP_SOURCE = "/usr/sbin/smtp-source"


async def bare_loop(
    mail: dict[str, Any],
    messages: Sequence[tuple[str, bytes]],
    connections: int,
    per_connection: int = 10,
) -> float:
    """So many at once, each a connection for so many messages, then the next one: log in, MAIL, RCPT and DATA
    in one packet where the server bears that (RFC 2920), the message, QUIT. Seconds.

    The defaults are those of the program. Knows no fault, no limit of time and no refusal.
    """
    todo = iter(messages)
    context = None
    if mail["ca_pem"]:
        context = ssl.create_default_context(cadata=mail["ca_pem"].decode())

    async def one() -> None:
        following = next(todo, None)
        while following is not None:
            reader, writer = await asyncio.open_connection(mail["host"], mail["port"], ssl=context)
            await _reply(reader)
            writer.write(b"EHLO bench.example.com\r\n")
            pipelining = b"PIPELINING" in await _reply(reader)
            if context:
                writer.write(b"AUTH PLAIN " + base64.b64encode(f"\0bench\0{PASSWORD}".encode()) + b"\r\n")
                await _reply(reader)
            for _ in range(per_connection):
                recipient, raw = following
                commands = [b"MAIL FROM:<teleport@example.com>", f"RCPT TO:<{recipient}>".encode(), b"DATA"]
                for group in [commands] if pipelining else [[command] for command in commands]:
                    writer.write(b"".join(command + b"\r\n" for command in group))
                    for _command in group:
                        await _reply(reader)
                writer.write(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
                await _reply(reader)
                following = next(todo, None)
                if following is None:
                    break
            writer.write(b"QUIT\r\n")
            await _reply(reader)
            writer.close()

    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())
    return time.monotonic() - begun


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """One reply, all its lines. It must be a yes."""
    lines = [await reader.readline()]
    while lines[-1][3:4] == b"-":
        lines.append(await reader.readline())
    assert lines[-1][:1] in (b"2", b"3"), lines
    return b"".join(lines)


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
