"""``make demo``: the real daemon, an embedded cluster and an inbox, and a short story played on them.

Exit code 0 only if every expected mail was there, once, in order and in its thread. In a terminal it stays
afterwards until Ctrl-C; without one, or with ``ONCE=1``, it ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from teleport_email.core.errors import TeleportEmailError

from .command import story
from .command.children import Children
from .command.console import Console
from .command.control import ask
from .command.story import Expected
from .mail.mailbox import Mailbox, ReceivedMail
from .mail.threads import build_threads

START_LIMIT = 60.0
"""Seconds until the sandbox is up, and until the daemon is ready; a busy machine needs many times as long."""
STEP_LIMIT = 60.0
"""Seconds until the mails of one step are there; where nothing else runs they need a fraction of one."""
LISTEN_ON = 1.5
"""Seconds after the last expected mail in which one too many would show."""
SHORT_LIFE = 3.0
"""Seconds that the request which nobody decides waits."""

_READY = "Plugin is ready"


class Demo:
    """The demo. ``pace``: seconds to let people read between the steps."""

    def __init__(self, console: Console, directory: Path, *, stay: bool, pace: float) -> None:
        self._console = console
        self._directory = directory
        self._stay = stay
        self._pace = pace
        self._box = Mailbox()
        self._expected: list[Expected] = []
        self._addresses: dict[str, str] = {}
        self.concluded = False
        """Whether all mails were found to be there."""
        self._up = asyncio.Event()
        self._ready = asyncio.Event()

    async def run(self) -> int:
        """Play it. The exit code; raises, in a group, :class:`ChildEnded` when a part breaks down."""
        say, style = self._console.line, self._console.style
        async with Children() as children:
            await self._start(children)
            page = self._addresses["page"]
            say(f"{style('The inbox:', 'bold')} {style(page, 'cyan', 'bold')}")
            await self._play()
            await asyncio.sleep(LISTEN_ON)
            self.concluded = good = self._conclude()
            if self._stay and good:
                say()
                say(f"Look at the mails in {style(page, 'cyan', 'bold')}, or make requests of your own:")
                say(f"  {self._command('request create --roles=db-admin --reason=demo alice@example.com')}")
                say(f"{style('Ctrl-C', 'bold')} ends the demo.")
                await asyncio.get_running_loop().create_future()
        return 0 if good else 1

    async def _start(self, children: Children) -> None:
        say = self._console.line
        python = (sys.executable, "-m", "teleport_email")
        say("Starting an embedded cluster and an inbox ...")
        sandbox = await children.start(
            "the sandbox",
            *python,
            "sandbox",
            "--json",
            "--dir",
            str(self._directory),
            on_line=self._from_sandbox,
            on_error_line=_nothing,
        )
        await self._within(START_LIMIT, self._up, "the sandbox did not start", sandbox.tail)
        say("Starting the daemon ...")
        daemon = await children.start(
            "the daemon", *python, "start", "-c", self._addresses["configuration"], on_line=self._from_daemon
        )
        await self._within(START_LIMIT, self._ready, "the daemon did not become ready", daemon.tail)

    async def _within(self, limit: float, event: asyncio.Event, what: str, lines: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(limit):
                await event.wait()
        except TimeoutError:
            last = "\n  ".join(lines)
            raise TeleportEmailError(f"{what} within {limit:.0f} s. Last lines:\n  {last}") from None

    def _from_sandbox(self, line: str) -> None:
        told = json.loads(line)
        if "page" in told:
            self._addresses = told
            self._up.set()
            return
        mail = ReceivedMail(
            number=told["number"],
            envelope_from="",
            envelope_to=tuple(told["to"]),
            raw=told["raw"].encode("latin-1"),
        )
        self._console.mail(mail, width=20)
        self._box.add(mail)

    def _from_daemon(self, line: str) -> None:
        if _READY in line:
            self._ready.set()

    async def _play(self) -> None:
        reviewers = ["bob@example.com", "carol@example.com"]
        told = ["dba@example.com", *reviewers]
        security = ["security@example.com"]

        request = await self._step(
            "alice@example.com asks for db-admin, and suggests bob and carol as reviewers",
            "create",
            {
                "user": "alice@example.com",
                "roles": ["db-admin"],
                "reason": "INC-4711: orders are stuck since the deployment",
                "suggested_reviewers": reviewers,
                "approvals": 2,
            },
            {story.ANNOUNCED: told},
        )
        await self._step(
            "bob@example.com approves; one more is needed",
            "review",
            {"id": request, "author": "bob@example.com", "state": "APPROVED", "reason": "I know of it"},
            {story.reviewed_by("bob@example.com"): told},
        )
        await self._step(
            "carol@example.com approves, and that is enough",
            "review",
            {"id": request, "author": "carol@example.com", "state": "APPROVED", "reason": "Go ahead"},
            {story.reviewed_by("carol@example.com"): told, story.APPROVED: told},
        )
        request = await self._step(
            "mallory@example.com asks for prod-admin",
            "create",
            {"user": "mallory@example.com", "roles": ["prod-admin"], "reason": "just curious"},
            {story.ANNOUNCED: security},
        )
        await self._step(
            "an administrator denies it",
            "deny",
            {"id": request, "reason": "Curiosity is not a reason"},
            {story.DENIED: security},
        )
        request = await self._step(
            f"dave@example.com asks for staging, for {SHORT_LIFE:.0f} seconds",
            "create",
            {
                "user": "dave@example.com",
                "roles": ["staging"],
                "reason": "before lunch",
                "pending_for": SHORT_LIFE,
            },
            {story.ANNOUNCED: security},
        )
        await self._step("nobody decides, and it expires", "", {"id": request}, {story.EXPIRED: security})

    async def _step(
        self, title: str, do: str, arguments: Mapping[str, Any], expected: Mapping[str, Sequence[str]]
    ) -> str:
        """Do it, and wait until what has to come of it is there. The request's id.

        What does not come in time is no error here: it is told in the end.
        """
        if self._pace:
            await asyncio.sleep(self._pace)
        self._console.line()
        self._console.line(f"{self._console.style('▶', 'green')} {self._console.style(title, 'bold')}")
        request_id: str = arguments.get("id", "")
        # Known before anything can come of it, except for a new request's own id.
        if do:
            request_id = (await asyncio.to_thread(ask, self._directory, do, **arguments))["id"]
        self._expected += [
            Expected(request_id, recipient, beginning)
            for beginning, recipients in expected.items()
            for recipient in recipients
        ]
        with contextlib.suppress(TimeoutError):
            await self._box.until(lambda box: not story.missing(box.messages, self._expected), STEP_LIMIT)
        return request_id

    def _conclude(self) -> bool:
        say, style = self._console.line, self._console.style
        say()
        faults = story.faults(self._box.messages, self._expected)
        for fault in faults:
            say(f"{style('✘', 'red')} {fault}")
        count = len(self._box.messages)
        if faults:
            say(style(f"{count} mails came, {len(self._expected)} were expected.", "red", "bold"))
            return False
        threads = len(build_threads(self._box.messages))
        say(f"{style('✔', 'green')} All {count} mails came, each once and in order, in {threads} threads.")
        return True

    def _command(self, rest: str) -> str:
        return f"{sys.executable} -m teleport_email sandbox --dir {self._directory} {rest}"


def _directory() -> Path:
    # The control socket's path may have 107 bytes; some systems' directories for such things are longer.
    short = len(os.fsencode(tempfile.gettempdir())) <= 70
    return Path(tempfile.mkdtemp(prefix="te-demo-", dir=None if short else "/tmp"))  # noqa: S108 - mkdtemp's are private


def _nothing(_line: str) -> None:
    """The child keeps its last lines itself."""


async def play(console: Console, *, stay: bool) -> int:
    """Play the demo in a directory of its own; the exit code. SIGINT, SIGTERM and SIGHUP end it in order."""
    loop = asyncio.get_running_loop()
    directory = _directory()
    demo = Demo(console, directory, stay=stay, pace=1.2 if stay else 0.0)
    playing = asyncio.create_task(demo.run())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, playing.cancel)
    try:
        return await playing
    except asyncio.CancelledError:
        console.line()
        return 0 if demo.concluded else 130  # what shells say of a command that Ctrl-C ended
    except BaseExceptionGroup as group:
        expected, others = group.split(TeleportEmailError)
        for error in expected.exceptions if expected else ():
            console.line(f"{console.style('✘', 'red')} {error}")
        if others is not None:
            raise others from None
        return 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main(environ: Mapping[str, str] | None = None) -> int:
    """The command."""
    environ = os.environ if environ is None else environ
    console = Console(sys.stdout, environ)
    stay = console.terminal and environ.get("ONCE", "") in {"", "0"}
    return asyncio.run(play(console, stay=stay))


if __name__ == "__main__":
    sys.exit(main())
