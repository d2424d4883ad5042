"""What users, servers and ledgers say, on the terminal of an operator: a cell is a cell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleport_email import cli
from teleport_email.commands import check, explain, send_test, show
from teleport_email.commands.cells import LONGEST, cell, columns, indented
from teleport_email.commands.checks.line import fault
from teleport_email.core.ledger import Entry, Ledger, Mark, Party
from teleport_email.core.model import AccessRequest, Kind, Temporary, Topic
from teleport_email.routing.route import Reason, Route, RuleVerdict, Skipped

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
]


def harmless(line: str) -> bool:
    return line.isprintable() and len(line) < 10 * LONGEST


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
        yield from show._lines(text, seen, ledger, list(show.table("id", ledger)), [])


def explained(text: str) -> Iterator[str]:
    request = AccessRequest(id=text, user=text, roles=(text,))
    route = Route(
        recipients=(text,),
        reasons=(Reason(text, text),),
        skipped=(Skipped(text, text),),
        verdicts=(RuleVerdict(text, matched=False, why=text),),
        problem=text,
    )
    yield from explain._lines([explain.Explained(request, route, ("", text), (text,))])


def checked(text: str) -> Iterator[str]:
    check._print(fault("mail", text, text), coloured=False)
    yield from ()


def sent(text: str) -> Iterator[str]:
    yield from send_test.describe(Temporary(text))[0].splitlines()


def complained(text: str) -> Iterator[str]:
    cli._complain("what", [text])
    yield from ()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("printed", [shown, explained, checked, sent, complained])
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
    ledger = dataclasses.replace(
        ledger, parties=(ledger.parties[0].with_entry(Kind(Topic.ANNOUNCEMENT), done),)
    )
    lines = list(show._lines("id", None, ledger, list(show.table("id", ledger)), []))
    assert lines[2] == "a@x.example  announcement  delivered  2026-11-22 00:00:00  by the Go plugin"
