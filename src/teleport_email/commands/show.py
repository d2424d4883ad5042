"""``teleport-email show``: who was told what about a request, from the ledger in the cluster."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from teleport_email import config
from teleport_email.commands import add_config_options, cluster_session, quiet_log
from teleport_email.commands.cells import cell, columns
from teleport_email.commands.told import (
    Escalation,
    Told,
    Waiting,
    escalating,
    headline,
    table,
    view_of,
    waiting,
)
from teleport_email.config.settings import Settings
from teleport_email.core import go_plugin
from teleport_email.core.errors import TeleportEmailError
from teleport_email.core.ledger import Ledger
from teleport_email.core.model import AccessRequest


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``show [-c FILE] [--json] REQUEST_ID``."""
    parser = subparsers.add_parser(
        "show",
        help="say who was told what about a request",
        description="Reads what is recorded in the cluster about a request: who was told what and when, "
        "what was given up and why, and who waits since when. Exit code 1: nothing is recorded.",
        allow_abbrev=False,
    )
    add_config_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("request_id", metavar="REQUEST_ID", help="as `tctl requests ls` shows it")
    parser.set_defaults(run=run)


class _Shown(Struct, frozen=True):
    """All that there is to show of a request."""

    request_id: str
    request: AccessRequest | None
    ledger: Ledger
    told: Sequence[Told]
    waits: Sequence[Waiting]
    ahead: Escalation | None


def run(args: argparse.Namespace) -> int:
    """Print the ledger of a request. Raises :class:`LedgerUnreadable` when it cannot be understood."""
    # Nothing is sent: whoever may read the identity need not be able to read the mail account's password.
    settings = config.load(Path(args.config), os.environ, read_secrets=False)
    with quiet_log(debug=args.debug):
        request, data = asyncio.run(_read(settings, args.request_id))
    if request is None and not data:
        raise TeleportEmailError(f"the cluster knows nothing about {cell(args.request_id)}")
    ledger = go_plugin.read(data, len(request.reviews)) if request else go_plugin.read(data)
    view = view_of(args.request_id, request)
    shown = _Shown(
        args.request_id,
        request,
        ledger,
        list(table(args.request_id, ledger)),
        waiting(args.request_id, data, view, settings),
        escalating(view, ledger, settings),
    )
    if args.json:
        print(json.dumps(_as_json(shown), indent=2))
    else:
        for line in _lines(shown):
            print(line)
    return 0 if shown.told else 1


async def _read(settings: Settings, request_id: str) -> tuple[AccessRequest | None, dict[str, str]]:
    async with await cluster_session(settings).connect() as connection:
        data = await connection.plugin_data.read(request_id)
        return await connection.requests.get(request_id), data


def _lines(shown: _Shown) -> Iterator[str]:
    yield headline(shown.request_id, shown.request)
    if not shown.told:
        yield "nobody has been told anything yet"
        return
    rows = [("RECIPIENT", "MESSAGE", "STATUS", "WHEN (UTC)", "NOTE")] + [
        (
            item.recipient,
            item.message,
            item.status,
            f"{item.at:%Y-%m-%d %H:%M:%S}" if item.at else "",
            item.note,
        )
        for item in shown.told
    ]
    yield from columns(rows)
    for wait in shown.waits:
        yield f"waits: {cell(wait)}"
    if shown.ahead is not None:
        yield f"escalates: {shown.ahead}"
    if shown.ledger.owner:
        yield f"held by process {cell(shown.ledger.owner)}, which is at work on it"


def _as_json(shown: _Shown) -> dict[str, object]:
    return {
        "request": shown.request_id,
        "state": str(shown.request.state) if shown.request else None,
        "user": shown.request.user if shown.request else None,
        "roles": list(shown.request.roles) if shown.request else None,
        "claimed_by": shown.ledger.owner or None,
        "told": [item.as_json() for item in shown.told],
        "waiting": [item.as_json() for item in shown.waits],
        "escalation": shown.ahead.as_json() if shown.ahead else None,
    }
