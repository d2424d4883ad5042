"""Lines for people: no colour where none belongs, nothing that steers the terminal."""

from __future__ import annotations

import io

import pytest

from teleport_email.sandbox.command.console import Console, headline, printable
from teleport_email.sandbox.mail.mailbox import ReceivedMail


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_on_a_terminal_only(stream, environ, coloured):
    console = Console(stream, environ)
    console.line(console.style("hello", "bold", "green"))
    assert ("\x1b[1;32m" in stream.getvalue()) is coloured
    assert "hello" in stream.getvalue()


def test_what_mails_contain_cannot_steer_the_terminal():
    raw = "Subject: s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\x1b[2Jevil\x07\u202e:\r\n"
    mail = ReceivedMail(1, "", ("a\x1b[31m@example.com",), raw.encode())
    out = io.StringIO()
    Console(out, {}).mail(mail)
    assert out.getvalue() == "  ✉ a�[31m@example.com  �[2Jevil��\n"


def test_headlines():
    assert (
        headline(ReceivedMail(1, "", (), b"Subject: s\r\n\r\n\r\n\r\nYou have mail:\r\nx\r\n"))
        == "You have mail"
    )
    assert headline(ReceivedMail(1, "", (), b"Subject: s\r\n\r\n")) == "s"
    assert len(printable("x" * 1000)) == 200
