"""``teleport-email ls``: the open requests, with who was told, who waits and why."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from teleport_email import config
from teleport_email.commands import add_config_options, cluster_session, quiet_log
from teleport_email.commands.cells import cell
from teleport_email.commands.told import (
    Escalation,
    Told,
    Waiting,
    escalating,
    given_up,
    headline,
    name_of,
    view_of,
    waiting,
)
from teleport_email.config.settings import Settings
from teleport_email.core import go_plugin
from teleport_email.core.errors import LedgerUnreadable
from teleport_email.core.model import AccessRequest, RequestState


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``ls [-c FILE] [--failed] [--json]``."""
    parser = subparsers.add_parser(
        "ls",
        help="list the open requests: who was told, who waits and why",
        description="Lists the requests that the cluster still has, with who was told, who waits and why, "
        "and what was given up. Nothing is sent.",
        allow_abbrev=False,
    )
    add_config_options(parser)
    parser.add_argument(
        "--failed", action="store_true", help="only those with a failed try or with something given up"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


class Listed(Struct, frozen=True):
    """One request and what its ledger tells."""

    request: AccessRequest
    told: tuple[str, ...] = ()
    """Who has everything that is due."""
    waiting: tuple[Waiting, ...] = ()
    given_up: tuple[Told, ...] = ()
    escalation: Escalation | None = None
    problem: str = ""
    """Why its ledger cannot be read."""

    @property
    def failed(self) -> bool:
        """Whether somebody should look at it."""
        return bool(self.given_up or self.problem) or any(one.tries for one in self.waiting)

    def as_json(self) -> dict[str, object]:
        """For ``--json``."""
        request = self.request
        return {
            "request": request.id,
            "state": str(request.state),
            "user": request.user,
            "roles": list(request.roles),
            "told": list(self.told),
            "waiting": [one.as_json() for one in self.waiting],
            "given_up": [one.as_json() for one in self.given_up],
            "escalation": self.escalation.as_json() if self.escalation else None,
            "problem": self.problem or None,
        }


def run(args: argparse.Namespace) -> int:
    """Print the list; 0 also where it is empty."""
    # Nothing is sent: whoever may read the identity need not be able to read the mail account's password.
    settings = config.load(Path(args.config), os.environ, read_secrets=False)
    with quiet_log(debug=args.debug):
        requests, data = asyncio.run(_read(settings))
    listed = [listed_of(request, data.get(request.id, {}), settings) for request in requests]
    # Over before anybody was told, as what was resolved before the first installation.
    listed = [one for one in listed if data.get(one.request.id) or one.request.state is RequestState.PENDING]
    if args.failed:
        listed = [one for one in listed if one.failed]
    if args.json:
        print(json.dumps({"requests": [one.as_json() for one in listed]}, indent=2))
    else:
        for line in _lines(listed, failed=args.failed):
            print(line)
    return 0


def listed_of(request: AccessRequest, data: Mapping[str, str], settings: Settings) -> Listed:
    """What is known of one request."""
    try:
        ledger = go_plugin.read(data, len(request.reviews))
        view = view_of(request.id, request)
        waits = tuple(waiting(request.id, data, view, settings))
    except LedgerUnreadable as error:
        return Listed(request, problem=cell(error))
    lost = tuple(given_up(request.id, ledger))
    behind = {one.recipient for one in waits} | {one.recipient for one in lost}
    told = tuple(name for party in ledger.parties if party.entries and (name := name_of(party)) not in behind)
    return Listed(request, told, waits, lost, escalating(view, ledger, settings))


async def _read(settings: Settings) -> tuple[list[AccessRequest], Mapping[str, Mapping[str, str]]]:
    async with await cluster_session(settings).connect() as connection:
        requests = [request for request in await connection.requests.list() if not request.dry_run]
        data = await connection.plugin_data.read_all()
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(requests, key=lambda request: (request.created or oldest, request.id)), data


def _lines(listed: list[Listed], *, failed: bool) -> Iterator[str]:
    if not listed:
        yield "nobody waits after a failed try, and nothing was given up" if failed else "no open requests"
    for one in listed:
        yield headline(one.request.id, one.request)
        if one.problem:
            yield f"  its record cannot be read: {one.problem}"
        elif not (one.told or one.waiting or one.given_up):
            yield "  nobody has been told anything yet"
        if one.told:
            yield f"  told      {', '.join(one.told)}"
        for wait in one.waiting:
            yield f"  waits     {wait}"
        if one.escalation is not None:
            yield f"  escalates {one.escalation}"
        for lost in one.given_up:
            when = f" at {lost.at:%Y-%m-%d %H:%M:%S} UTC" if lost.at else ""
            yield f"  given up  {lost.recipient}: {lost.message}{when}: {lost.note}"
