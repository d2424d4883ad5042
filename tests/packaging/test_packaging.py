"""What is shipped beside the code: the unit, the manual pages, logrotate, the installer, the documents."""

import ast
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from teleport_email.config.keys import KEYS

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging/systemd/teleport-email.service"
MANUALS = sorted((ROOT / "packaging/man").iterdir())


def run(*command: str, **environ: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=os.environ | environ, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def needs(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"{tool} is not installed here")
    return path


def unit_values(key: str) -> list[str]:
    return [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith(f"{key}=")]


def test_the_unit_is_hardened() -> None:
    run(needs("systemd-analyze"), "security", "--offline=true", "--threshold=15", str(UNIT))


def test_the_unit_is_understood() -> None:
    analyze = needs("systemd-analyze")
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(UNIT)], capture_output=True, text=True, check=False
    )
    complaints = [
        line
        for line in done.stderr.splitlines()
        if "teleport-email.service" in line and "is not executable" not in line
    ]
    assert complaints == []


def test_the_unit_keeps_the_daemon_running_and_reloadable() -> None:
    assert unit_values("Type") == ["notify"]  # notify-reload is newer than what we support
    assert unit_values("Restart") == ["always"]
    assert unit_values("RestartPreventExitStatus") == ["2 78"]
    assert unit_values("ExecReload") == ['/bin/sh -c "kill -HUP $MAINPID"']
    assert unit_values("ExecStart") == [
        "/usr/local/bin/teleport-email start --config=/etc/teleport-email.toml"
    ]
    assert unit_values("StartLimitIntervalSec") == ["0"]
    assert int(unit_values("TimeoutStopSec")[0]) > 20  # the daemon's own bound for finishing
    for secret in ("SetCredential", "Environment"):
        assert unit_values(secret) == []


def test_the_units_user_is_declared() -> None:
    declared = (ROOT / "packaging/systemd/teleport-email.sysusers.conf").read_text()
    assert re.search(rf"^u {unit_values('User')[0]} ", declared, flags=re.MULTILINE)
    sysusers = needs("systemd-sysusers")
    if "--dry-run" in run(sysusers, "--help"):  # systemd 250
        run(sysusers, "--dry-run", str(ROOT / "packaging/systemd/teleport-email.sysusers.conf"))


@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.name)
def test_the_manual_pages_are_sound(manual: Path) -> None:
    linters = [
        command
        for command in (("mandoc", "-T", "lint", "-W", "warning"), ("groff", "-man", "-Tutf8", "-ww", "-z"))
        if shutil.which(command[0])
    ]
    if not linters:
        pytest.skip("neither mandoc nor groff is installed here")
    for linter in linters:
        assert run(*linter, str(manual)) == ""


def test_every_key_is_in_the_manual_and_in_the_document() -> None:
    manual = (ROOT / "packaging/man/teleport-email.toml.5").read_text().replace("\\-", "-")
    document = (ROOT / "docs/configuration.md").read_text()
    for section, keys in KEYS.items():
        here = section and f"[{section}]"
        part = manual.partition(f'.SH "{here}"' if here else ".SH")[2]
        assert part or not here, f"{here} has no section in the manual"
        for key in keys:
            if key in KEYS or f"{section}.{key}" in KEYS or key == "role_to_recipients":
                continue
            own = part.partition(".SH")[0] if here else manual
            assert re.search(rf"\\fB{key}\\fP", own), f"{here} {key} is not in the manual"
            assert f"`{key}`" in document, f"{key} is not in docs/configuration.md"
        assert not here or f"`{here}`" in document


def logged_events() -> set[tuple[str, str]]:
    """Event and level of every log call with a fixed name in the daemon's code."""
    levels = {"exception": "error"} | {level: level for level in ("debug", "info", "warning", "error")}
    found = set()
    for path in (ROOT / "src/teleport_email").rglob("*.py"):
        if {"sandbox", "_proto", "_compiled"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=logger, attr=method), args=[ast.Constant(value=str(event)), *_]
                ) if method in levels and re.search(r"(^|[._])(log|bound)\b", ast.unparse(logger)):
                    found.add((event, levels[method]))
    return found


def test_every_log_event_is_documented_with_its_level() -> None:
    events = logged_events()
    assert len(events) > 30
    document = (ROOT / "docs/operations.md").read_text()
    documented = {
        (name, level)
        for row in re.finditer(r"^\| (`[^|]+`) \| ([\w, ]+) \|", document, flags=re.MULTILINE)
        for name in re.findall("`([^`]+)`", row[1])
        for level in row[2].split(", ")
    }
    assert events - documented == set()


def test_logrotate_takes_our_example(tmp_path: Path) -> None:
    logrotate = needs("logrotate")
    text = (ROOT / "packaging/logrotate/teleport-email").read_text()
    # The user and its directory exist only where the service is installed.
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    group = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
    text = text.replace("teleport-email teleport-email", f"{user} {group}").replace("/var/log", str(tmp_path))
    (tmp_path / "teleport-email").mkdir(mode=0o700)
    (tmp_path / "teleport-email/teleport-email.log").write_text("a line\n")
    example = tmp_path / "example"
    example.write_text(
        re.sub(r"postrotate\n.*?endscript", "postrotate\ntrue\nendscript", text, flags=re.DOTALL)
    )
    example.chmod(0o600)
    run(logrotate, "--force", "--state", str(tmp_path / "state"), str(example))
    assert (tmp_path / "teleport-email/teleport-email.log.1").read_text() == "a line\n"
    assert stat.S_IMODE((tmp_path / "teleport-email/teleport-email.log").stat().st_mode) == 0o600
