"""Commands, options, exit codes."""

import argparse
import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from teleport_email import __version__, cli, config
from teleport_email.commands import add_config_options, configure, version
from teleport_email.config.keys import KEYS
from teleport_email.config.settings import SmtpSettings
from teleport_email.core.errors import (
    ConfigError,
    Denied,
    Fault,
    IdentityExpired,
    IdentityNotYetValid,
    Unreachable,
)

ROOT = Path(__file__).parents[1]


@pytest.fixture
def fake_start(monkeypatch: pytest.MonkeyPatch) -> list[argparse.Namespace]:
    """A ``start`` that only notes its arguments."""
    seen: list[argparse.Namespace] = []

    def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        parser = subparsers.add_parser("start")
        add_config_options(parser)
        parser.set_defaults(run=lambda options: seen.append(options) or 0)

    module = types.ModuleType("teleport_email.commands.start")
    module.add_parser = add_parser  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "teleport_email.commands.start", module)
    return seen


@pytest.mark.parametrize(
    ("arguments", "path", "debug"),
    [
        (["start"], "/etc/teleport-email.toml", False),
        (["start", "--config=/x"], "/x", False),
        (["start", "--config", "/x", "--debug"], "/x", True),
        (["start", "-c", "/x", "-d"], "/x", True),
        (["start", "-c/x"], "/x", False),
        (["--config=/x", "start"], "/x", False),
        (["-c", "/x", "-d", "start"], "/x", True),
        (["-d", "-c", "start", "start"], "start", True),
        (["-dc", "/x", "start"], "/x", True),
        (["--config", "/a", "start", "--config", "/x"], "/x", False),
        (["start", "--no-debug"], "/etc/teleport-email.toml", False),
        (["--debug", "start", "--no-debug"], "/etc/teleport-email.toml", False),
        (["--no-debug", "start", "-d"], "/etc/teleport-email.toml", True),
    ],
)
def test_the_go_plugins_options_work_before_and_behind(
    fake_start: list[argparse.Namespace], arguments: list[str], path: str, debug: bool
) -> None:
    assert cli.main(arguments) == 0
    assert (fake_start[0].config, fake_start[0].debug) == (path, debug)


