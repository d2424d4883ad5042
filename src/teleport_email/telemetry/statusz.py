"""The status page: how things stand, for a person with a browser or a terminal. Pure.

In: a snapshot, the tally, the latest problems, the open requests. Out: one HTML page without scripts or
anything from elsewhere. Never: secrets, addresses of people, what requesters wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from msgspec import Struct

from teleport_email import __version__
from teleport_email.core.informing import Wait
from teleport_email.telemetry.health import Snapshot, when
from teleport_email.telemetry.problems import Problem, without_local_parts
from teleport_email.telemetry.tally import KINDS, OUTCOMES, Tally

LISTED = 50
"""Open requests that the page shows; of more it tells the number."""

HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
)

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p.good, p.bad { padding: .5rem .8rem; border-left: .3rem solid; }
p.good { border-color: #2a7; } p.bad { border-color: #c33; }
div { overflow-x: auto; margin-top: .6rem; }
table { border-collapse: collapse; } th, td { padding: .15rem 1.2rem .15rem 0; text-align: left; }
td, th { vertical-align: top; overflow-wrap: break-word; } th { font-weight: 600; white-space: nowrap; }
div td { border-top: 1px solid #8884; }
"""


class OpenRequest(Struct, frozen=True):
    """One line of the table of requests."""

    id: str
    state: str
    reviews: int
    expires: datetime | None
    waiting: float | None
    """Seconds for which something has been due; None when everybody has been told."""
    waits: tuple[Wait, ...] = ()
    """The failed tries of those who wait."""


def page(now: Snapshot, tally: Tally, problems: Sequence[Problem], requests: Sequence[OpenRequest]) -> str:
    """The page."""
    obstacles = now.obstacles()
    verdict = (
        "".join(f'<p class="bad">Not ready: {escape(text)}</p>' for text in obstacles)
        if obstacles
        else '<p class="good">Ready</p>'
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="15">'
        f"<title>teleport-email: {'not ready' if obstacles else 'ready'}</title>"
        f"<style>{_STYLE}</style></head><body><h1>teleport-email</h1>{verdict}"
        f"<h2>Cluster</h2>{_facts(_cluster(now))}"
        f"<h2>Mail</h2>{_facts(_mail(now, tally))}"
        f"<h2>Requests</h2>{_facts(_requests(now, tally))}{_open(requests, now)}"
        f"{_reviews(now)}"
        f"<h2>Attempts to send</h2>{_messages(tally)}"
        f"<h2>Latest warnings and errors</h2>{_problems(problems)}"
        f"<h2>Process</h2>{_facts(_process(now, tally))}"
        "</body></html>\n"
    )


def _cluster(now: Snapshot) -> list[tuple[str, str]]:
    link = now.link
    server = f" (Teleport {link.server_version})" if link.server_version else ""
    facts = [
        ("Cluster", (link.cluster or "not known yet") + server),
        ("Connection", f"up, {link.way}" if now.connected else f"down: {link.problem}"),
    ]
    if link.identity_ends is not None:
        left = (link.identity_ends - now.at).total_seconds()
        ends = f"expires in {span(left)}" if left > 0 else f"expired {span(-left)} ago"
        facts.append(("Identity", f"{link.identity_user}, {ends} ({when(link.identity_ends)})"))
    return facts


def _mail(now: Snapshot, tally: Tally) -> list[tuple[str, str]]:
    state = "up"
    if now.paused:
        state = f"paused: {now.paused}; next try in {span(now.next_probe_in)}"
    last = _ago(tally.last_delivery, now.at) if tally.last_delivery else "none since the start"
    return [("Mailer", f"{now.mailer}, {state}"), ("Last delivery", last)]


def _requests(now: Snapshot, tally: Tally) -> list[tuple[str, str]]:
    queue = f"{now.ready} wait for a worker, {now.working} being worked on, {now.delayed} for later"
    facts = [("Open", str(now.open)), ("Seen since the start", str(now.seen)), ("Queue", queue)]
    if now.oldest_waiting:
        facts.append(("Longest wait", span(now.oldest_waiting)))
    if tally.without_recipient:
        facts.append(("Nobody to tell", str(tally.without_recipient)))
    return facts


def _reviews(now: Snapshot) -> str:
    """Only where owners of Access Lists are reminded."""
    reviews = now.reviews
    if reviews is None:
        return ""
    looked = _ago(reviews.polled_at, now.at) if reviews.polled_at else "not yet"
    facts = [
        ("Open", str(reviews.open)),
        ("Overdue", str(reviews.overdue)),
        ("Looked through", looked),
    ]
    return f"<h2>Access List reviews</h2>{_facts(facts)}"


def _process(now: Snapshot, tally: Tally) -> list[tuple[str, str]]:
    reload = "none since the start"
    if tally.last_reload is not None:
        result = "done" if tally.last_reload_good else "refused, the old configuration stays in use"
        reload = f"{result}, {_ago(tally.last_reload, now.at)}"
    return [
        ("Version", __version__),
        ("Started", _ago(tally.started, now.at)),
        ("Reload", reload),
        ("Reconnections", str(tally.reconnects)),
        ("Ledger conflicts", str(tally.conflicts)),
        ("This page", when(now.at)),
    ]


def _open(requests: Sequence[OpenRequest], now: Snapshot) -> str:
    if not requests:
        return ""
    rows = [
        (
            request.id,
            request.state,
            str(request.reviews),
            when(request.expires) if request.expires else "",
            "told" if request.waiting is None else _waiting(request.waiting, request.waits),
        )
        for request in requests
    ]
    more = f"<p>and {now.open - len(requests)} more</p>" if now.open > len(requests) else ""
    return _table(("Request", "State", "Reviews", "Expires", "People"), rows) + more


def _waiting(seconds: float, waits: Sequence[Wait]) -> str:
    text = f"waiting for {span(seconds)}"
    if not waits:
        return text
    last = max(waits, key=lambda wait: wait.at)
    tries = f"{last.tries} tries" if last.tries > 1 else "one try"
    people = f"; {len(waits)} people" if len(waits) > 1 else ""
    return f"{text}{people}; {tries}, the last: {without_local_parts(last.reason)}"


def _messages(tally: Tally) -> str:
    rows = [
        (kind.replace("_", " "), *(str(tally.messages[kind, outcome]) for outcome in OUTCOMES))
        for kind in KINDS
    ]
    return _table(("", *(outcome.replace("_", " ") for outcome in OUTCOMES)), rows)


def _problems(problems: Sequence[Problem]) -> str:
    if not problems:
        return "<p>None since the start.</p>"
    rows = [
        (
            when(problem.at),
            problem.level,
            problem.event + (f" ({problem.times} times)" if problem.times > 1 else ""),
            problem.detail,
            problem.request,
        )
        for problem in problems
    ]
    return _table(("Last", "Level", "What", "Detail", "Request"), rows)


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    return f"<table>{rows}</table>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    titles = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f"<div><table><tr>{titles}</tr>{lines}</table></div>"


def _ago(moment: datetime, now: datetime) -> str:
    return f"{span((now - moment).total_seconds())} ago ({when(moment)})"


def span(seconds: float) -> str:
    """A duration for people, in its largest unit or two: ``3 d 4 h``, ``12 min``, ``8 s``."""
    left = max(0, round(seconds))
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
