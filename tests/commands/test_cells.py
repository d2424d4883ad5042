"""What users, servers and ledgers say, on the terminal of an operator: a cell is a cell."""

from __future__ import annotations

import argparse
import json
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from teleport_email import cli
from teleport_email.commands import check, explain, explain_list, ls, retry, send_test, show, told
from teleport_email.commands.cells import LONGEST, cell, columns, indented
from teleport_email.commands.checks.line import fault
from teleport_email.config.settings import (
    DeliverySettings,
    LogSettings,
    Secret,
    Settings,
    SmtpSettings,
    TeleportSettings,
)
from teleport_email.core import go_plugin, informing
from teleport_email.core.audits import Audit
from teleport_email.core.decide import Due
from teleport_email.core.informing import Wait
from teleport_email.core.ledger import LEDGER_KEY, Entry, Ledger, Mark, Party
from teleport_email.core.ledger_json import dumps
from teleport_email.core.model import (
    AccessRequest,
    Delivered,
    Kind,
    Refused,
    RequestState,
    ResourceID,
    Review,
    Temporary,
    Topic,
)
from teleport_email.routing.route import Reason, Route, RuleVerdict, Skipped
from teleport_email.sandbox.command import access_list_command, request_command

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SETTINGS = Settings(
    teleport=TeleportSettings(),
    mailer=SmtpSettings(host="localhost", password=Secret("")),
    delivery=DeliverySettings(sender="t@example.com"),
    role_to_recipients={},
    log=LogSettings(),
)

HOSTILE = [
    "a\nFORGED  announcement  delivered",
    "a\r\nb",
    "\x1b[2J\x1b]0;owned\x07x",
    "a\x9b31mb",
    "\u202eevil",
    "a\u2028b\u2029c\x85d\x0be\x0cf",
    "\u200b\u2066x\u00ad",
    "\x00\x08\x7f",
    "\ud800",
    "x" * 100_000,
    "\t" * 100,
    "a   b     FORGED",
    "a\u00a0\u2003\u3000b",
    "".join(map(chr, range(0x20))) + "".join(map(chr, range(0x7F, 0xA0))),
    "".join(map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)])),
    "x\u061c\ufeff\ufff9\ufffa\ufffb\U000e0001\U000e0041\u3164\u115f\u2800\u180e",
    "e" + "\u0301" * 500,
    "\u05d0\u05d1\u202c\u2069 1 2 3",
    "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\\x1b[6n\x05",
]


def harmless(line: str) -> bool:
    hidden = any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in line)
    return line.isprintable() and not hidden and "\u0301" * 5 not in line and len(line) < 10 * LONGEST


@given(st.text() | st.sampled_from(HOSTILE))
def test_a_cell_is_one_printable_line(text: str) -> None:
    assert harmless(cell(text))
    assert cell(cell(text)) == cell(text)
    assert harmless(indented(text))


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5))
def test_rows_stay_rows(rows: list[tuple[str, str, str]]) -> None:
    lines = list(columns(rows))
    assert len(lines) == len(rows)
    assert all(map(harmless, lines))


def test_indentation_that_means_something_is_kept() -> None:
    assert indented("    - resources: [x]\x1b") == "    - resources: [x]"


def shown(text: str) -> Iterator[str]:
    """``show`` of a request and a ledger that have it everywhere."""
    ledger = Ledger(
        nonce="0" * 32,
        owner=text,
        parties=(
            Party(text, entries={Kind(Topic.ANNOUNCEMENT): Entry(Mark.GIVEN_UP, 1, text)}),
            Party("b@x.example", entries={Kind(Topic.ANNOUNCEMENT): Entry(Mark.DELIVERED, 1, "")}),
        ),
    )
    request = AccessRequest(id=text, user=text, roles=(text, "dba"))
    for seen in (request, None):
        rows = list(show.table("id", ledger))
        waits = [told.Waiting(told.name_of(ledger.parties[0]), "announcement", 2, NOW, NOW, cell(text))]
        yield from show._lines(show._Shown(text, seen, ledger, rows, waits, told.Escalation(NOW, (text,))))


def listed(text: str) -> Iterator[str]:
    """``ls``, where the request and the ledger have it everywhere, and where the ledger cannot be read."""
    entries = {
        Kind(Topic.ANNOUNCEMENT): Entry(Mark.DELIVERED, 1),
        Kind(Topic.REVIEW, 1): Entry(Mark.GIVEN_UP, 1, text),
        Kind(Topic.REVIEW, 2): Entry(Mark.ATTEMPTED),
    }
    waits = informing.with_waiting({}, Wait(1, 2, 3, text))
    ledger = Ledger(
        nonce="0" * 32,
        domain=text,
        owner=text,
        parties=(
            Party(text, entries=entries, info=waits),
            Party(f"{text}2", entries={Kind(Topic.ANNOUNCEMENT): Entry(Mark.DELIVERED, 1)}),
        ),
    ).freeze(Kind(Topic.REVIEW, 2), "blob")
    reviews = (Review(text, RequestState.APPROVED),) * 2
    request = AccessRequest(id=text, user=text, roles=(text, text), reviews=reviews)
    for written in (dumps(ledger), text, f'{{"v":1,"n":{json.dumps(text)}}}', json.dumps({"v": text})):
        yield from ls._lines([ls.listed_of(request, {LEDGER_KEY: written}, SETTINGS)], failed=False)


