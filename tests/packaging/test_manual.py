"""The manual page against the parser: the same commands, and of each the same options, taking the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from teleport_email import __version__, cli
from teleport_email.commands.completion.tree import Command, described

MANUALS = Path(__file__).parents[2] / "packaging/man"
PROGRAM = described(cli.whole_parser())
# Described once, under OPTIONS.
EVERYWHERE = {flag for option in PROGRAM.options for flag in option.flags}


def manual() -> str:
    """Without roff's fonts and escapes."""
    text = (MANUALS / "teleport-email.1").read_text()
    return re.sub(r"\\f[BIP]", "", text).replace("\\-", "-")


def sections() -> dict[str, str]:
    """What is said about each command."""
    commands = manual().partition(".SH COMMANDS\n")[2].partition("\n.SH OPTIONS")[0]
    return dict(re.findall(r"^\.SS (\S+)\n(.*?)(?=^\.SS |\Z)", commands, re.MULTILINE | re.DOTALL))


def options(text: str) -> set[tuple[frozenset[str], str]]:
    """Flags and metavar of each option that has a paragraph of its own."""
    found = set()
    for line in re.findall(r"^\.TP\n(-.*)$", text, re.MULTILINE):
        flags = re.findall(r"(?:^|, )(-[\w-]+)", line)
        found.add((frozenset(flags), line.partition(flags[-1])[2].strip()))
    return found


def of_parser(command: Command, without: set[str]) -> set[tuple[frozenset[str], str]]:
    return {
        (frozenset(option.flags), "" if option.takes == "nothing" else option.metavar)
        for option in command.options
        if not without & set(option.flags)
    }


def test_the_commands_are_those_of_the_parser_in_its_order() -> None:
    assert list(sections()) == [command.name for command in PROGRAM.commands]


@pytest.mark.parametrize("command", PROGRAM.commands, ids=lambda command: command.name)
def test_a_command_has_the_options_and_operands_of_the_parser(command: Command) -> None:
    text = sections()[command.name]
    assert options(text) == of_parser(command, EVERYWHERE)
    assert all(operand.metavar in text for operand in command.operands)


def test_the_options_of_all_commands() -> None:
    part = manual().partition("\n.SH OPTIONS\n")[2].partition("\n.SH ")[0]
    assert options(part) == of_parser(PROGRAM, set())


@pytest.mark.parametrize("page", sorted(MANUALS.iterdir()), ids=lambda page: page.name)
def test_the_version_is_this_one(page: Path) -> None:
    version = ".".join(__version__.split(".")[:2])
    assert f'"teleport\\-email {version}"' in page.read_text().splitlines()[0]
