"""The script for fish. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .tree import Command, Option

_SCRIPT: Final = """\
# fish completion for teleport-email, made by `teleport-email completion fish`.
function __teleport_email_at --description 'Whether the words before the cursor have led to this command'
    set -l at
    set -l value
    for word in (commandline -opc)[2..-1]
        if test -n "$value"
            set value
            continue
        end
        switch "$at:$word"
{walk}
        end
    end
    test "$at" = "$argv[1]"
end
complete -c teleport-email -e
complete -c teleport-email -f
{lines}
"""
_WAYS: Final = {"file": "-r -F", "directory": "-x -a '(__fish_complete_directories)'", "anything": "-x"}


def script(program: Command) -> str:
    """What ``teleport-email.fish`` in a directory of ``$fish_complete_path`` holds."""
    walk = [line for command in program.all() for line in _walk(command)]
    indented = "\n".join(" " * 12 + line for line in walk)
    return _SCRIPT.format(walk=indented, lines="\n".join(_lines(program)))


def _walk(command: Command) -> Iterator[str]:
    flags = [flag for option in command.options if option.takes != "nothing" for flag in option.flags]
    if flags:
        yield f"case {' '.join(_quoted(f'{command.path}:{flag}') for flag in flags)}"
        yield "    set value 1"
    for inner in command.commands:
        yield f"case {_quoted(f'{command.path}:{inner.name}')}"
        yield f"    set at {_quoted(inner.path)}"


def _lines(program: Command) -> Iterator[str]:
    for command in program.all():
        here = f"complete -c teleport-email -n {_quoted(f'__teleport_email_at {_quoted(command.path)}')}"
        for inner in command.commands:
            yield f"{here} -a {_quoted(inner.name)} -d {_quoted(inner.help)}"
        for operand in command.operands:
            if operand.words:
                yield f"{here} -a {_quoted(' '.join(operand.words))}"
        for option in command.options:
            flags = " ".join(
                f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags
            )
            yield f"{here} {flags}{_way(option)} -d {_quoted(option.help)}"


def _way(option: Option) -> str:
    if option.takes == "nothing":
        return ""
    if option.takes == "word":
        return f" -x -a {_quoted(' '.join(option.words))}"
    return f" {_WAYS[option.takes]}"


def _quoted(text: str) -> str:
    """For fish, whose single quotes know two escapes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
