"""``teleport-email retry``: bring back what was given up of a request, send it, and say what became of it."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from teleport_email import config
from teleport_email.commands import add_config_options, cluster_session, quiet_log
from teleport_email.commands.cells import cell
from teleport_email.commands.told import Told, Waiting, given_up, headline, name_of, view_of, waiting
from teleport_email.config.settings import Settings
from teleport_email.core import go_plugin
from teleport_email.core.claim import LEASE
from teleport_email.core.decide import Audience, Due
from teleport_email.core.errors import Conflict, TeleportEmailError, Unreachable
from teleport_email.core.ledger import Ledger, id_domain
from teleport_email.core.ledger_json import version
from teleport_email.core.model import AccessRequest, Delivered, SendOutcome
from teleport_email.routing.policy import policy

if TYPE_CHECKING:
    from teleport_email.watching.link import Link

SWAPS = 10
"""Compare-and-swaps to try: a daemon that records at the same moment wins one, hardly ten in a row."""
POLL = 1.0
"""Seconds between looks at a request that another process works on."""
PATIENCE = 90.0
"""Seconds for all of it: two leases and a half, so that also the claim of a dead process is taken over."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``retry [-c FILE] [--to ADDRESS] REQUEST_ID``."""
    parser = subparsers.add_parser(
        "retry",
        help="send what was given up of a request once more",
        description="Brings back what was given up of a request, for all its recipients or for one, and "
        "tries at once those who wait after a refusal, as one more replica of the daemon; says what became "
        "of it. Exit code 0: all of it was taken. From then on, where something was given up, older versions "
        "of this program leave the request to newer ones.",
        allow_abbrev=False,
    )
    add_config_options(parser)
    parser.add_argument("--to", metavar="ADDRESS", default="", help="only this recipient")
    parser.add_argument("request_id", metavar="REQUEST_ID", help="as `tctl requests ls` shows it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Bring back, send, report; 1 if something of it was not delivered, or nothing was given up."""
    settings = config.load(Path(args.config), os.environ)
    with quiet_log(debug=args.debug):
        return asyncio.run(_retry(settings, args.request_id, args.to))


async def _retry(settings: Settings, request_id: str, to: str) -> int:
    from teleport_email.watching.link import Link

    async with await cluster_session(settings).connect() as connection:
        request = await connection.requests.get(request_id)
        if request is None:
            raise TeleportEmailError(
                f"the cluster has no request {cell(request_id)}: it was deleted or has expired, so nobody "
                "can be told of it any more"
            )
        link = Link()
        link.set(connection)
        keys = await _bring_back(link, request, to)
        keys |= _waiting_keys(await link.read(request_id), request, settings, to)
        if not keys:
            print("nothing was given up, and nobody waits" + (f": {cell(to)}" if to else ""))
            return 1
        print(headline(request_id, request), flush=True)
        await _work(settings, link, request)
        data = await link.read(request_id)
    ledger = go_plugin.read(data, len(request.reviews))
    names = {name_of(party) for party in ledger.parties if party.key in keys}
    lost = [one for one in given_up(request_id, ledger) if one.recipient in names]
    waits = [
        one
        for one in waiting(request_id, data, view_of(request_id, request), settings)
        if one.recipient in names
    ]
    for line in _lines(names, lost, waits):
        print(line)
    return 1 if lost or waits else 0


def _lines(names: Collection[str], lost: Sequence[Told], waits: Sequence[Waiting]) -> Iterator[str]:
    for one in lost:
        yield f"given up again: {one.recipient}: {one.message}: {one.note}"
    for wait in waits:
        yield f"waits: {wait}"
    if waits:
        yield "the daemons go on with it within the hour, or at once when they are reloaded"
    if not lost and not waits:
        yield f"all of it was delivered: {', '.join(sorted(names))}"


async def _bring_back(link: Link, request: AccessRequest, to: str) -> frozenset[tuple[str, bool]]:
    """One compare-and-swap that leaves owner and write id as they are. Returns who was brought back.

    Raises :class:`TeleportEmailError` where nobody was told, or not ``to``.
    """
    before: Ledger | None = None
    ends = time.monotonic() + 2 * LEASE
    for _ in range(SWAPS):
        data = await link.read(request.id)
        ledger = go_plugin.read(data, len(request.reviews))
        keys = _keys(ledger, to)
        if before is not None and (done := _raised(before, ledger)) & keys:
            return done & keys  # the write was applied, though nobody said so
        back = ledger.brought_back(keys)
        if back == ledger:
            return frozenset()
        while ledger.owner and version(ledger) == 1 and time.monotonic() < ends:
            # It may be of an older version, which could not record any more what it is sending now.
            await asyncio.sleep(POLL)
            data = await link.read(request.id)
            ledger = go_plugin.read(data, len(request.reviews))
            back = ledger.brought_back(keys)
        write = go_plugin.write(back, data, request)
        try:
            await link.compare_and_swap(request.id, set=write.set, expect=write.expect)
        except (Conflict, Unreachable):
            before = ledger
            await asyncio.sleep(POLL * random.random())  # noqa: S311 - no secret
        else:
            return _raised(ledger, back)
    raise TeleportEmailError("others write to the record of this request all the time: try again later")


def _waiting_keys(
    data: Mapping[str, str], request: AccessRequest, settings: Settings, to: str
) -> frozenset[tuple[str, bool]]:
    """Of the parties that are meant, those that wait: tried now, however long a daemon would wait."""
    ledger = go_plugin.read(data, len(request.reviews))
    names = {one.recipient for one in waiting(request.id, data, view_of(request.id, request), settings)}
    return _keys(ledger, to) & {party.key for party in ledger.parties if name_of(party) in names}


def _keys(ledger: Ledger, to: str) -> frozenset[tuple[str, bool]]:
    """The parties that are meant."""
    if not ledger.parties:
        raise TeleportEmailError("nobody has been told anything of this request yet")
    keys = frozenset(
        party.key for party in ledger.parties if not to or party.address.casefold() == to.casefold()
    )
    if not keys:
        known = ", ".join(sorted({cell(party.address) for party in ledger.parties}))
        raise TeleportEmailError(f"{cell(to)} is not told of this request; who is: {known}")
    return keys


def _raised(before: Ledger, after: Ledger) -> frozenset[tuple[str, bool]]:
    """The parties whose turn is higher now."""
    turns = {party.key: party.turn for party in before.parties}
    return frozenset(party.key for party in after.parties if party.turn > turns.get(party.key, 0))


async def _work(settings: Settings, link: Link, request: AccessRequest) -> None:
    """Work the request until nothing is due, or what is due failed for now."""
    from teleport_email.daemon.clocks import boot_clock, wall_clock
    from teleport_email.mail.factory import make_mailer
    from teleport_email.reconciling.reconcile import Again, Done, Reconciler
    from teleport_email.reconciling.writer import TextWriter
    from teleport_email.render import Renderer
    from teleport_email.routing.directory import Directory
    from teleport_email.watching.store import Store

    rng = random.SystemRandom()
    store = Store()
    store.put(request)
    store.settle(request.id, 1)  # it has a ledger: to be read first
    spoken = _Spoken()
    mailer = make_mailer(settings.mailer, clock=boot_clock, random=rng)
    delivery = settings.delivery
    writer = TextWriter(
        Renderer(delivery), link, Directory(link, clock=boot_clock), cluster=lambda: link.cluster,
        wall=wall_clock, rng=rng,
    )  # fmt: skip
    reconciler = Reconciler(
        owner=f"{rng.getrandbits(64):016x}",
        store=store,
        plugin_data=link,
        mailer=lambda: mailer,
        router=_Nobody,
        writer=lambda: writer,
        policy=lambda: policy(settings),
        id_domain=lambda: id_domain(delivery.sender),
        observer=spoken,
        clock=boot_clock,
        wall=wall_clock,
        rng=rng,
    )
    ends = boot_clock() + PATIENCE
    try:
        while boot_clock() < ends:
            outcome = await reconciler.reconcile(request.id)
            if isinstance(outcome, Done):
                return
            ledger = go_plugin.read(await link.read(request.id), len(request.reviews))
            if isinstance(outcome, Again) and spoken.failed and not ledger.owner:
                return
            await asyncio.sleep(min(outcome.after or POLL, POLL))
    finally:
        reconciler.stop()
        await mailer.close()


class _Nobody:
    """Whoever is told of the request stands in its ledger."""

    async def audience(self, request: AccessRequest) -> Audience:  # noqa: ARG002 - the protocol's
        return Audience()

    def escalation(self, request: AccessRequest) -> Audience:  # noqa: ARG002 - the protocol's
        return Audience()


class _Spoken:
    """Says of each attempt what became of it."""

    def __init__(self) -> None:
        self.failed = False

    def sent(self, due: Due, outcome: SendOutcome, seconds: float) -> None:  # noqa: ARG002 - the protocol's
        answer = outcome.answer if isinstance(outcome, Delivered) else outcome.reason
        what = "delivered" if isinstance(outcome, Delivered) else "not delivered"
        self.failed |= not isinstance(outcome, Delivered)
        print(f"{cell(due.address)}: {due.kind} {what}: {cell(answer)}", flush=True)

    def conflict(self) -> None:
        return None
