"""Runs as root in a booted Debian: the README's seven steps as they stand there, then everything that can befall.

Only what the README cannot know is put in their place: the addresses, and programs of Teleport's (tctl, tbot, tsh),
which play their part on the sandbox's cluster. Any exception is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path("/checkout")
SANDBOX = Path("/srv/sandbox")
PYTHON = "/opt/sandbox/bin/python"
IDENTITY = Path("/opt/machine-id/identity")
CONFIGURATION = Path("/etc/teleport-email.toml")
UNIT = "teleport-email.service"
LIMIT = 120.0
"""Seconds that anything may take on a busy machine."""
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(CHECKOUT / "wheels")}

# Teleport's own programs. tbot writes as it does: the same file, in place, readable by nobody else.
PROGRAMS = {
    "tctl": 'case "$*" in *" sign "*) umask 077; cp /srv/sandbox/identity "${!#/--out=/}" ;; esac',
    "tbot": "umask 077; cat /srv/sandbox/identity >/opt/machine-id/identity",
    "tsh": f"{PYTHON} -m teleport_email sandbox --dir {SANDBOX} request create --roles=editor "
    '"--reason=Fix the nightly build" --reviewers=alice@example.com bob@example.com',
}


def told(*words: object) -> None:
    print(*words, flush=True)


def sh(command: str, stdin: str = "", good: bool = True) -> str:
    """Run a line as a person would type it; what it says."""
    done = subprocess.run(
        ["/bin/bash", "-c", command], input=stdin, cwd=CHECKOUT, env=os.environ | OFFLINE,
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert (done.returncode == 0) is good, f"{command}\nended with {done.returncode}:\n{said}"
    return said


def until(what: str, holds: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < end, f"not within {LIMIT:.0f} s: {what}\n{journal()}"
        time.sleep(0.05)
    told("  ok", what)


def shown(key: str) -> str:
    return sh(f"systemctl show -P {key} {UNIT}").strip()


def journal(*options: str) -> str:
    return sh(" ".join(["journalctl -q --no-pager -o cat -u", UNIT, *options]))


def in_journal(text: str, times: int = 1) -> None:
    until(f"the log says {text!r}", lambda: journal().count(text) >= times)


def start_the_sandbox() -> None:
    for name, script in PROGRAMS.items():
        path = Path("/usr/local/sbin") / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)
    sh("packaging/venv.sh make /opt/sandbox requirements/sandbox.txt")
    [site] = Path("/opt/sandbox/lib").glob("python*/site-packages")
    (site / "teleport-email.pth").write_text(f"{CHECKOUT}/src\n")
    sh(f"systemd-run -q --unit=sandbox {PYTHON} -m teleport_email sandbox --dir {SANDBOX}")
    until("the sandbox runs", (SANDBOX / "teleport-email.toml").exists)


def readme() -> tuple[list[str], str]:
    """The commands of the seven steps in their order, and the configuration for SMTP."""
    text = (CHECKOUT / "README.md").read_text()
    steps = text.partition("## Set it up on a Linux host")[2].partition("\nKubernetes:")[0]
    return re.findall(r"^    (\S.*)$", steps, flags=re.MULTILINE), re.findall(
        r"```toml\n(.*?)```", steps, re.DOTALL
    )[0]


def configure(sample: str) -> None:
    """Fill in what only this place knows: where the sandbox listens, and the CA of its mail server."""
    sandbox = (SANDBOX / "teleport-email.toml").read_text()

    def value(key: str) -> str:
        found = re.search(rf"^{key} = (.*)$", sandbox, flags=re.MULTILINE)
        assert found
        return found[1]

    shutil.copy(SANDBOX / "mail-ca.pem", "/etc/ssl/mail-ca.pem")
    Path("/etc/ssl/mail-ca.pem").chmod(0o644)
    text = sample.replace('"teleport.example.com:443"', value("addr"))
    text = text.replace('"smtp.example.com"', value("host")).replace("port = 587", f"port = {value('port')}")
    text = text.replace('"teleport@example.com"', value("username"), 1)
    text = text.replace("[smtp]", '[smtp]\nca_file = "/etc/ssl/mail-ca.pem"\nstarttls_policy = "mandatory"')
    CONFIGURATION.write_text(text)


def follow_the_readme() -> None:
    commands, sample = readme()
    assert len(commands) > 15, commands
    told("the README's commands")
    shown_id = ""
    for command in commands:
        # Twice the same: by Machine ID, and by hand. Each has to work.
        stdin = (SANDBOX / "smtp_password").read_text() if "/dev/stdin" in command else ""
        said = sh(command.replace("REQUEST_ID", shown_id), stdin)
        told("  $", command.partition("  #")[0].strip())
        if command.startswith("chown root:teleport-email"):
            configure(sample)
        if command.startswith("systemctl enable"):
            until(f"{UNIT} is active", lambda: shown("ActiveState") == "active")
            in_journal("Plugin is ready")
            until(
                "the status line", lambda: re.match(r"watching \S+, 0 open, 0 waiting", shown("StatusText"))
            )
        if "teleport-email check" in command:
            assert "no faults" in said, said
            told("    " + said.strip().splitlines()[-1])
        if command.startswith("tsh"):
            [shown_id] = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", said)[:1]
            in_journal("message delivered", 2)
        if command.startswith("teleport-email show"):
            assert "alice@example.com" in said, said


def main_pid() -> int:
    return int(shown("MainPID"))


def restarted_after(what: str, act: Callable[[], object]) -> None:
    before, ready = main_pid(), journal().count("Plugin is ready")
    act()
    until(f"a new process after {what}", lambda: main_pid() not in (0, before))
    in_journal("Plugin is ready", ready + 1)


def reload() -> None:
    told("reload")
    pid = main_pid()
    sh(f"systemctl reload {UNIT}")
    in_journal("configuration reloaded")
    good = CONFIGURATION.read_text()
    CONFIGURATION.write_text(good.replace("port = ", "port = x"))
    sh(f"systemctl reload {UNIT}")
    in_journal("configuration not reloaded")
    until("the status line says so", lambda: "new configuration refused" in shown("StatusText"))
    CONFIGURATION.write_text(good)
    sh(f"systemctl reload {UNIT}")
    in_journal("configuration reloaded", 2)
    assert main_pid() == pid


def machine_id(before: os.stat_result) -> None:
    told("Machine ID")
    after = IDENTITY.parent.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    # Still tbot's to write, and the service's to read.
    sh("tbot start --oneshot -c /etc/tbot.yaml")
    sh(f"runuser -u teleport-email -- cat {IDENTITY}")
    told("  ok the directory is as tbot left it, and the identity can be written and read")


def kill_and_watchdog() -> None:
    told("kill, watchdog")
    restarted_after("SIGKILL", lambda: os.kill(main_pid(), signal.SIGKILL))
    drop_in("watchdog", "[Service]\nWatchdogSec=3\n")
    sh(f"systemctl restart {UNIT}")
    in_journal("Plugin is ready", 3)
    restarted_after("a watchdog", lambda: os.kill(main_pid(), signal.SIGSTOP))
    assert "Watchdog timeout" in sh(f"journalctl -q --no-pager -o cat _PID=1 -u {UNIT}")
    drop_in("watchdog", "")


def drop_in(name: str, content: str) -> None:
    folder = Path(f"/etc/systemd/system/{UNIT}.d")
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.conf").write_text(content)
    sh("systemctl daemon-reload")


def load_credential() -> None:
    told("LoadCredential")
    text = (CHECKOUT / "docs/operations.md").read_text()
    [lines] = re.findall(r"^    (systemd-run (?:.*\\\n)*.*)$", text, flags=re.MULTILINE)
    own = Path("/etc/teleport-email")
    own.mkdir()
    Path("/var/lib/teleport-email/smtp_password").rename(own / "smtp_password")
    os.chown(own / "smtp_password", 0, 0)
    good = CONFIGURATION.read_text()
    CONFIGURATION.write_text(
        good.replace("/var/lib/teleport-email/smtp_password", "${CREDENTIALS_DIRECTORY}/smtp_password")
    )
    drop_in("credential", "[Service]\nLoadCredential=smtp_password:/etc/teleport-email/smtp_password\n")
    said = sh(lines)
    assert "no faults" in said, said
    told("  ok", said.strip().splitlines()[-1])
    ready = journal().count("Plugin is ready")
    sh(f"systemctl restart {UNIT}")
    in_journal("Plugin is ready", ready + 1)
    delivered = journal().count("message delivered")
    sh("tsh request create")
    in_journal("message delivered", delivered + 2)


def hardening() -> None:
    told("hardening")
    sh(f"systemd-analyze security --threshold=15 {UNIT}")
    status = Path(f"/proc/{main_pid()}/status").read_text()
    for line in ("CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in status, f"{line} not in\n{status}"
    assert not Path(f"/proc/{main_pid()}/root/root/.bashrc").exists()
    verified = sh(f"systemd-analyze verify --man=no {UNIT}")
    assert UNIT not in verified, verified
    told("  ok no capabilities, no new privileges, no home directories, no unknown key")


def stop() -> None:
    told("stop")
    sh(f"systemctl stop {UNIT}")
    assert (shown("Result"), shown("ExecMainStatus")) == ("success", "0")
    assert "stopped" in journal("-n 8"), journal("-n 8")
    told("  ok")


def no_surprises() -> None:
    """In what was meant to go well, nothing above info but what we caused, and nothing of systemd's."""
    told("journal")
    meant = ("configuration not reloaded", "port")
    ours = [
        line
        for line in journal().splitlines()
        if re.search(r"\b(warning|error)\b", line[:60], re.IGNORECASE)
        and not any(word in line for word in meant)
    ]
    assert ours == [], ours
    theirs = sh("journalctl -q --no-pager -b -o cat _PID=1")
    assert not re.findall(r".*teleport-email.*(?:Unknown|ignoring|deprecated).*", theirs), theirs
    told("  ok")


def main() -> None:
    told(sh("systemctl --version").splitlines()[0], "/", sh("python3 --version").strip())
    sh("ip link set lo up") if shutil.which("ip") else None
    start_the_sandbox()
    follow_the_readme()
    directory = IDENTITY.parent.stat()
    reload()
    machine_id(directory)
    kill_and_watchdog()
    load_credential()
    hardening()
    machine_id(directory)
    stop()
    no_surprises()


if __name__ == "__main__":
    main()
