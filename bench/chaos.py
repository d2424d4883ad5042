"""Chaos: nothing lost, nothing twice, whatever breaks. ``make chaos SEED=1 MINUTES=1``

    python bench/chaos.py --seed 1 --minutes 1 [--replicas 3] [--scale 1] [--calm] [--keep DIRECTORY]
        [--pipelining on|off] [--previous REVISION] [--choices A,B] [--lists 6]

An embedded cluster, a hostile SMTP server and a hostile Mailgun in this process; one to three daemons as real
processes, killed, stopped, paused and reloaded at random. Requests are made, reviewed, resolved and removed
all the time, now and then a hundred messages at once; some Access Lists are to be reviewed, and windows open
and dates pass meanwhile. After ``--minutes`` everything is set right and the daemons get the time that they
need, however busy the machine; then the books are compared.

The exit code is 1 on a single loss, a double without a fault that excuses it, a message out of order, a
ledger that is left claimed, a daemon that ended by itself or took more than 20 s to stop; 0 otherwise.

The seed decides what happens when: requests, faults, kills. How far the daemons are at those moments is up
to the machine, so two runs of one seed differ in detail. ``--scale 0.2`` gives the daemons a lease of 6 s
in place of 30 (see ``chaos_hurried``), so that a short run sees many takeovers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import previous
import structlog
from chaos_book import BARRED, LEAD, MOODY, REFUSED, Book, Life, Verdict
from chaos_daemons import PASSWORD, Slot
from chaos_lists import Lists
from chaos_weather import Weather

from teleport_email.core.model import RequestState, Threshold
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.refusal import Refusal
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.mailbox import ReceivedMail
from teleport_email.sandbox.mail.mailgun import MailgunServer

ROLES = {
    "*": ["all@example.com"],
    "dba": ["d1@example.com", "d2@example.com", "d3@example.com", "d4@example.com", "d5@example.com"],
    "ops": ["o1@example.com", "o2@example.com", REFUSED, BARRED, MOODY],
}
CHOICES = {
    "merge": ("merge_deciding_review = true\n", ""),
    "own": ("skip_own_review = true\n", ""),
    "quiet": ("quiet_reviews = true\n", ""),
    # Of the five hours that a request lives here, ten seconds and a bit more than a minute are over then.
    "reminders": ('remind_before_expiry = ["17990s", "17930s"]\n', ""),
    "escalation": (
        "",
        f'\n[escalation]\nafter = "3s"\nrole_to_recipients = {{ dba = ["d1@example.com", "{LEAD}"] }}\n',
    ),
}
"""What can be switched on; ``quiet`` at half of the starts and reloads only."""
KEPT = 50
"""Mails that the servers themselves keep; the book has what is needed of the others."""
CATCHING_UP = 200.0
"""Seconds without a mail after which the daemons have done what they will do, at full length: a lease, the
second look at a request that is missing from the lists, and the longest waits between tries."""
ENDLESS = 6
"""Times as long is waited in all: who goes on telling the same without end is found out by the books."""
QUIET = 3.0
"""Seconds to see that nothing more comes."""


class BookedInbox(Inbox):
    """An inbox that tells the book."""

    book: Book

    def add(self, mail: ReceivedMail) -> None:
        self.book.mail(mail)
        super().add(mail)


class BookedMailgun(MailgunServer):
    """A Mailgun that tells the book."""

    book: Book

    def add(self, mail: ReceivedMail) -> None:
        self.book.mail(mail)
        super().add(mail)


class Chaos:
    """One run."""

    def __init__(self, options: argparse.Namespace, directory: Path) -> None:
        self.options = options
        self.scale: float = options.scale
        # One chain of chance per activity: what one of them does must not depend on the others' pace.
        self.rngs = {
            name: random.Random(f"{options.seed} {name}") for name in ("life", "kill", "weather", "lists")
        }
        self.choices = [name for name in options.choices.split(",") if name]
        if unknown := set(self.choices) - set(CHOICES):
            raise SystemExit(f"--choices: {', '.join(sorted(unknown))} is none of {', '.join(CHOICES)}")
        self.book = Book(mixed=bool(options.previous), choices=frozenset(self.choices))
        self.cluster = SandboxCluster(seed=options.seed)
        self.inbox = BookedInbox(
            keep=KEPT, passwords={f"d{number}": PASSWORD for number in range(options.replicas)}
        )
        self.mailgun = BookedMailgun(keep=KEPT)
        self.inbox.book = self.mailgun.book = self.book
        self.weather = Weather(
            self.rngs["weather"], self.book, self.cluster, self.inbox, self.mailgun, self.scale
        )
        # The first version believes refusals that may mean us, or stops sending to all for minutes.
        self.weather.refuses = not options.previous
        self.roles = {
            role: [one for one in recipients if not (options.previous and one == BARRED)]
            for role, recipients in ROLES.items()
        }
        self.lists = Lists(self.rngs["lists"], self.cluster, self.book, options.lists)
        self.weather.pipelining = {"on": True, "off": False}.get(options.pipelining)
        self.directory = directory
        self.slots: list[Slot] = []
        self.previous: Path | None = None
        if options.previous:
            self.previous = previous.unpack(options.previous, directory / "previous")
            if self.previous is None:
                raise SystemExit(f"no git history here that has {options.previous}")
        self._listen_to_writes()

    def _listen_to_writes(self) -> None:
        world, book = self.cluster._world, self.book
        update = world.update_plugin_data

        def noted(request: Any, peer: Any) -> bytes:
            answer = update(request, peer)
            book.written(request.Resource, peer.user, dict(request.Set))
            world.writes.clear()  # a long run would keep them all
            return answer

        methods, path = self.cluster._service._unary, "/proto.AuthService/UpdatePluginData"
        methods[path] = methods[path]._replace(handle=noted)

    async def run(self) -> Verdict:
        """Storm, calm, verdict."""
        async with self.cluster, self.inbox, self.mailgun:
            servers, directory = (self.inbox, self.inbox, self.mailgun), self.directory
            for number in range(self.options.replicas):
                name = f"d{number}"
                slot = Slot(name, directory / name, servers, self.cluster, self.roles, self.scale, self.book)
                slot.previous = self.previous if number == 0 else None
                slot.lists = self.options.lists > 0
                slot.choices = self._chosen(random.Random(name))
                self.slots.append(slot)
            try:
                await self._begin()
                await self._storm()
                await self._calm()
            finally:
                for slot in self.slots:
                    await slot.kill()
        verdict = self.book.verdict()
        self.lists.judge(verdict)
        return verdict

    def _chosen(self, rng: random.Random) -> tuple[str, str]:
        """More lines for a configuration: of ``[delivery]``, and sections."""
        on = [name for name in self.choices if name != "quiet" or rng.random() < 0.5]
        return "".join(CHOICES[name][0] for name in on), "".join(CHOICES[name][1] for name in on)

    async def _begin(self) -> None:
        """All daemons up, and a first request that was told of: we are on duty from here on."""
        await self.weather.clear_up()
        for number, slot in enumerate(self.slots):
            await slot.start(number)
        await self._until(lambda: all(slot.ready_count() for slot in self.slots), 60)
        life = await self._create(("dev",))
        await self._until(lambda: self.book.told(life), 60)
        life.busy = False

    async def _storm(self) -> None:
        seconds = self.options.minutes * 60
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                group.create_task(self._people(group))
                group.create_task(self.lists.live())
                if not self.options.calm:
                    group.create_task(self.weather.blow())
                    for slot in self.slots:
                        group.create_task(self._trouble(slot))

    async def _calm(self) -> None:
        """Everything works again. The daemons are restarted in order, which must lose nothing either."""
        if not self.options.calm:  # else it cuts connections at which nothing is wrong
            await self.weather.clear_up()
        for life in self.book.lives.values():
            life.busy = False
        self._note("storm over, setting all right")
        for slot in self.slots:
            slot.resume()
            slot.check()
        await asyncio.gather(*(slot.stop() for slot in self.slots))
        for number, slot in enumerate(self.slots):
            await slot.start(number)
        await self._catch_up(CATCHING_UP * max(self.scale, 0.3))
        await asyncio.sleep(QUIET)
        for slot in self.slots:
            slot.check()
            await slot.stop()

    async def _catch_up(self, seconds: float) -> None:
        """Until nothing is open; or nothing has arrived for so long; or there is no end of it."""
        arrived, since = self.book.mails, time.monotonic()
        ends = since + ENDLESS * seconds
        while next(self._open(), "") and time.monotonic() < ends:
            await asyncio.sleep(1.0)
            if self.book.mails != arrived:
                arrived, since = self.book.mails, time.monotonic()
            elif time.monotonic() - since > seconds:
                self._note(f"still open, and nothing arrives any more: {sum(1 for _ in self._open())}")
                return

    def _open(self) -> Iterator[str]:
        yield from self.book.open()
        yield from self.lists.open()

    async def _until(self, condition: Any, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.2)

    def _note(self, text: str) -> None:
        if self.options.verbose:
            print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    # What people do -----------------------------------------------------------------------------------

    async def _people(self, group: asyncio.TaskGroup) -> None:
        rng = self.rngs["life"]
        while True:
            burst = 12 if rng.random() < 0.04 else 1
            for _ in range(burst):
                roles = rng.choice([("dba",), ("dba",), ("ops",), ("dev",), ("dba", "ops")])
                group.create_task(self._live(roles, random.Random(rng.random())))
            await asyncio.sleep(rng.expovariate(1.0) / self.options.rate)

    async def _create(self, roles: tuple[str, ...]) -> Life:
        recipients = [address for role in roles for address in self.roles.get(role, self.roles["*"])]
        request = await self.cluster.create(
            user="user@example.com",
            roles=roles,
            reason="chaos",
            pending_for=timedelta(hours=5),
            # Never met by reviews alone: the harness resolves.
            thresholds=(Threshold(name="many", approve=99, deny=99),),
        )
        life = Life(request.id, tuple(dict.fromkeys(recipients)), time.monotonic())
        life.escalates = "escalation" in self.choices and "dba" in roles
        self.book.lives[request.id] = life
        return life

    async def _live(self, roles: tuple[str, ...], rng: random.Random) -> None:
        """One request's life, from its making to its end."""
        life = await self._create(roles)
        pace = rng.choice([0.05, 0.5, 2.0, 5.0])
        for number in range(rng.choice([0, 0, 1, 1, 2, 3])):
            await asyncio.sleep(rng.uniform(0, pace))
            author = "d2@example.com" if number == 0 and "own" in self.choices else f"r{number}@example.com"
            await self.cluster.review(life.id, author, RequestState.APPROVED, "fine")
            life.reviews += 1
        await asyncio.sleep(rng.uniform(0, pace))
        end = rng.choice(
            ["approve", "approve", "approve", "deny", "both", "promote", "delete", "delete", "vanish", "stay"]
        )
        with contextlib.suppress(Refusal):
            await self._end(life, end, rng, pace)
        life.busy = False

    async def _end(self, life: Life, end: str, rng: random.Random, pace: float) -> None:
        match end:
            case "approve" | "both":
                await self.cluster.approve(life.id, "yes")
                life.states.append("A")
                if end == "both":
                    await asyncio.sleep(rng.uniform(0, pace))
                    await self.cluster.deny(life.id, "no, after all")
                    life.states.append("D")
            case "deny":
                await self.cluster.deny(life.id, "no")
                life.states.append("D")
            case "promote":
                await self.cluster.promote(life.id, "list", author="admin@example.com")
                life.reviews += 1
                life.states.append("P")
            case "delete":
                while not self.book.told(life):
                    await asyncio.sleep(0.3)
                await self.cluster.delete(life.id)
                life.gone = True
            case "vanish":
                await self.cluster.delete(life.id)
                life.gone = life.unseen = True

    # What happens to the daemons ----------------------------------------------------------------------

    async def _trouble(self, slot: Slot) -> None:
        rng = random.Random(f"{self.options.seed} {slot.name}")
        while True:
            await asyncio.sleep(rng.uniform(0.3, 8.0) * self.options.patience)
            slot.check()
            match rng.choice(["kill", "kill", "kill", "stop", "pause", "reload", "reload"]):
                case "kill":
                    await slot.kill()
                    await asyncio.sleep(rng.choice([0, 0, 1.0, 5.0]))
                case "stop":
                    await slot.stop()
                case "pause":
                    slot.pause()
                    await asyncio.sleep(rng.choice([0.5, 2.0, 20.0 * self.scale, 45.0 * self.scale]))
                    slot.resume()
                case "reload":
                    slot.choices = self._chosen(rng)
                    slot.configure(rng.randrange(3))
                    slot.reload()
            if not slot.alive:
                await slot.start(rng.randrange(3))


