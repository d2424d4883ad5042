"""Freed memory goes back to the system, where the C library can do that."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import ssl
import subprocess
import sys
from asyncio import sslproto
from pathlib import Path

import pytest

from teleport_email.daemon import heap
from teleport_email.sandbox.mail.mail_certificates import MailAuthority


def resident() -> int:
    """Of this process, KB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_freed_memory_goes_back() -> None:
    blocks = [bytearray(3000) for _ in range(20_000)]
    pin = blocks.pop()  # what lies above the others keeps the C library from giving anything back by itself
    blocks.clear()
    before = resident()
    heap.give_back()
    assert before - resident() > 30_000
    assert len(pin) == 3000


def test_without_glibc_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    heap.give_back()


def test_what_is_there_for_good_is_collected_no_more() -> None:
    before = gc.get_freeze_count()
    try:
        heap.settle()
        assert gc.get_freeze_count() > before + 1000
        assert len(gc.get_objects()) < 1000
    finally:
        gc.unfreeze()


async def test_a_tls_connection_holds_a_small_buffer_and_carries_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        sslproto.SSLProtocol, "max_size", sslproto.SSLProtocol.max_size
    )  # put back in the end
    heap.spare()
    authority, much = MailAuthority(), b"0123456789abcdef" * 65536

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(len(much)))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=authority.server_context())
    async with server, asyncio.timeout(60):
        port = server.sockets[0].getsockname()[1]
        context = ssl.create_default_context(cadata=authority.ca_pem.decode())
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="localhost"
        )
        assert len(writer.transport._ssl_protocol._ssl_buffer) == heap.TLS_BUFFER
        writer.write(much)
        assert await reader.readexactly(len(much)) == much
        writer.close()
        await writer.wait_closed()


def test_what_few_need_is_loaded_by_them_only() -> None:
    """At rest: no rules, no pages, no proxy, no time zone, no HTTP."""
    code = (
        "import sys; sys.modules['rich'] = None; "  # the developers' tools have it, and structlog loads it
        "import teleport_email.commands.start, teleport_email.daemon.service, teleport_email.mail.smtp.mailer; "
        "few = {'cryptography', 'lark', 're2', 'yaml', 'httpcore', 'h11', 'prometheus_client', 'zoneinfo', "
        "'difflib', 'jinja2', 'html', 'google.protobuf.descriptor_pb2', 'shlex', "
        "'teleport_email.routing.rules', 'teleport_email.telemetry.statusz'}; "
        "print(sorted(few & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=100
    )
    assert done.stdout == "[]\n"
