"""Weather for the chaos harness: what goes wrong at the mail servers and the cluster, changing with time.

Each place has a list of spells; a spell sets switches of the sandbox's servers and is taken back before the
next. Which comes when follows from the seed.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from chaos_book import BARRED, MOODY, REFUSED, Book

from teleport_email.sandbox.cluster import faults
from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.mailgun import NOT_ALLOWED, UNAUTHORIZED, Answer, MailgunServer, rate_limited
from teleport_email.sandbox.mail.script import Cut, Silence, Wait
from teleport_email.sandbox.mail.smtp_faults import Reply

OTHERS = ("d1@example.com", "d2@example.com", "d3@example.com", "o1@example.com", "o2@example.com")
"""Of whom some are refused for a while, as a relay does it with domains."""

Spell = tuple[str, Callable[[], Awaitable[None] | None]]


def noted(book: Book, name: str, action: faults.Action) -> faults.Action:
    """The action, entered in the book as a fault of the request that it strikes."""

    async def act(request: Any, carry_out: faults.CarryOut) -> bytes:
        book.fault(request.Resource, name)
        return await action(request, carry_out)

    return act


class Weather:
    """All that goes wrong outside the daemons. ``scale`` shortens what depends on the lease."""

    def __init__(
        self,
        rng: random.Random,
        book: Book,
        cluster: SandboxCluster,
        inbox: Inbox,
        mailgun: MailgunServer,
        scale: float,
    ) -> None:
        self._rng = rng
        self._book = book
        self._cluster = cluster
        self._inbox = inbox
        self._mailgun = mailgun
        self._scale = scale
        self.refuses = True
        """Whether there are spells of refusals that may mean us. The first version believes them."""
        self.pipelining: bool | None = None
        """Whether the SMTP server offers it; None: that changes."""

    async def clear_up(self) -> None:
        """All is well everywhere, and no answer is held back any more."""
        self._clear_mail()
        self._mailgun_always()
        self._clear_cluster()
        await self._inbox.listen_again()
        await self._cut_mail()

    async def blow(self) -> None:
        """Change the weather for ever, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._place("smtp", self._smtp_spells(), self._calm_smtp))
            group.create_task(self._place("mailgun", self._mailgun_spells(), self._calm_mailgun))
            group.create_task(self._place("cluster", self._cluster_spells(), self._clear_cluster))

    async def _place(
        self, name: str, spells: list[Spell], calm: Callable[[], Awaitable[None] | None]
    ) -> None:
        if not self.refuses:
            spells = [spell for spell in spells if not re.search("refused|quota|403", spell[0])]
        while True:
            title, begin = self._rng.choice(spells)
            self._book.counts[f"{name}: {title}"] += 1
            await _do(begin)
            await asyncio.sleep(self._rng.uniform(0.5, 6.0))
            await _do(calm)
            await asyncio.sleep(self._rng.uniform(0.0, 2.0))

    # SMTP ---------------------------------------------------------------------------------------------

    async def _cut_mail(self) -> None:
        self._book.cut()
        await self._inbox.drop_connections()

    def _clear_mail(self) -> None:
        self._inbox.faults.clear()
        self._inbox.faults.on("RCPT", Reply(550, "5.1.1 no such user"), recipient=REFUSED)
        self._inbox.faults.on("RCPT", Reply(554, "5.7.1 Relay access denied"), recipient=BARRED)
        if self.pipelining is not None:
            self._inbox.faults.pipelining = self.pipelining

    async def _calm_smtp(self) -> None:
        self._clear_mail()
        if self._rng.random() < 0.5:
            self._inbox.faults.on("RCPT", Reply(550, "5.1.1 no such user"), recipient=MOODY)
        offered = self._rng.random() < 0.7
        if self.pipelining is None:
            self._inbox.faults.pipelining = offered  # new connections see it
        await self._inbox.listen_again()

    def _smtp_spells(self) -> list[Spell]:
        inbox, on, rng = self._inbox, self._inbox.faults.on, self._rng

        def set_(name: str, value: Any) -> Callable[[], None]:
            return lambda: setattr(inbox.faults, name, value)

        def rule(verb: Any, action: Any, chance: float = 0.5) -> Callable[[], None]:
            return lambda: _ignore(on(verb, action, chance=chance))

        def everything() -> None:
            rule("RCPT", Reply(450, "4.2.1 busy"), 0.1)()
            rule("DATA", Reply(452, "4.3.1 no room"), 0.05)()
            rule("DOT", Cut(keep=True), 0.05)()
            rule("DOT", Cut(keep=False), 0.05)()
            rule("DOT", Reply(451, "4.3.0 later"), 0.05)()
            rule("CONNECT", Reply(421, "4.3.2 not now"), 0.1)()
            inbox.faults.messages_per_connection = 5

        def some() -> None:
            for recipient in rng.sample(OTHERS, 3):
                on("RCPT", Reply(554, "5.7.1 Relay access denied"), recipient=recipient)

        def few() -> None:
            inbox.faults.connection_limit, inbox.faults.messages_per_connection = 3, 20

        return [
            ("refuses connections", inbox.stop_listening),
            ("cuts connections", self._cut_mail),
            ("421 greeting", rule("CONNECT", Reply(421, "4.3.2 not now"), 0.9)),
            ("greylists", set_("greylist", 1.0)),
            ("450", rule("RCPT", Reply(450, "4.2.1 busy"))),
            ("452", rule("DATA", Reply(452, "4.3.1 no room"))),
            ("cut midway", rule("RCPT", Cut(), 0.3)),
            ("421 midway", rule("DATA", Reply(421, "4.3.2 going down"), 0.3)),
            ("535", set_("refuse_login", True)),
            ("sender refused", rule("MAIL", Reply(550, "5.7.1 sender not allowed"), 1.0)),
            ("sender refused at RCPT", rule("RCPT", Reply(550, "5.1.8 Sender address rejected"), 1.0)),
            ("sender refused at the dot", rule("DOT", Reply(550, "from address is not verified"), 1.0)),
            ("account refused at RCPT", rule("RCPT", Reply(550, "relay not permitted"), 1.0)),
            ("account refused at DATA", rule("DATA", Reply(554, "5.5.1 no valid recipients"), 1.0)),
            ("account refused at the dot", rule("DOT", Reply(554, "5.2.252 SendAsDenied"), 1.0)),
            ("quota at the dot", rule("DOT", Reply(550, "5.4.5 Daily limit exceeded"), 0.7)),
            ("HELO refused at RCPT", rule("RCPT", Reply(504, "5.5.2 Helo command rejected"), 1.0)),
            ("some refused for a while", some),
            ("3 connections, 20 messages each", few),
            ("cut after the dot, kept", rule("DOT", Cut(keep=True))),
            ("cut after the dot, not kept", rule("DOT", Cut(keep=False))),
            ("421 after the dot, kept", rule("DOT", Reply(421, "4.3.2 going down", keep=True))),
            ("never answers the dot", rule("DOT", Silence(keep=True), 0.05)),
            ("slow", set_("delay", 0.3)),
            ("slow dot", rule("DOT", Wait(3 * self._scale), 0.5)),
            ("all sorts", everything),
            ("well", lambda: None),
        ]

    # Mailgun ------------------------------------------------------------------------------------------

    def _mailgun_always(self) -> None:
        self._mailgun.faults.clear()
        self._mailgun.faults.on(
            "SEND", Answer(400, json={"message": "550 5.1.1 no such user"}), recipient=REFUSED
        )
        self._mailgun.faults.on("SEND", NOT_ALLOWED, recipient=BARRED)

    def _calm_mailgun(self) -> None:
        self._mailgun_always()
        if self._rng.random() < 0.5:
            self._mailgun.faults.on("SEND", Answer(400, json={"message": "no such address"}), recipient=MOODY)

    def _mailgun_spells(self) -> list[Spell]:
        on = self._mailgun.faults.on

        def rule(action: Any, chance: float = 0.5) -> Callable[[], None]:
            return lambda: _ignore(on("SEND", action, chance=chance))

        def some() -> None:
            for recipient in self._rng.sample(OTHERS, 3):
                on("SEND", NOT_ALLOWED, recipient=recipient)

        return [
            ("401", rule(UNAUTHORIZED, 1.0)),
            ("403", rule(NOT_ALLOWED, 1.0)),
            (
                "our own From refused",
                rule(Answer(400, json={"message": "'from' is not valid"}), 1.0),
            ),
            ("some refused for a while", some),
            ("429", rule(rate_limited(1))),
            ("500, not taken", rule(Answer(500, "sorry"))),
            ("500, taken", rule(Answer(500, "sorry", keep=True))),
            ("200 with a page, not taken", rule(Answer(200, "Mailgun Magnificent API"))),
            ("cut, taken", rule(Cut(keep=True))),
            ("cut, not taken", rule(Cut(keep=False))),
            ("slow", rule(Wait(2 * self._scale))),
            ("well", lambda: None),
        ]

    # The cluster --------------------------------------------------------------------------------------

    def _clear_cluster(self) -> None:
        self._cluster.faults.clear()

    def _cluster_spells(self) -> list[Spell]:
        switches, book, rng = self._cluster.faults, self._book, self._rng

        def writes(name: str, action: faults.Action, chance: float) -> Callable[[], None]:
            return lambda: switches.randomly("UpdatePluginData", chance, noted(book, name, action))

        def events(**changes: Any) -> Callable[[], None]:
            def change() -> None:
                for name, value in changes.items():
                    setattr(switches.events, name, value)

            return change

        def lag() -> None:
            switches.lists.age = timedelta(seconds=rng.uniform(0.2, 3.0))

        def unreachable() -> None:
            book.fault("*", "cluster out of reach")
            switches.unreachable = True

        def cut() -> None:
            book.fault("*", "cluster cuts connections")
            self._cluster.cut()

        def reads() -> None:
            switches.randomly("GetPluginData", 0.3, faults.fail())

        def lists() -> None:
            for method in ("ListAccessLists", "GetAccessList"):
                switches.randomly(method, 0.4, faults.fail())

        def everything() -> None:
            writes("record failed", faults.fail(), 0.05)()
            writes("answer to a record lost", faults.lose_answer(), 0.05)()
            writes("late record", faults.late(0.7), 0.05)()
            events(drop_chance=0.1, double_chance=0.1, delay=(0.0, 0.5), end_streams_every=7)()
            lag()

        return [
            ("ends streams at each event", events(end_streams_every=1)),
            ("restarts", cut),
            ("out of reach", unreachable),
            ("doubles events", events(double_chance=0.5)),
            ("delays events", events(delay=(0.0, 2.0))),
            ("loses events", events(drop_chance=0.5)),
            ("lists lag", lag),
            ("records fail", writes("record failed", faults.fail(), 0.4)),
            ("records lose the compare", writes("compare lost", faults.conflict(), 0.4)),
            ("answers to records lost", writes("answer to a record lost", faults.lose_answer(), 0.4)),
            ("records late", writes("late record", faults.late(1.0), 0.4)),
            ("records without answer, done", writes("record hung", faults.hang(carried_out=True), 0.2)),
            ("records without answer, not done", writes("record hung", faults.hang(carried_out=False), 0.2)),
            ("slow records", writes("slow record", faults.delay(0.5), 0.5)),
            ("reads fail", reads),
            ("Access Lists fail", lists),
            ("all sorts", everything),
            ("well", lambda: None),
        ]


async def _do(what: Callable[[], Awaitable[None] | None]) -> None:
    done = what()
    if done is not None:
        await done


def _ignore(_: object) -> None:
    return None
