"""The mailer against the floor: aiosmtplib in a bare loop, the same connections, the same server.

    python bench/sending.py [--messages 1000] [--connections 10] [--delays 0,10,30] [--tls] [--rounds 3]

The server (the sandbox's inbox) runs in a process of its own and waits the given milliseconds before each
answer, as if the way were that long. Both sides log in over STARTTLS with ``--tls``. Per delay the sides take
turns, several rounds each; the ratio of the medians is what counts, the seconds are this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import multiprocessing.connection
import random
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosmtplib
import structlog

from teleport_email.config.settings import SmtpSettings
from teleport_email.core.model import Content, Delivered, Mail
from teleport_email.mail.mailer import OpenGate
from teleport_email.mail.message import build
from teleport_email.mail.smtp.mailer import SmtpMailer
from teleport_email.sandbox.mail.inbox import Inbox

CONTENT = Content(
    subject="example.com Role Request 0190d7f6-3c1c-7a8e-9f8b-2f6d1f0c9a11",
    text="ID: 0190d7f6-3c1c-7a8e-9f8b-2f6d1f0c9a11\nUser: alice\nReason: déploiement ⏳\n" * 8,
    html="<table><tr><td style='padding:4px;color:#333333'>déploiement</td></tr></table>\n" * 100,
    date=datetime(2026, 11, 22, 18, 30, tzinfo=UTC),
    boundary="=_0123456789abcdef",
    sender="Teleport <teleport@example.com>",
)


def serve(pipe: multiprocessing.connection.Connection, tls: bool) -> None:
    """The server's process: tells its settings, then obeys (delay, or None to end)."""

    async def run() -> None:
        async with Inbox(
            tls="starttls" if tls else "none", passwords={"me": "secret"} if tls else {}, keep=1
        ) as inbox:
            pipe.send(inbox.settings())
            while (delay := await asyncio.to_thread(pipe.recv)) is not None:
                inbox.faults.delay = delay
                before = inbox.received
                pipe.send(True)
                await asyncio.to_thread(pipe.recv)
                pipe.send(inbox.received - before)

    asyncio.run(run())


def mails(count: int) -> list[Mail]:
    return [
        Mail(
            f"r{n % 5}@example.com",
            f"a.{n}.{random.getrandbits(64):x}@example.com",
            "root@example.com",
            CONTENT,
        )
        for n in range(count)
    ]


async def floor(settings: SmtpSettings, count: int) -> float:
    """As little as one can do: tasks with a connection each, and sendmail in a loop over finished bytes."""
    messages = [(mail.recipient, build(mail)) for mail in mails(count)]
    todo = iter(messages)

    async def one() -> None:
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            start_tls=settings.tls == "starttls",
            cert_bundle=str(settings.ca_file) if settings.ca_file else None,
            username=settings.username or None,
            password=settings.password.reveal() or None,
            local_hostname="bench.example.com",
        )
        await client.connect()
        for recipient, raw in todo:
            await client.sendmail("teleport@example.com", [recipient], raw)
        await client.quit()

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(settings.max_connections):
            group.create_task(one())
    return time.perf_counter() - begun


async def ours(settings: SmtpSettings, count: int) -> float:
    """The mailer with all it does, from values to answers: 200 requests of 5 recipients each."""
    mailer = SmtpMailer(settings, clock=time.monotonic, random=random.Random(1))
    batch = mails(count)

    async def one(part: list[Mail]) -> None:
        async with mailer.admit():
            gate = OpenGate()
            outcomes = await asyncio.gather(*(mailer.send(mail, gate) for mail in part))
            assert all(isinstance(outcome, Delivered) for outcome in outcomes), outcomes

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for start in range(0, count, 5):
            group.create_task(one(batch[start : start + 5]))
    await mailer.close()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--delays", default="0,10,30", help="milliseconds, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action="store_true", help="STARTTLS and a login on both sides")
    parser.add_argument("--per-connection", type=int, default=20, help="messages_per_connection of ours")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))

    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs, arguments.tls))
    server.start()
    settings: SmtpSettings = pipe.recv()
    changes: dict[str, Any] = {name: getattr(settings, name) for name in SmtpSettings.__struct_fields__} | {
        "max_connections": arguments.connections,
        "messages_per_connection": arguments.per_connection,
        "helo_hostname": "bench.example.com",
    }
    if settings.ca_file:
        assert Path(settings.ca_file).exists()
    settings = SmtpSettings(**changes)

    def measure(way: Any, delay: float) -> float:
        pipe.send(delay)
        pipe.recv()
        gc.collect()
        seconds: float = asyncio.run(way(settings, arguments.messages))
        pipe.send(True)
        received = pipe.recv()
        assert received == arguments.messages, f"{received} of {arguments.messages} messages arrived"
        return seconds

    tls = "STARTTLS + AUTH" if arguments.tls else "clear text"
    print(f"{arguments.messages} messages, {arguments.connections} connections, {tls}")
    print(f"{'delay':>7} {'floor':>9} {'ours':>9} {'ratio':>7}")
    try:
        for delay in (float(text) / 1000 for text in arguments.delays.split(",")):
            rounds = [(measure(floor, delay), measure(ours, delay)) for _ in range(arguments.rounds)]
            bare, full = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(f"{delay * 1000:4.0f} ms {bare:7.2f} s {full:7.2f} s {full / bare:7.2f}", flush=True)
    finally:
        pipe.send(None)
        server.join(10)


if __name__ == "__main__":
    main()
