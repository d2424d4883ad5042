"""`make demo` as a process: its exit code can be trusted, and it leaves nobody behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = [sys.executable, "-m", "teleport_email.sandbox.demo"]
LIMIT = 120
"""Seconds; what the demo is promised to stay below."""


def environment(tmp_path: Path, **changes: str) -> dict[str, str]:
    """Where directories of the demo show up, without what the caller's shell has set."""
    return {**os.environ, "TMPDIR": str(tmp_path), "NO_COLOR": "1", **changes}


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_it_plays_to_the_end_and_says_so(tmp_path):
    done = subprocess.run(
        DEMO, env=environment(tmp_path, ONCE="1"), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "All 16 mails came, each once and in order, in 5 threads." in done.stdout
    assert done.stdout.count("✉ security@example.com") == 4
    assert "http://127.0.0.1:" in done.stdout
    assert list(tmp_path.iterdir()) == []


# Makes the daemon, and only it, misbehave: the interpreter runs this before anything else.
BREAKS = """
import os, sys
if "start" in sys.orig_argv:
    sys.stderr.write("the daemon is broken\\n"); sys.stderr.flush()
    os._exit(3)
"""
# Makes the inbox refuse one recipient.
REFUSES_ONE = """
import sys
if "sandbox" in sys.orig_argv:
    from teleport_email.sandbox.mail import inbox, smtp_faults
    class Strict(smtp_faults.SmtpFaults):
        def __init__(self):
            super().__init__()
            self.on("RCPT", smtp_faults.Reply(550, "5.1.1 no such user"), recipient="carol@example.com")
    inbox.SmtpFaults = Strict
"""


def test_a_daemon_that_breaks_is_a_failure_with_its_reason(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(BREAKS)
    (tmp_path / "t").mkdir()
    done = subprocess.run(
        DEMO,
        env=environment(tmp_path / "t", ONCE="1", PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "the daemon ended by itself with exit code 3" in done.stdout
    assert "the daemon is broken" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert list((tmp_path / "t").iterdir()) == []


@pytest.mark.slow
def test_mails_that_do_not_come_are_a_failure(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(REFUSES_ONE)
    (tmp_path / "t").mkdir()
    done = subprocess.run(
        # The limit per step is for busy machines; here it is known that nothing will come.
        [
            sys.executable,
            "-c",
            "from teleport_email.sandbox import demo; demo.STEP_LIMIT = 2; raise SystemExit(demo.main())",
        ],
        env=environment(tmp_path / "t", ONCE="1", PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "missing: carol@example.com: You have a new Role Request" in done.stdout
    assert "missing: dba@example.com" not in done.stdout
    assert "12 mails came, 16 were expected." in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_its_children(tmp_path, number):
    with subprocess.Popen(DEMO, env=environment(tmp_path), stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout:
                if "asks for db-admin" in line:
                    break
            children = children_of(process.pid)
            assert len(children) == 2
            process.send_signal(number)
            process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    assert process.returncode == 130
    assert not any(running(pid) for pid in children)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_in_a_terminal_it_stays_until_ctrl_c(tmp_path):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        DEMO, env=environment(tmp_path), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        try:
            os.close(theirs)
            with os.fdopen(ours, "r", encoding="utf-8", errors="replace") as terminal:
                for line in terminal:
                    if "ends the demo" in line:
                        break
                assert process.poll() is None
                children = children_of(process.pid)
                assert len(children) == 2
                process.send_signal(signal.SIGINT)
                assert process.wait(timeout=LIMIT) == 0
        finally:
            process.kill()
    assert not any(running(pid) for pid in children)


def test_a_killed_demo_takes_the_sandbox_along(tmp_path):
    with subprocess.Popen(DEMO, env=environment(tmp_path), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "Starting the daemon" in line:
                break
        [sandbox, *others] = children_of(process.pid)
        handle = os.pidfd_open(sandbox)
        process.kill()
    for pid in others:
        os.kill(pid, signal.SIGKILL)  # ours too, by way of the demo; nothing tells the daemon
    import select

    assert select.select([handle], [], [], LIMIT)[0], "the sandbox went on"
    os.close(handle)