def table(chaos: Chaos, verdict: Verdict, seconds: float) -> str:
    """The account, for people."""
    book, lives = chaos.book, chaos.book.lives.values()
    lines = [
        ("seed", chaos.options.seed),
        ("replicas", chaos.options.replicas),
        ("length of waits", f"{chaos.scale:g}"),
        ("seconds in all", f"{seconds:.0f}"),
        ("requests", len(book.lives)),
        ("daemons started", sum(slot.starts for slot in chaos.slots)),
        ("messages due", verdict.due),
        ("reviews passed", sum(len(book.passed(life, who)) for life in lives for who in life.recipients)),
        ("requests escalated", sum(bool(book.codes(life.id, LEAD)) for life in lives)),
        ("reviews of Access Lists", chaos.lists.reviews),
        ("owners' steps reminded of", chaos.lists.told),
        ("delivered", verdict.delivered),
        ("lost", len(verdict.lost)),
        ("out of order", len(verdict.disordered)),
        ("doubled without excuse", len(verdict.doubled)),
        ("twins", sum(verdict.twins.values())),
        *((f"  {why}", number) for why, number in sorted(verdict.twins.items())),
        ("threads refused for good", verdict.refused),
        ("threads refused for ever, never given up", verdict.barred),
        ("threads removed unseen", verdict.untold),
        ("ledgers not settled", len(verdict.unsettled)),
        ("daemons' own faults", sum(len(slot.faults) for slot in chaos.slots)),
        ("acceptance to record", book.window()),
        (
            "slowest stop, seconds",
            f"{max((t for slot in chaos.slots for t in slot.stop_times), default=0):.1f}",
        ),
    ]
    rows = [f"{name:<44} {value}" for name, value in lines]
    rows += ["", "faults"] + [f"  {name:<42} {count}" for name, count in sorted(book.counts.items())]
    wrong = [*verdict.lost, *verdict.doubled, *verdict.disordered, *verdict.unsettled]
    wrong += [fault for slot in chaos.slots for fault in slot.faults]
    if wrong:
        rows += ["", "what went wrong", *(f"  {line}" for line in wrong[:60])]
    return "\n".join(rows)


