"""``teleport-email preview``: every kind of message as files to look at. Nothing is asked, nothing sent."""

from __future__ import annotations

import argparse
import html
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from teleport_email import config
from teleport_email.commands import DEFAULT_CONFIG, add_config_options
from teleport_email.commands.cells import cell
from teleport_email.config.settings import DeliverySettings, Settings
from teleport_email.core.addresses import parse_address
from teleport_email.core.errors import TeleportEmailError
from teleport_email.core.ledger import ANNOUNCEMENTS
from teleport_email.core.model import (
    AccessRequest,
    ClusterInfo,
    Content,
    Kind,
    Mail,
    ResourceID,
    Topic,
    replace,
)
from teleport_email.render import samples

DEFAULT_DIRECTORY = "teleport-email-preview"
REMINDERS = "access-list-review"
"""The kind that is of no request; it is shown in the forms of the samples."""
_BOUNDARY = "=_preview"
Render = Callable[..., Content]
"""Renderer.render or Renderer.remind; the module of it is only imported when the command runs."""


class _Case(Struct, frozen=True):
    """A request to preview, with what goes with it."""

    prefix: str
    """Before the names of its files: nothing when it is the only one."""
    request: AccessRequest
    told: tuple[str, ...]
    made_up: bool
    names: Mapping[ResourceID, str]
    requester: str


class _Page(Struct, frozen=True):
    """One written message."""

    stem: str
    title: str
    subject: str


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``preview [-c FILE] [--request FILE] [--kind KIND] [-o DIR] [--open] ...``."""
    names = [*(samples.file_name(kind) for kind in samples.kinds()), REMINDERS]
    parser = subparsers.add_parser(
        "preview",
        help="write every kind of message into a directory to look at",
        description="Writes every kind of message as .txt, .html and .eml, with an index.html, for a made-up "
        "request or given ones, with your configuration's templates, time zone and recipients. Asks no "
        "cluster and sends nothing.",
        allow_abbrev=False,
    )
    add_config_options(parser, debug=False)
    parser.add_argument(
        "--request",
        metavar="FILE",
        help="requests as `tctl get access_request --format=json` prints them; - for standard input",
    )
    parser.add_argument(
        "--kind",
        action="append",
        choices=names,
        metavar="KIND",
        help=f"only this kind (may be given several times): {', '.join(names)}",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="DIR",
        default=DEFAULT_DIRECTORY,
        help=f"where to write (default {DEFAULT_DIRECTORY})",
    )
    parser.add_argument("--cluster", metavar="NAME", default=samples.CLUSTER.name, help="the cluster's name")
    parser.add_argument(
        "--proxy",
        metavar="HOST:PORT",
        default=samples.CLUSTER.proxy_public_addr,
        help="the Proxy's public address, for the link",
    )
    parser.add_argument(
        "--tsh",
        action="store_true",
        help="as in a cluster where requests are reviewed with tsh, not on the web",
    )
    parser.add_argument("--open", action="store_true", help="show the index in a browser")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files and say where. 1 when an own template has a fault: the built-in one is shown then."""
    from teleport_email.render import Renderer

    settings = _settings(args)
    delivery = settings.delivery if settings else DeliverySettings(sender="teleport@example.com")
    renderer = Renderer(delivery)
    faults = renderer.check()
    for fault in faults:
        print(f"{cell(fault)} (the built-in template is used)", file=sys.stderr)
    cluster = ClusterInfo(
        name=args.cluster,
        server_version=samples.CLUSTER.server_version,
        proxy_public_addr=args.proxy,
        advanced_access_workflows=not args.tsh,
    )
    directory = Path(args.output)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        pages = [
            _write(directory, case, kind, renderer.render, cluster)
            for case in _cases(args, settings)
            for kind in samples.kinds()
            if not args.kind or samples.file_name(kind) in args.kind
        ]
        if REMINDERS in (args.kind or () if args.request else args.kind or (REMINDERS,)):
            pages += [_remind(directory, one, renderer.remind, cluster) for one in samples.reminders()]
        index = directory / "index.html"
        _put(index, _index(pages, cluster).encode())
    except OSError as error:
        raise TeleportEmailError(f"{directory}: cannot be written: {error.strerror or error}") from None
    print(f"{len(pages)} messages written; look at {index}")
    if args.open:
        import webbrowser

        webbrowser.open(index.resolve().as_uri())
    return 1 if faults else 0


def _settings(args: argparse.Namespace) -> Settings | None:
    """The configuration; None when there is none where one would be, and none was named."""
    path = Path(args.config)
    if args.config == DEFAULT_CONFIG and not path.exists():
        print(f"{path} is not there: defaults are used", file=sys.stderr)
        return None
    return config.load(path, os.environ, read_secrets=False)


def _cases(args: argparse.Namespace, settings: Settings | None) -> list[_Case]:
    if args.request is None:
        told = samples.RECIPIENTS if settings is None else _told(samples.REQUEST, settings)
        return [_Case("", samples.REQUEST, told, True, samples.RESOURCE_NAMES, "Alice Martin")]
    requests = _requests(args.request)
    several = len(requests) > 1
    return [
        _Case(
            f"request-{number}-" if several else "",
            request,
            samples.RECIPIENTS if settings is None else _told(request, settings),
            False,
            {},
            "",
        )
        for number, request in enumerate(requests, 1)
    ]


