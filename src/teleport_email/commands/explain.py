"""``teleport-email explain``: who would be told about a request, by which line or rule, who not and why.

The same of the review of an Access List: ``explain_list``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, field

from teleport_email import config
from teleport_email.commands import add_config_options, cluster_session, quiet_log
from teleport_email.commands.cells import cell, columns
from teleport_email.config.durations import format_duration
from teleport_email.config.settings import Settings
from teleport_email.core.errors import Denied, TeleportEmailError, Unsupported
from teleport_email.core.model import AccessMonitoringRule, AccessRequest, ResourceID, replace
from teleport_email.routing import recipients
from teleport_email.routing.escalation import escalation
from teleport_email.routing.route import Route
from teleport_email.routing.rules import compile_rules
from teleport_email.routing.rules.written import parse_rules

T = TypeVar("T")
_MADE_UP = "(made up)"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``explain [-c FILE] (REQUEST_ID | --request FILE | --roles a,b ... | --access-list NAME) ...``."""
    parser = subparsers.add_parser(
        "explain",
        help="say who would be told about a request, and why",
        description="Says who would be told about a request, by which line of the configuration or which "
        "rule, who would not be told and why not. With a request's id it asks the cluster for all; with "
        "--request or --roles only for its rules, and says so where it cannot. Nothing is sent. "
        "Exit code 1: for some request nobody, or only the fallback_recipient, could be told.",
        allow_abbrev=False,
    )
    add_config_options(parser)
    parser.add_argument("request_id", metavar="REQUEST_ID", nargs="?", help="as `tctl requests ls` shows it")
    parser.add_argument(
        "--request",
        metavar="FILE",
        help="a request, or a list of them, as `tctl get access_request --format=json` prints it; - is stdin",
    )
    parser.add_argument("--roles", metavar="A,B", help="make up a request for these roles")
    parser.add_argument("--user", metavar="NAME", default="", help="... of this user")
    parser.add_argument("--reviewers", metavar="X,Y", default="", help="... that suggests these reviewers")
    parser.add_argument("--reason", metavar="TEXT", default="", help="... and gives this reason")
    parser.add_argument(
        "--trait",
        metavar="NAME=A,B",
        action="append",
        default=[],
        help="a trait of the requester, for rules that read user.traits (repeatable; not with REQUEST_ID)",
    )
    parser.add_argument(
        "--address",
        metavar="USER=ADDRESS",
        action="append",
        default=[],
        help='what the trait "email" of a user would be (repeatable; not with REQUEST_ID)',
    )
    parser.add_argument(
        "--rules",
        metavar="FILE",
        help="Access Monitoring Rules (YAML or JSON) in place of the cluster's; - is stdin",
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        type=_time,
        help="as if made then, for rules with schedules: 2026-11-30T22:30 (UTC, or with an offset)",
    )
    parser.add_argument(
        "--access-list",
        metavar="NAME",
        help="an Access List by its name (or title): who is reminded of its review, and was; by itself",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")

    def check_and_run(args: argparse.Namespace) -> int:
        _check_usage(parser, args)
        return run(args)

    parser.set_defaults(run=check_and_run)


_ASKING = 10.0
"""Seconds for asking the cluster for its rules: somebody waits, and there is an answer without them."""


class Explained(Struct, frozen=True):
    """A request and the decision about it. ``notes``: what could not be asked."""

    request: AccessRequest
    route: Route
    escalation: Route = field(default_factory=Route)
    """Who is told as well when nobody decides (``[escalation]``)."""
    after: float = 0.0
    """Seconds after which; 0: never."""
    requester: tuple[str, str] | None = None
    """Address (or empty) and why; None where requesters are not told (``delivery.notify_requester``)."""
    notes: tuple[str, ...] = ()
    names: Mapping[ResourceID, str] = field(default_factory=dict)
    """Friendly names of the requested resources, as far as they could be found."""

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        route = self.route
        return {
            "request": self.request.id,
            "user": self.request.user,
            "roles": list(self.request.roles),
            "resources": [str(resource) for resource in self.request.resources],
            "resource_names": {str(resource): name for resource, name in self.names.items()},
            "recipients": [{"address": each.address, "why": each.why} for each in route.reasons],
            "escalation": [{"address": each.address, "why": each.why} for each in self.escalation.reasons],
            "escalation_after_seconds": self.after or None,
            "requester": self.requester and dict(zip(("address", "why"), self.requester, strict=True)),
            "skipped": [{"candidate": each.candidate, "why": each.why} for each in route.skipped],
            "rules": [
                {
                    "name": each.name,
                    "matched": each.matched,
                    "faulty": each.faulty,
                    "why": each.why,
                    "remarks": list(each.remarks),
                }
                for each in route.verdicts
            ],
            "excluded": route.excluded,
            "silenced": route.silenced,
            "fallback": route.fallback,
            "problem": route.problem,
            "notes": list(self.notes),
        }


def run(args: argparse.Namespace) -> int:
    """Print the explanation. Raises what reading the configuration, the files and the cluster raises."""
    # Nothing is sent: whoever may read the identity need not be able to read the mail account's password.
    settings = config.load(Path(args.config), os.environ, read_secrets=False)
    if args.access_list is not None:
        return _access_list(settings, args)
    rules = _read(args.rules, parse_rules) if args.rules else None
    if args.request_id:
        with quiet_log(debug=args.debug):
            explained = [asyncio.run(_ask(settings, args.request_id, rules, args.at))]
    else:
        notes: tuple[str, ...] = ()
        if rules is None:
            with quiet_log(debug=args.debug):
                rules, notes = asyncio.run(_rules_of_the_cluster(settings))
        explained = list(_made_up(settings, args, rules, notes))
    if args.json:
        print(json.dumps({"requests": [each.as_json() for each in explained]}, indent=2))
    else:
        for line in _lines(explained):
            print(line)
    return 1 if any(each.route.problem for each in explained) else 0


def _access_list(settings: Settings, args: argparse.Namespace) -> int:
    from teleport_email.commands import explain_list

    with quiet_log(debug=args.debug):
        found = asyncio.run(explain_list.ask(settings, args.access_list))
    if args.json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        for line in explain_list.lines(found):
            print(line)
    return 1 if found.route.problem else 0


def _check_usage(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    ways = sum(value is not None for value in (args.request_id, args.request, args.roles, args.access_list))
    if ways != 1:
        parser.error("say which request: a REQUEST_ID, --request FILE, or --roles A,B; or --access-list NAME")
    if args.access_list is not None and not args.access_list.strip():
        parser.error("--access-list wants the name of a list")
    if args.access_list is not None and (args.rules or args.at or args.trait or args.address):
        parser.error("--access-list goes by itself: the cluster knows the rest")
    if args.roles is None and (args.user or args.reviewers or args.reason):
        parser.error("--user, --reviewers and --reason go with --roles")
    if args.request_id and (args.trait or args.address):
        parser.error("--trait and --address do not go with a REQUEST_ID: the cluster knows them")
    if args.request == "-" and args.rules == "-":
        parser.error("only one of --request and --rules can be read from stdin")
    for option, values in (("--trait", args.trait), ("--address", args.address)):
        for value in values:
            if "=" not in value:
                parser.error(f"{option} takes NAME=VALUE, not {value!r}")


def _read(name: str, parse: Callable[[str], T]) -> T:
    """What a file (or stdin) holds; :class:`TeleportEmailError` names the file and what is wrong."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return parse(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise TeleportEmailError(f"{name}: is not UTF-8") from None
    except OSError as error:
        raise TeleportEmailError(f"{name}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise TeleportEmailError(f"{name}: {error}") from None


async def _rules_of_the_cluster(settings: Settings) -> tuple[list[AccessMonitoringRule], tuple[str, ...]]:
    """Its Access Monitoring Rules; none, and what to know about that, where it could not be asked."""

    session = cluster_session(settings)
    why = f"no answer within {_ASKING:.0f} s"
    try:
        async with asyncio.timeout(_ASKING), await session.connect() as connection:
            return list(await connection.rules.list()), ()
    except TimeoutError:
        pass
    except Unsupported:
        return [], ()  # too old to have any
    except TeleportEmailError as error:
        why = cell(error)
    return [], (f"the cluster was not asked for its Access Monitoring Rules, which come first ({why})",)


def _made_up(
    settings: Settings,
    args: argparse.Namespace,
    rules: Sequence[AccessMonitoringRule],
    notes: tuple[str, ...],
) -> Iterator[Explained]:
    if args.request is not None:
        from teleport_email.commands.tctl_json import parse_requests

        requests = _read(args.request, parse_requests)
        if not requests:
            raise TeleportEmailError(f"{args.request}: holds no request")
    else:
        requests = [
            AccessRequest(
                id=_MADE_UP,
                user=args.user,
                roles=_listed(args.roles),
                suggested_reviewers=_listed(args.reviewers),
                request_reason=args.reason,
                created=datetime.now(UTC),
            )
        ]
    given = [each.partition("=") for each in args.trait]
    traits = {name: _listed(values) for name, _, values in given} if given else None
    addresses = dict(each.split("=", 1) for each in args.address)
    for request in (_made_at(request, args.at) for request in requests):
        route = recipients.route(
            request,
            settings.delivery,
            settings.role_to_recipients,
            compile_rules(rules, settings.plugin_name),
            addresses,
            traits=traits,
        )
        requester = None
        if settings.delivery.notify_requester and not route.excluded:
            requester = recipients.requester(request, settings.delivery, addresses.get(request.user))
        yield _explained(settings, request, route, requester=requester, notes=notes)


async def _ask(
    settings: Settings,
    request_id: str,
    written: Sequence[AccessMonitoringRule] | None,
    at: datetime | None,
) -> Explained:
    from teleport_email.routing.audience import AudienceFinder
    from teleport_email.routing.directory import Directory
    from teleport_email.teleport.calls.permissions import help_for

    session = cluster_session(settings)
    notes: list[str] = []
    async with await session.connect() as connection:
        request = await connection.requests.get(request_id)
        if request is None:
            raise TeleportEmailError(
                f"the cluster has no request {cell(request_id)}: it was deleted, has expired, or is mistyped"
            )
        request = _made_at(request, at)
        if written is None:
            written = []
            try:
                written = await connection.rules.list()
            except Denied as error:
                notes.append("the Access Monitoring Rules cannot be read; this role would allow it:")
                notes += help_for(error) or (str(error),)
            except Unsupported:
                notes.append("this cluster is too old to have Access Monitoring Rules")
        rules = compile_rules(written, settings.plugin_name)
        directory = Directory(connection.users, clock=asyncio.get_running_loop().time)
        # The daemon's own way to the answer, so that this command cannot tell another one.
        finder = AudienceFinder(settings, lambda: rules, directory, connection.resources)
        route = await finder.route(request)
        requester = None
        if settings.delivery.notify_requester and not route.excluded:
            requester = await finder.requester(request)
        if not directory.permitted:
            notes.append("users cannot be looked up: that needs a role with the resource user, verb read")
        names = await connection.resources.names(request.resources)
    return _explained(settings, request, route, requester=requester, notes=tuple(notes), names=names)


def _explained(settings: Settings, request: AccessRequest, route: Route, **more: Any) -> Explained:
    """With whom it is escalated to, of those who are not told at first; nobody where nobody is asked."""
    chosen = escalation(request, settings)
    told = set(route.recipients)
    left = tuple(each for each in chosen.reasons if each.address not in told) if told else ()
    later = replace(chosen, reasons=left)
    return Explained(request, route, later, settings.escalation.after, **more)


def _made_at(request: AccessRequest, at: datetime | None) -> AccessRequest:
    return request if at is None else replace(request, created=at)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-11-30T22:30") from None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, text.split(",")) if part)


def _lines(explained: Sequence[Explained]) -> Iterator[str]:
    for number, each in enumerate(explained):
        if number:
            yield ""
        yield from _one(each)


def _one(explained: Explained) -> Iterator[str]:
    request, route = explained.request, explained.route
    resources = [
        f"{each} ({name})" if (name := explained.names.get(each)) else str(each) for each in request.resources
    ]
    roles = cell(", ".join((*request.roles, *resources))) or "no role"
    yield f"Request {cell(request.id)} of {cell(request.user) or 'a user without a name'} for {roles}"
    for note in explained.notes:
        yield f"Note: {cell(note)}"
    yield ""
    if route.excluded or route.silenced:
        yield "Told: nobody, on purpose"
    elif route.reasons:
        yield f"Told ({len(route.reasons)}):"
    else:
        yield "Told: nobody"
    yield from _columns((reason.address, reason.why) for reason in route.reasons)
    if explained.escalation.reasons:
        after = format_duration(explained.after)
        yield f"Told after {after} without a decision ({len(explained.escalation.reasons)}):"
        yield from _columns((reason.address, reason.why) for reason in explained.escalation.reasons)
    elif explained.after and route.reasons:
        yield f"Told after {format_duration(explained.after)} without a decision: nobody else"
    if explained.requester is not None:
        address, why = explained.requester
        yield "Told as the requester:" if address else "Requester not told:"
        yield from _columns([(address or request.user, why)])
    if route.skipped:
        yield f"Not told ({len(route.skipped)}):"
        yield from _columns((entry.candidate, entry.why) for entry in route.skipped)
    if route.verdicts:
        yield f"Rules ({len(route.verdicts)}):"
        yield from _columns((verdict.name, verdict.why or "matches") for verdict in route.verdicts)
    remarks = [(verdict.name, remark) for verdict in route.verdicts for remark in verdict.remarks]
    if remarks:
        yield f"Rules to look at ({len(remarks)}):"
        yield from _columns(iter(remarks))
    if route.problem:
        yield f"Problem: {cell(route.problem)}"


def _columns(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for line in columns((left.strip() or '""', right) for left, right in rows):
        yield f"  {line}"