@contextlib.asynccontextmanager
async def workplace(keep: str) -> AsyncIterator[Path]:
    """A private directory, removed in the end unless it is to be kept."""
    path = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="teleport-email-chaos-"))
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        yield path
    finally:
        if not keep:
            shutil.rmtree(path, ignore_errors=True)


async def main(options: argparse.Namespace) -> int:
    begun = time.monotonic()
    task = asyncio.current_task()
    assert task is not None
    # Told to end, it takes its daemons along, as with Ctrl-C.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with workplace(options.keep) as directory:
        chaos = Chaos(options, directory)
        verdict = await chaos.run()
        print(table(chaos, verdict, time.monotonic() - begun), flush=True)
    good = verdict.good and verdict.due > 0 and not any(slot.faults for slot in chaos.slots)
    print(f"\n{'kept' if good else 'BROKEN'}: {verdict.delivered} of {verdict.due} messages", flush=True)
    return 0 if good else 1


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Break everything, and see whether the promise holds.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1.0, help="length of the storm")
    parser.add_argument("--replicas", type=int, default=3, choices=(1, 2, 3))
    parser.add_argument("--scale", type=float, default=1.0, help="of the daemon's waits; 1: as it is")
    parser.add_argument("--rate", type=float, default=1.5, help="new requests a second, on average")
    parser.add_argument(
        "--patience", type=float, default=1.0, help="greater: daemons are left in peace longer"
    )
    parser.add_argument(
        "--pipelining", choices=("on", "off"), help="of the SMTP server; without it that changes, too"
    )
    parser.add_argument("--lists", type=int, default=6, help="Access Lists to be reviewed; 0: none")
    parser.add_argument("--calm", action="store_true", help="no faults at all, to measure")
    parser.add_argument(
        "--previous",
        default="",
        metavar="REVISION",
        help=f"of the daemons the first is of this revision of git; the first version: {previous.FIRST[:12]}",
    )
    parser.add_argument(
        "--choices",
        default="",
        metavar="A,B",
        help=f"options that are on, but for the previous revision: {', '.join(CHOICES)}",
    )
    parser.add_argument("--keep", default="", metavar="DIRECTORY", help="keep logs and configurations there")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    os.umask(0o077)
    # The embedded servers tell of each client that left in the middle; here all of them do.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.exit(asyncio.run(main(parsed())))