def retried(text: str) -> Iterator[str]:
    due = Due(text, requester=False, kind=Kind(Topic.ANNOUNCEMENT))
    for outcome in (Temporary(text), Delivered(text), Refused(text)):
        retry._Spoken().sent(due, outcome, 1.0)
    entries = {Kind(Topic.ANNOUNCEMENT): Entry(Mark.GIVEN_UP, 1, text)}
    ledger = Ledger(nonce="0" * 32, domain=text, parties=(Party(text, entries=entries),))
    lost = told.given_up(text, ledger)
    waits = [told.Waiting(told.name_of(ledger.parties[0]), "announcement", 2, NOW, NOW, cell(text))]
    yield from retry._lines([one.recipient for one in lost], lost, waits)
    yield from retry._lines([one.recipient for one in lost], [], [])


def sandboxed(text: str) -> Iterator[str]:
    review = {"author": text, "state": "APPROVED", "reason": text}
    request = {
        "id": text, "user": text, "roles": [text], "resources": [text], "state": "PENDING", "created": None,
        "expires": None, "reviews": [review],
    }  # fmt: skip
    request_command._show(argparse.Namespace(format="text"), request)
    yield from request_command.table([request, request], NOW).split("\n")
    owned = {
        "name": text, "title": text, "owners": [text], "owner_lists": [text], "members": 1, "member_lists": 1,
        "due": None, "roles": [text], "description": text,
    }  # fmt: skip
    access_list_command._show(argparse.Namespace(format="text"), owned)
    for act in (access_list_command._review, access_list_command._delete):
        act(argparse.Namespace(format="text", name=text), lambda *_, **__: owned)
    yield from access_list_command.table([owned, owned], NOW).split("\n")


def explained(text: str) -> Iterator[str]:
    resource = ResourceID(text, text, text)
    request = AccessRequest(id=text, user=text, roles=(text,), resources=(resource,))
    route = Route(
        recipients=(text,),
        reasons=(Reason(text, text),),
        skipped=(Skipped(text, text),),
        verdicts=(RuleVerdict(text, matched=False, why=text, remarks=(text,)),),
        problem=text,
    )
    yield from explain._lines(
        [
            explain.Explained(
                request, route, route, 60.0, requester=("", text), notes=(text,), names={resource: text}
            )
        ]
    )


def explained_list(text: str) -> Iterator[str]:
    audit = Audit(text, NOW, NOW, title=text, description=text, members=1, roles=(text,))
    told = explain_list.Told("given up", NOW, text)
    recipients = (explain_list.Recipient(text, text, (told,), text),)
    route = Route(skipped=(Skipped(text, text),), problem=text)
    yield from explain_list.lines(
        explain_list.ExplainedList(audit, NOW, True, text, route, recipients, notes=(text,))
    )


def checked(text: str) -> Iterator[str]:
    check._print(fault("mail", text, text, f"    {text}"), coloured=False)
    yield from ()


def sent(text: str) -> Iterator[str]:
    yield from send_test.describe(Temporary(text))[0].splitlines()


def complained(text: str) -> Iterator[str]:
    cli._complain("what", [text])
    yield from ()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "printed", [shown, listed, retried, explained, explained_list, checked, sent, complained, sandboxed]
)
def test_no_command_lets_foreign_text_forge_a_line_or_move_the_cursor(
    printed: Callable[[str], Iterator[str]], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def lines(value: str) -> list[str]:
        said = list(printed(value))
        captured = capsys.readouterr()
        return said + (captured.out + captured.err).split("\n")

    hostile, plain = lines(text), lines("plain")
    assert all(map(harmless, hostile))
    if printed is not complained:  # the lines of one of our own errors are lines, indented
        assert len(hostile) == len(plain)


def test_a_long_name_does_not_push_the_others_away() -> None:
    long, short = columns([("x" * 500, "1"), ("a", "2")])
    assert len(short) < 100
    assert long.endswith("  1")


def test_what_is_in_the_cells_stays_readable() -> None:
    ledger = Ledger(nonce="0" * 32, parties=(Party("a@x.example", entries={}),))
    done = Entry(Mark.DELIVERED, int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()), "go")
    ledger = structs.replace(ledger, parties=(ledger.parties[0].with_entry(Kind(Topic.ANNOUNCEMENT), done),))
    lines = list(show._lines(show._Shown("id", None, ledger, list(show.table("id", ledger)), [], None)))
    assert lines[2] == "a@x.example  announcement  delivered  2026-11-22 00:00:00  by the Go plugin"


def test_no_more_reviews_are_shown_than_the_request_has() -> None:
    """The Go plugin's count can be anything, and each costs an entry for each thread."""
    threads = ",".join(f"u{number}@x.example/2026-11-22 12:00:00 +0000 UTC/m@vm" for number in range(50))
    data = {"user": "u", "reviews_count": "999999", "email_threads": threads}
    request = AccessRequest("id", "u", ("dev",), reviews=(Review("r", RequestState.APPROVED),))
    listed = ls.listed_of(request, data, SETTINGS)
    assert len(listed.told) == 50
    rows = list(told.table("id", go_plugin.read(data, len(request.reviews))))
    assert len(rows) == 100
