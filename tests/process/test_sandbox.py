"""`teleport-email sandbox` as a process, with requests from a second one."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

COMMAND = [sys.executable, "-m", "teleport_email", "sandbox"]
LIMIT = 120


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=LIMIT, check=False, **options
    )


def introduced(process: subprocess.Popen[str]) -> str:
    """What it prints until it is up."""
    said = ""
    for line in process.stdout:
        said += line
        if "--approve ID" in line:
            return said
    raise AssertionError(said)


@pytest.mark.parametrize("version", ["12", "19"])
def test_it_is_a_cluster_of_the_version_that_is_asked_for(tmp_path, version):
    directory = tmp_path / "s"
    with subprocess.Popen(
        [*COMMAND, "--dir", str(directory), "--teleport", version], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            introduced(process)
            asked = subprocess.run(
                [sys.executable, "-m", "teleport_email", "check", "-c", str(directory / "teleport-email.toml")],
                capture_output=True, text=True, timeout=LIMIT, check=False,
            )  # fmt: skip
            assert re.search(rf"Teleport {version}\.", asked.stdout), asked.stdout
        finally:
            process.terminate()
            process.wait(LIMIT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_told_to_stop_and_takes_requests_meanwhile(tmp_path, number):
    directory = tmp_path / "s"
    with subprocess.Popen(
        [*COMMAND, "--dir", str(directory)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            said = introduced(process)
            assert f"start -c {directory}/teleport-email.toml" in said
            page = re.search(r"http://127\.0\.0\.1:\d+/", said)[0]
            with urllib.request.urlopen(page, timeout=LIMIT) as answer:
                assert b"Sandbox inbox" in answer.read()
            made = run("--dir", str(directory), "request", "create", "--roles=dev", "--format=json", "alice")
            request = json.loads(made.stdout)["id"]
            listed = run("request", "ls", "--dir", str(directory))
            assert request in listed.stdout
            second = run("--dir", str(directory))
            assert (second.returncode, second.stdout) == (1, "")
            assert "another sandbox" in second.stderr
            process.send_signal(number)
            _, errors = process.communicate(timeout=LIMIT)
            assert (process.returncode, errors) == (0, "")
        finally:
            process.kill()
    assert run("--dir", str(directory), "request", "ls").returncode == 1


def test_it_ends_with_its_input_when_a_program_runs_it(tmp_path):
    with subprocess.Popen(
        [*COMMAND, "--json", "--dir", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            told = json.loads(process.stdout.readline())
            assert told["configuration"] == f"{tmp_path}/teleport-email.toml"
            process.stdin.close()
            assert process.wait(timeout=LIMIT) == 0
        finally:
            process.kill()


def test_a_taken_port_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--dir", str(tmp_path), "--mail-port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "the sandbox cannot start" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["-1", "65536", "x", "٣"])
def test_ports_that_are_none(tmp_path, port):
    done = run("--dir", str(tmp_path), f"--page-port={port}")
    assert done.returncode == 2
    assert "is no port" in done.stderr


def test_without_the_optional_part_it_says_what_to_install(tmp_path):
    (tmp_path / "aiosmtpd").mkdir()
    (tmp_path / "aiosmtpd" / "__init__.py").write_text("raise ModuleNotFoundError(name='aiosmtpd')")
    done = run("--dir", str(tmp_path / "s"), env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "-m pip install 'aiosmtpd>=" in done.stderr
    assert "aiosmtpd" in done.stderr
