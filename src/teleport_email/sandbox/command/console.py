"""Lines for people: colours on a terminal only, and nothing in them that could steer the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TextIO

from teleport_email.sandbox.mail.mailbox import ReceivedMail

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


class Console:
    """Writes to ``stream``. ``NO_COLOR`` in ``environ`` turns colours off (no-color.org)."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._stream = stream
        self.terminal = stream.isatty()
        self._colours = self.terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"

    def line(self, text: str = "") -> None:
        """Write one line, at once."""
        print(text, file=self._stream, flush=True)

    def style(self, text: str, *styles: str) -> str:
        """The text in bold, green ... where the terminal can do it."""
        if not self._colours:
            return text
        return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m"

    def mail(self, mail: ReceivedMail, width: int = 0) -> None:
        """One line about a message that came in: to whom, and how it begins."""
        who = printable(", ".join(mail.envelope_to)).ljust(width)
        self.line(f"  {self.style('✉', 'cyan')} {self.style(who, 'bold')}  {headline(mail)}")


def headline(mail: ReceivedMail) -> str:
    """The first line of a message's text, with the state where it leaves that open; or its subject."""
    first = next((line for line in mail.text.splitlines() if line.strip()), mail.subject)
    state = mail.header("X-Teleport-State") if first.startswith("Role Request has been resolved:") else ""
    return printable(f"{first} {state}").rstrip(": ")


def printable(text: str) -> str:
    """The text without anything that moves a cursor or changes a colour; at most 200 characters."""
    return "".join(char if char.isprintable() else "�" for char in text[:200])
