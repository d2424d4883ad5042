"""What real shells complete with the scripts that the program prints."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from teleport_email import cli
from teleport_email.commands.completion import bash, fish, zsh
from teleport_email.commands.completion.tree import Command, described

SCRIPTS = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}
PROGRAM = described(cli.whole_parser())
# The words of the line, the last one as far as it is typed, and what is offered. {here} is a directory.
CASES = [
    ([""], {command.name for command in PROGRAM.commands}),
    (["se"], {"send-test"}),
    (["-c", "check", "ch"], {"check"}),
    (["-d", "--config=x", "expl"], {"explain"}),
    (["check", "--of"], {"--offline"}),
    (["check", "-c", "ls", "--js"], {"--json"}),
    (["-c", "{here}/"], {"inner", "a file"}),
    (["check", "-c", "{here}/in"], {"inner"}),
    (["preview", "-o", "{here}/"], {"inner"}),
    (["preview", "--kind", "requester-a"], {"requester-approved"}),
    (["completion", ""], {"bash", "zsh", "fish"}),
    (["sandbox", "--teleport", ""], {"12", "15", "17", "19"}),
    (["sandbox", "--dir", "request", "req"], {"request"}),
    (["sandbox", "request", "cr"], {"create"}),
    (["sandbox", "access-list", "create", "--own"], {"--owners", "--owner-lists"}),
    (["sandbox", "access-list", "create", "--recurrence", ""], {"1", "3", "6", "12"}),
    (["sandbox", "request", "review", "--a"], {"--author", "--approve"}),
    (["start", "--diag-addr", ""], set()),
    (["send-test", "--to", "a@example.com", "--conf"], {"--config"}),
]
BASH = """
source "$1"; shift
COMP_WORDS=(teleport-email "$@") COMP_CWORD=$#
compopt() { :; }
_teleport_email
printf '%s\\n' "${COMPREPLY[@]}"
"""


def run(*command: str | Path) -> list[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def completed(shell: str, script: Path, lines: list[list[str]]) -> list[set[str]]:
    """What the shell offers behind each line, without what it knows of it (descriptions, the way to a file)."""
    joined = [" ".join(["teleport-email", *words]) for words in lines]
    match shell:
        case "bash":
            # It takes a line apart at each = before it asks.
            split = [
                [part for word in words for part in word.replace("=", "\n=\n").split("\n")] for words in lines
            ]
            offered = [run("bash", "-c", BASH, "bash", script, *words) for words in split]
        case "zsh":
            told = run("zsh", "-f", Path(__file__).with_name("capture.zsh"), script, *joined)
            offered = _parts(told)
        case _:
            ask = "source $argv[1]; for line in $argv[2..-1]; complete -C $line; echo '====='; end"
            told = run("fish", "--no-config", "-c", ask, str(script), *joined)
            offered = _parts(told)
    return [{_plain(each) for each in found if each} for found in offered]


def _parts(told: list[str]) -> list[list[str]]:
    """What was told about each line; a mark stands behind each."""
    ends = [index for index, each in enumerate(told) if each == "====="]
    return [told[begin:end] for begin, end in zip([0, *(end + 1 for end in ends)], ends, strict=False)]


def _plain(offered: str) -> str:
    return offered.partition("\t")[0].rstrip("/=").rpartition("/")[2].replace("\\ ", " ")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_shell_completes(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    here = tmp_path / "here"
    (here / "inner").mkdir(parents=True)
    (here / "a file").touch()
    script = tmp_path / "script"
    script.write_text(SCRIPTS[shell](PROGRAM))
    lines = [[word.format(here=here) for word in words] for words, _ in CASES]
    found = completed(shell, script, lines)
    assert {str(words): offered for (words, _), offered in zip(CASES, found, strict=False)} == {
        str(words): expected for words, expected in CASES
    }


@pytest.mark.parametrize("command", list(PROGRAM.all()), ids=lambda command: command.path or "none")
def test_every_option_is_offered_and_described(command: Command) -> None:
    assert command.help or command is PROGRAM
    for option in (*command.options, *command.operands):
        assert option.help, option
        for flag in option.flags:
            for script in (bash.script, zsh.script):
                assert flag in script(PROGRAM)


def test_the_command_prints_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    for shell, script in SCRIPTS.items():
        assert cli.main(["completion", shell]) == 0
        assert capsys.readouterr().out == script(PROGRAM)


def test_what_is_hidden_from_help_is_not_offered() -> None:
    [sandbox] = [command for command in PROGRAM.commands if command.name == "sandbox"]
    assert "--json" not in {flag for option in sandbox.options for flag in option.flags}


def test_another_shell_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["completion", "tcsh"])
    assert caught.value.code == 2
