"""The script for bash. It needs no package bash-completion. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote
from typing import Final

from .tree import Command, Option

_SCRIPT: Final = """\
# bash completion for teleport-email, made by `teleport-email completion bash`.
_teleport_email() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} at= value= words= i
    COMPREPLY=()
    # bash hands over --option=value as three words.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${{COMP_WORDS[COMP_CWORD-2]}}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ $value ]]; then
            [[ ${{COMP_WORDS[i]}} == = ]] || value=
            continue
        fi
        case $at:${{COMP_WORDS[i]}} in
{walk}
        esac
    done
    case $at:$prev in
{values}
    esac
    if [[ $cur == -* ]]; then
        case $at in
{options}
        esac
    else
        case $at in
{operands}
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}}
complete -F _teleport_email teleport-email
"""
_WAYS: Final = {
    "file": 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return',
    "directory": 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return',
    "anything": "return",
}


def script(program: Command) -> str:
    """What ``source <(teleport-email completion bash)`` runs."""
    commands = list(program.all())
    walk = [
        *(
            f"{' | '.join(_at(command, option))}) value=1 ;;"
            for command in commands
            for option in command.options
            if option.takes != "nothing"
        ),
        *(
            f"{quote(f'{command.path}:{inner.name}')}) at={quote(inner.path)} ;;"
            for command in commands
            for inner in command.commands
        ),
    ]
    values = [
        f"{' | '.join(_at(command, option))}) {_way(option)} ;;"
        for command in commands
        for option in command.options
        if option.takes != "nothing"
    ]
    options = [
        _words(command, (flag for option in command.options for flag in option.flags)) for command in commands
    ]
    operands = [
        _words(
            command,
            [
                *(inner.name for inner in command.commands),
                *(word for operand in command.operands for word in operand.words),
            ],
        )
        for command in commands
    ]
    return _SCRIPT.format(
        walk=_block(walk), values=_block(values, 8), options=_block(options), operands=_block(operands)
    )


def _at(command: Command, option: Option) -> list[str]:
    return [quote(f"{command.path}:{flag}") for flag in option.flags]


def _way(option: Option) -> str:
    if option.takes == "word":
        return f'mapfile -t COMPREPLY < <(compgen -W {quote(" ".join(option.words))} -- "$cur"); return'
    return _WAYS[option.takes]


def _words(command: Command, words: Iterable[str]) -> str:
    joined = " ".join(words)
    return f"{quote(command.path)}) words={quote(joined)} ;;" if joined else ""


def _block(lines: Iterable[str], indent: int = 12) -> str:
    return "\n".join(" " * indent + line for line in lines if line)
