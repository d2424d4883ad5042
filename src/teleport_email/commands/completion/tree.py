"""The parser as values: commands with their options, operands and commands below them. Pure.

What an option takes is told by its choices or its metavar, FILE or DIR; of all else a shell knows nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct, field

Takes = Literal["nothing", "file", "directory", "word", "anything"]
_BY_METAVAR: Final[dict[object, Takes]] = {"FILE": "file", "DIR": "directory"}


class Option(Struct, frozen=True):
    """An option, or with no ``flags`` an operand. ``words``: the choices, where it takes one of some."""

    flags: tuple[str, ...]
    takes: Takes
    words: tuple[str, ...]
    metavar: str
    help: str
    repeatable: bool


class Command(Struct, frozen=True):
    """A command by its words (none: the program itself), and the commands below it."""

    words: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    operands: tuple[Option, ...]
    commands: tuple[Command, ...] = field(default=())

    @property
    def name(self) -> str:
        """The last of its words."""
        return self.words[-1] if self.words else ""

    @property
    def path(self) -> str:
        """Its words, as people type them behind the program's name."""
        return " ".join(self.words)

    def all(self) -> Iterator[Command]:
        """This one and all below it."""
        yield self
        for command in self.commands:
            yield from command.all()


def described(parser: argparse.ArgumentParser, words: tuple[str, ...] = (), line: str = "") -> Command:
    """The parser's tree. What is hidden from help is hidden here."""
    options: list[Option] = []
    operands: list[Option] = []
    commands: list[Command] = []
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            lines = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
            for name, inner in action.choices.items():
                commands.append(described(inner, (*words, name), lines.get(name, "")))
        elif action.help != argparse.SUPPRESS:
            (options if action.option_strings else operands).append(_option(action))
    return Command(words, line, tuple(options), tuple(operands), tuple(commands))


def _option(action: argparse.Action) -> Option:
    words = tuple(str(choice) for choice in action.choices or ())
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    takes: Takes = "nothing"
    if action.nargs != 0:
        takes = "word" if words else _BY_METAVAR.get(metavar, "anything")
    return Option(
        tuple(action.option_strings),
        takes,
        words,
        metavar,
        (action.help or "").replace("%%", "%"),
        isinstance(action, argparse._AppendAction),  # noqa: SLF001
    )
