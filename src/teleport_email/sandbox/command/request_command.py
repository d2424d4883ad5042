"""``teleport-email sandbox request ...``: requests in the running sandbox, in the manner of ``tctl``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from teleport_email.commands.cells import cell, columns, indented
from teleport_email.config.durations import parse_duration

from .action import Ask, add_action, say, words

_CLUSTER = "demo.example.com"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``request create|review|approve|deny|promote|delete|ls``."""
    parser = commands.add_parser(
        "request", help="create, review and resolve requests in the sandbox that runs", allow_abbrev=False
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)

    create = add_action(actions, "create", "ask for access", _create)
    create.add_argument("user", metavar="USER", help="who asks, such as alice@example.com")
    create.add_argument("--roles", type=words, default=[], metavar="A,B", help="for these roles")
    create.add_argument(
        "--resource",
        dest="resources",
        type=_resource,
        action="append",
        default=[],
        metavar="KIND/NAME",
        help="also /CLUSTER/KIND/NAME; can be given several times",
    )
    create.add_argument("--reason", metavar="TEXT", default="", help="in the person's own words")
    create.add_argument(
        "--reviewers", type=words, default=[], metavar="X,Y", help="and suggest these reviewers"
    )
    create.add_argument(
        "--request-ttl", type=_seconds, metavar="1h", help="how long the request waits for a decision"
    )
    create.add_argument("--max-duration", type=_seconds, metavar="12h", help="how long access would last")
    create.add_argument(
        "--approvals", type=int, default=1, metavar="N", help="how many approve it (default 1)"
    )

    review = add_action(actions, "review", "add a review", _review)
    review.add_argument("id", metavar="ID", help="as `ls` shows it")
    review.add_argument(
        "--author", metavar="NAME", required=True, help="who reviews, such as bob@example.com"
    )
    verdict = review.add_mutually_exclusive_group(required=True)
    verdict.add_argument("--approve", dest="state", action="store_const", const="APPROVED", help="for it")
    verdict.add_argument("--deny", dest="state", action="store_const", const="DENIED", help="against it")
    review.add_argument("--reason", metavar="TEXT", default="", help="in the person's own words")

    for name, line in (
        ("approve", "approve as an administrator, without a review"),
        ("deny", "deny as an administrator, without a review"),
    ):
        resolve = add_action(actions, name, line, _resolve)
        resolve.add_argument("id", metavar="ID", help="as `ls` shows it")
        resolve.add_argument("--reason", metavar="TEXT", default="", help="in the person's own words")

    promote = add_action(actions, "promote", "promote to an access list", _promote)
    promote.add_argument("id", metavar="ID", help="as `ls` shows it")
    promote.add_argument("--access-list", required=True, metavar="NAME", help="the list's name")
    promote.add_argument("--reason", metavar="TEXT", default="", help="in the person's own words")

    delete = add_action(
        actions, "delete", "delete a request; to watchers it looks like one that expired", _delete
    )
    delete.add_argument("id", metavar="ID", help="as `ls` shows it")

    add_action(actions, "ls", "list the requests", _list)


def _create(args: argparse.Namespace, ask: Ask) -> None:
    options: dict[str, Any] = {}
    if args.request_ttl is not None:
        options["pending_for"] = args.request_ttl
    if args.max_duration is not None:
        options["access_for"] = args.max_duration
    request = ask(
        "create",
        user=args.user,
        roles=args.roles,
        resources=args.resources,
        reason=args.reason,
        suggested_reviewers=args.reviewers,
        approvals=args.approvals,
        **options,
    )
    _show(args, request)


def _review(args: argparse.Namespace, ask: Ask) -> None:
    _show(args, ask("review", id=args.id, author=args.author, state=args.state, reason=args.reason))


def _resolve(args: argparse.Namespace, ask: Ask) -> None:
    _show(args, ask(args.action, id=args.id, reason=args.reason))


def _promote(args: argparse.Namespace, ask: Ask) -> None:
    _show(args, ask("promote", id=args.id, access_list=args.access_list, reason=args.reason))


def _delete(args: argparse.Namespace, ask: Ask) -> None:
    ask("delete", id=args.id)
    say(args, None, [cell(f"{args.id} deleted")])


def _list(args: argparse.Namespace, ask: Ask) -> None:
    requests = ask("ls")
    say(args, requests, [table(requests, datetime.now(UTC)) if requests else "no requests"])


def _show(args: argparse.Namespace, request: Mapping[str, Any]) -> None:
    say(args, request, _lines(request))


def _lines(request: Mapping[str, Any]) -> Iterator[str]:
    yield cell(f"{request['id']} {request['state']}")
    yield indented(f"  {request['user']} asks for {_wanted(request)}, expires {request['expires']}")
    for review in request["reviews"]:
        reason = f": {review['reason']}" if review["reason"] else ""
        yield indented(f"  {review['author']} {review['state']}{reason}")


def table(requests: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """The requests as lines of columns, under a line of headings; no space at line ends."""
    rows = [("ID", "USER", "ASKS FOR", "STATE", "REVIEWS", "AGE")]
    rows += [
        (
            request["id"],
            request["user"],
            _wanted(request),
            request["state"],
            str(len(request["reviews"])),
            _age(request["created"], now),
        )
        for request in requests
    ]
    return "\n".join(columns(rows))


def _wanted(request: Mapping[str, Any]) -> str:
    return ", ".join([*request["roles"], *request["resources"]])


def _age(created: str | None, now: datetime) -> str:
    if created is None:
        return "?"
    seconds = max(0, int((now - datetime.fromisoformat(created)).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _resource(text: str) -> dict[str, str]:
    parts = text.strip("/").split("/")
    if not text.startswith("/"):
        parts = [_CLUSTER, *parts]
    if not 3 <= len(parts) <= 4 or not all(parts):
        raise argparse.ArgumentTypeError("must be KIND/NAME or /CLUSTER/KIND/NAME, such as node/web-01")
    return dict(zip(("cluster", "kind", "name", "sub_resource"), parts, strict=False))
