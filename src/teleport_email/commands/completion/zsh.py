"""The script for zsh: a function for each command, to be sourced or put into ``$fpath``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote
from typing import Final

from .tree import Command, Option

_SCRIPT: Final = """\
#compdef teleport-email
# zsh completion for teleport-email, made by `teleport-email completion zsh`.
{functions}
if [[ $funcstack[1] == _teleport-email ]]; then
    _teleport-email "$@"
else
    compdef _teleport-email teleport-email
fi
"""
_WAYS: Final = {"file": "_files", "directory": "_files -/", "anything": " "}


def script(program: Command) -> str:
    """What ``_teleport-email`` in a directory of ``$fpath`` holds, or ``source <(...)`` runs."""
    return _SCRIPT.format(functions="\n".join(_function(command) for command in program.all()))


def _function(command: Command) -> str:
    arguments = [quote(each) for option in command.options for each in _arguments(option)]
    arguments += [quote(_operand(operand)) for operand in command.operands]
    body = ["local curcontext=$curcontext state line", "typeset -A opt_args"]
    if command.commands:
        arguments += ["'(-)1: :->command'", "'(-)*:: :->rest'"]
    body.append(" \\\n        ".join(["_arguments -C -s", *arguments]))
    if command.commands:
        lines = [quote(f"{inner.name}:{inner.help}") for inner in command.commands]
        cases = [f"{inner.name}) {_name(inner)} ;;" for inner in command.commands]
        body += [
            "case $state in",
            "command)",
            "    local -a commands=(\n            " + "\n            ".join(lines) + "\n        )",
            "    _describe command commands ;;",
            "rest)",
            "    case $words[1] in",
            *(f"    {case}" for case in cases),
            "    esac ;;",
            "esac",
        ]
    return f"{_name(command)}() {{\n    " + "\n    ".join(body) + "\n}\n"


def _name(command: Command) -> str:
    return "-".join(("_teleport-email", *command.words))


def _arguments(option: Option) -> Iterator[str]:
    """One argument of ``_arguments`` for each flag; the others of the same option are excluded by it."""
    excluded = "*" if option.repeatable else f"({' '.join(option.flags)})"
    for flag in option.flags:
        if option.takes == "nothing":
            yield f"{excluded}{flag}[{_plain(option.help)}]"
        else:
            joined = "=" if flag.startswith("--") else "+"
            yield f"{excluded}{flag}{joined}[{_plain(option.help)}]:{_plain(option.metavar)}:{_way(option)}"


def _operand(operand: Option) -> str:
    return f":{_plain(operand.help or operand.metavar)}:{_way(operand)}"


def _way(option: Option) -> str:
    return f"({' '.join(option.words)})" if option.takes == "word" else _WAYS[option.takes]


def _plain(text: str) -> str:
    """A text in which nothing means anything to ``_arguments``."""
    return re.sub(r"([\\\[\]:])", r"\\\1", text)