@pytest.mark.parametrize(
    "arguments", [["strat"], ["start", "--no-such"], ["start", "extra"], ["-x"], ["start", "-c"]]
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: teleport-email" in capsys.readouterr().err


def test_no_command_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "send-test" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["help"], "send-test"),
        (["help", "start"], "usage: teleport-email start"),
        (["help", "check"], "--strict"),
    ],
)
def test_help(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 0
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            ConfigError([Fault("smtp.port", "is odd"), Fault("log", "is gone")]),
            78,
            "  smtp.port: is odd\n  log: is gone",
        ),
        (IdentityExpired("/i: expired at noon"), 78, "/i: expired at noon"),
        (IdentityNotYetValid("/i: not valid before noon"), 1, "/i: not valid before noon"),
        (Unreachable("nobody there"), 1, "nobody there"),
        (Denied("listing: access denied"), 1, "access denied:\n  `teleport-email check` says whose identity"),
        (KeyboardInterrupt(), 1, ""),
    ],
)
def test_errors_become_exit_codes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    def fail(_: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr("teleport_email.commands.version.run", fail)
    assert cli.main(["version"]) == code
    assert said in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version"]) == 0
    assert re.fullmatch(
        r"teleport-email v\d+\.\d+\.\d+ \(Python 3\.\d+\.\d+, grpcio \d+\.\d+\.\d+\)\n",
        capsys.readouterr().out,
    )


def test_version_as_json_has_the_commit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["version", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == f"v{__version__}"
    assert set(found) == {"version", "commit", "python", "grpcio"}
    assert re.fullmatch(r"([0-9a-f]{40})?", found["commit"])
    package = tmp_path / "src" / "teleport_email"
    package.mkdir(parents=True)
    assert version.commit(package) == "", "neither built nor a checkout"
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-C", str(tmp_path)]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert version.commit(package) == head
    (package / "_commit").write_text("0" * 40 + "\n")
    assert version.commit(package) == "0" * 40, "what it was built from"


def test_configure_prints_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["configure"]) == 0
    assert capsys.readouterr().out == (ROOT / "examples/teleport-email.toml").read_text()


def filled_in(text: str) -> str:
    return re.sub(r"<([^<>]*)>", r"\1", text)


def test_the_example_is_valid_once_its_placeholders_are_filled_in(tmp_path: Path) -> None:
    (tmp_path / "smtp_password").write_text("secret\n")
    text = filled_in(configure.boilerplate()).replace("/var/lib/teleport-email/smtp", f"{tmp_path}/smtp")
    found = config.parse(text, environ={})
    assert found.warnings == ()
    assert isinstance(found.mailer, SmtpSettings)
    assert found.mailer.auth == "password"


def test_the_example_complains_about_placeholders_left() -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(configure.boilerplate(), environ={})
    assert {fault.path for fault in caught.value.faults} == {
        "teleport.addr",
        "smtp.host",
        "smtp.username",
        "smtp.password_file",
        "delivery.sender",
        'role_to_recipients."*"',
    }


def test_the_example_names_every_key_and_its_comments_are_valid_too() -> None:
    text = configure.boilerplate()
    for keys in KEYS.values():
        for key in keys:
            assert re.search(rf"^(# )?\[?(smtp\.)?{key}\b", text, flags=re.MULTILINE), key
    # Every commented line, alone with its section, is known and of the right type.
    section, checked = "", 0
    for line in text.splitlines():
        if header := re.fullmatch(r"(?:# )?(\[[a-z0-9_.]+\])", line):
            section = header[1]
        elif (option := re.fullmatch(r'# ("?[a-z_*-]+"? = .*)', line)) and "/" not in line:
            checked += 1
            with pytest.raises(ConfigError) as caught:
                config.parse(f"{section}\n{filled_in(option[1])}", environ={}, read_secrets=False)
            key = f"{section.strip('[]')}.{option[1].split(' ')[0]}".lstrip(".")
            wrong = [fault for fault in caught.value.faults if fault.path == key]
            assert not wrong or "excludes" in wrong[0].what, wrong
    assert checked > 30


def test_light_commands_import_nothing_heavy() -> None:
    script = (
        "import sys; from teleport_email.cli import main; main([sys.argv[1]]); "
        "heavy = {'grpc', 'structlog', 'tomli', 'jinja2', 'httpcore', 'asyncio', 'ssl', 'cryptography'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    for command in ("version", "configure"):
        done = subprocess.run(
            [sys.executable, "-c", script, command], capture_output=True, text=True, check=True
        )
        assert done.stderr == "[]\n"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The line run by bash, with ``it`` for the program and no more than this environment."""
    command = f'it() {{ {sys.executable} -m teleport_email "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", command],
        capture_output=True, text=True, check=True, env={"PATH": os.defpath, "HOME": "", **environment},
    )  # fmt: skip


@pytest.mark.parametrize("command", ["configure", "configure --schema", "--help", "completion zsh"])
def test_a_reader_that_has_enough_is_no_error(command: str) -> None:
    done = shell(f"it {command} | true; echo ${{PIPESTATUS[0]}}")
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["configure", "--help"])
def test_a_full_disk_is_told(command: str) -> None:
    done = shell(f"it {command} >/dev/full; echo $?")
    assert done.stderr == "teleport-email: not all could be written: No space left on device\n"
    assert done.stdout == "1\n"


def test_without_a_standard_output_the_exit_code_remains(tmp_path: Path) -> None:
    done = shell("it version >&-; code=$?; it check -c /nonexistent >&- 2>&-; echo $code $?")
    assert (done.stdout, done.stderr) == ("0 78\n", "")


def test_a_locale_without_the_letters_gets_them_escaped(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        '[delivery]\nsender = "x"\n[role_to_recipients]\n"*" = "no address: r\u00f4le"\n', "utf-8"
    )
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell(f"it check -c {config} || true", **ascii_only)
    assert "r\\xf4le" in done.stdout
    assert done.stderr == ""
