"""``teleport-email sandbox``: an embedded cluster and inbox to try the real daemon against."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from teleport_email.core.errors import TeleportEmailError

from . import access_list_command, request_command

if TYPE_CHECKING:
    from .console import Console
    from .running import Sandbox, SandboxOptions

REQUIREMENT = "aiosmtpd>=1.4.6"
"""As in pyproject.toml. Not our own name: in a package index it may be somebody else's."""
DEFAULT_DIRECTORY = Path("sandbox-data")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``sandbox [options]`` runs it, ``sandbox request|access-list ...`` talks to the one that runs."""
    parser = subparsers.add_parser(
        "sandbox",
        help="run an embedded cluster and inbox to try things out",
        description="Runs a make-believe Teleport cluster and an inbox on this machine, writes a "
        "configuration for them, and stays until Ctrl-C. Nothing leaves the machine and nothing is kept.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--dir",
        dest="directory",
        metavar="DIR",
        type=Path,
        default=DEFAULT_DIRECTORY,
        help=f"where to write identity and configuration (default ./{DEFAULT_DIRECTORY})",
    )
    parser.add_argument("--cluster-port", type=_port, default=0, metavar="PORT", help="default: any free one")
    parser.add_argument("--mail-port", type=_port, default=0, metavar="PORT", help="default: any free one")
    parser.add_argument("--page-port", type=_port, default=0, metavar="PORT", help="default: any free one")
    parser.add_argument("--mailgun", action="store_true", help="take mail by Mailgun's API instead of SMTP")
    parser.add_argument(
        "--community", action="store_true", help="a cluster whose requests are reviewed by tsh only"
    )
    parser.add_argument(
        "--teleport",
        metavar="VERSION",
        type=int,
        choices=(12, 15, 17, 19),
        default=17,
        help="which version of Teleport the cluster is like (default 17)",
    )
    # One JSON object per line: the addresses, then every message. Ends also when stdin does.
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)
    commands = parser.add_subparsers(dest="sandbox_command", metavar="COMMAND", title="commands")
    request_command.add_parser(commands)
    access_list_command.add_parser(commands)


def run(args: argparse.Namespace) -> int:
    """Run the sandbox until SIGINT or SIGTERM; 0 then."""
    try:
        from .console import Console
        from .running import SandboxOptions
    except ModuleNotFoundError as error:
        raise TeleportEmailError(
            f"the sandbox needs {error.name}, which is not installed. Into the environment of this program: "
            f"{sys.executable} -m ensurepip && {sys.executable} -m pip install '{REQUIREMENT}'"
        ) from error
    options = SandboxOptions(
        directory=args.directory,
        cluster_port=args.cluster_port,
        mail_port=args.mail_port,
        page_port=args.page_port,
        mailgun=args.mailgun,
        community=args.community,
        teleport=args.teleport,
    )
    try:
        asyncio.run(_run(options, Console(sys.stdout), as_json=args.json))
    except OSError as error:
        raise TeleportEmailError(f"the sandbox cannot start: {error}") from error
    return 0


async def _run(options: SandboxOptions, console: Console, *, as_json: bool) -> None:
    from .running import Sandbox

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    async with Sandbox(options) as sandbox:
        if as_json:
            loop.add_reader(sys.stdin, _end_with_input, stop)
            console.line(json.dumps({"page": sandbox.page.url, "configuration": str(sandbox.configuration)}))
        else:
            _introduce(sandbox, console)
        async with asyncio.TaskGroup() as tasks:
            showing = tasks.create_task(_show(sandbox, console, as_json=as_json))
            await stop.wait()
            showing.cancel()
        if as_json:
            loop.remove_reader(sys.stdin)


def _end_with_input(stop: asyncio.Event) -> None:
    # Whoever started us has our standard input; it ends with them, however they end.
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin)
        stop.set()


async def _show(sandbox: Sandbox, console: Console, *, as_json: bool) -> None:
    async with contextlib.aclosing(sandbox.mail.arrivals()) as arrivals:
        async for mail in arrivals:
            if as_json:
                fields = {"number": mail.number, "to": mail.envelope_to, "raw": mail.raw.decode("latin-1")}
                console.line(json.dumps(fields))
            else:
                console.mail(mail)


def _introduce(sandbox: Sandbox, console: Console) -> None:
    directory = sandbox.options.directory
    command = "teleport-email sandbox"
    if directory != DEFAULT_DIRECTORY:
        command += f" --dir {shlex.quote(str(directory))}"
    bold = "bold"
    for line in (
        console.style("The sandbox is running.", bold) + " Ctrl-C ends it; requests and mails are gone then.",
        "",
        f"  inbox     {console.style(sandbox.page.url, bold)}",
        f"  mail      {sandbox.mail_address}",
        f"  cluster   {sandbox.cluster.name} at {sandbox.cluster.addr}, a Teleport {sandbox.cluster.version}",
        f"  files     {directory} (identity, {sandbox.configuration.name})",
        "",
        "In a second terminal, start the daemon:",
        f"  teleport-email start -c {shlex.quote(str(sandbox.configuration))}",
        "In a third one, ask for something, and decide:",
        f"  {command} request create --roles=db-admin --reason='INC-4711' alice@example.com",
        f"  {command} request ls",
        f"  {command} request review --author=bob@example.com --approve ID",
        "",
    ):
        console.line(line)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535, or 0 for any free one")
    return int(text)