def _requests(name: str) -> Sequence[AccessRequest]:
    from teleport_email.commands.tctl_json import parse_requests

    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        requests = parse_requests(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise TeleportEmailError(f"{name}: is not UTF-8") from None
    except OSError as error:
        raise TeleportEmailError(f"{name}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise TeleportEmailError(f"{name}: {error}") from None
    if not requests:
        raise TeleportEmailError(f"{name}: holds no request")
    return requests


def _told(request: AccessRequest, settings: Settings) -> tuple[str, ...]:
    """Who would be told by the configuration alone; rules and users' addresses are the cluster's to tell."""
    from teleport_email.routing import recipients

    route = recipients.route(request, settings.delivery, settings.role_to_recipients, (), {})
    return route.recipients


def _write(directory: Path, case: _Case, kind: Kind, render: Render, cluster: ClusterInfo) -> _Page:
    from teleport_email.render import Facts

    if case.made_up:
        request, now = samples.request_for(kind), samples.NOW
    else:
        request, now = _stage(case.request, kind)
    content = render(
        kind,
        request,
        Facts(cluster, case.told, case.names, case.requester, case.told[1:]),
        now=now,
        boundary=_BOUNDARY,
    )
    stem = case.prefix + samples.file_name(kind)
    return _put_message(directory, stem, _mail(content, kind, case, stem))


def _remind(directory: Path, sample: samples.Reminder, remind: Render, cluster: ClusterInfo) -> _Page:
    cluster = replace(
        cluster, proxy_public_addr=sample.cluster.proxy_public_addr and cluster.proxy_public_addr
    )
    content = remind(sample.audits, cluster, now=sample.now, boundary=_BOUNDARY)
    ids = f"{sample.name}.preview@example.com", "owner.preview@example.com"
    return _put_message(directory, sample.name, Mail("owner@example.com", *ids, content))


def _put_message(directory: Path, stem: str, mail: Mail) -> _Page:
    from teleport_email.mail.message import build

    _put(directory / f"{stem}.txt", mail.content.text.encode())
    _put(directory / f"{stem}.html", mail.content.html.encode())
    _put(directory / f"{stem}.eml", build(mail))
    return _Page(stem, stem.replace("-", " "), mail.content.subject)


def _stage(request: AccessRequest, kind: Kind) -> tuple[AccessRequest, datetime]:
    """A given request as it is (or could be) when a message of that kind goes out, and when that is."""
    model = samples.request_for(kind)
    reviews = request.reviews
    if kind.topic is Topic.REVIEW and not reviews:
        reviews = model.reviews
    elif kind.topic in {Topic.ANNOUNCEMENT, Topic.RECEIVED}:
        reviews = ()
    elif model.state is not request.state and model.reviews:
        reviews = tuple(replace(review, created=request.created) for review in model.reviews)
    reason = request.resolve_reason if model.state is request.state else model.resolve_reason
    staged = replace(
        request,
        state=model.state,
        reviews=reviews,
        resolve_reason=reason,
        access_list=request.access_list or model.access_list,
    )
    ends = {Topic.EXPIRED: request.expires, Topic.REQUESTER_EXPIRED: request.expires}
    end = request.access_expires if kind.topic is Topic.ENDED else ends.get(kind.topic)
    soon = (request.created or datetime.now(UTC)) + timedelta(minutes=2)
    return staged, end or soon


def _mail(content: Content, kind: Kind, case: _Case, stem: str) -> Mail:
    recipient = case.told[0] if case.told else "reviewer@example.com"
    if kind.topic.for_requester:
        try:
            recipient = parse_address(case.request.user)
        except ValueError:
            recipient = "requester@example.com"
    thread = "requester" if kind.topic.for_requester else "reviewers"
    return Mail(
        recipient=recipient,
        message_id=f"{stem}.preview@example.com",
        thread_root=f"{thread}.preview@example.com",
        content=content,
        announces=kind.topic in ANNOUNCEMENTS,
    )


def _put(path: Path, data: bytes) -> None:
    """Write a private file: a request is nobody else's business."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
        file.write(data)


def _index(pages: Sequence[_Page], cluster: ClusterInfo) -> str:
    """A page with the list on the left and the chosen message on the right. No script in it."""
    links = "\n".join(
        f'<li><a href="{page.stem}.html" target="mail">{html.escape(page.title)}</a>'
        f' <small><a href="{page.stem}.txt" target="mail">text</a>'
        f' <a href="{page.stem}.eml">eml</a></small></li>'
        for page in pages
    )
    first = f"{pages[0].stem}.html" if pages else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Preview of the messages of {html.escape(cluster.name)}</title>
<style>
body{{margin:0;font:15px/1.5 system-ui,sans-serif;display:flex;min-height:100vh}}
nav{{flex:0 0 17rem;padding:1rem;box-sizing:border-box}}
ul{{list-style:none;padding:0}} li{{padding:.2rem 0}} small{{opacity:.8}}
iframe{{flex:1;border:0;border-left:1px solid #8888;min-height:100vh}}
h1{{font-size:1.1rem}}
@media (max-width:700px){{body{{flex-direction:column}}nav{{flex:none}}}}
</style>
</head>
<body>
<nav>
<h1>Messages</h1>
<p>{html.escape(pages[0].subject if pages else "")}</p>
<ul>
{links}
</ul>
</nav>
<iframe name="mail" title="The chosen message" sandbox="allow-popups" src="{first}"></iframe>
</body>
</html>
"""
