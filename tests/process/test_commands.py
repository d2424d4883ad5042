"""The installed command as its users meet it: a real process, real signals, a real cluster and inbox."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from teleport_email.core.model import AccessMonitoringRule, Schedule, Shift
from teleport_email.daemon.clocks import clock_set
from teleport_email.sandbox.cluster.permissions import MINIMAL
from teleport_email.sandbox.command.running import Sandbox, SandboxOptions
from teleport_email.teleport.calls.convert import rule_to_proto

COMMAND = [sys.executable, "-m", "teleport_email"]
PATIENCE = 120.0


class Process:
    """A command that runs, and the lines of its log so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def line(self, text: str) -> str:
        """The next line with ``text`` in it."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while raw := await self.process.stderr.readline():
                self.lines.append(raw.decode())
                if text in self.lines[-1]:
                    return self.lines[-1]
        pytest.fail(f"it ended without saying {text!r}; it said:\n{''.join(self.lines)}")

    async def ended(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(PATIENCE):
            assert self.process.stderr is not None
            self.lines += (await self.process.stderr.read()).decode().splitlines(keepends=True)
            return await self.process.wait()


@contextlib.asynccontextmanager
async def started(arguments: Sequence[str], **environ: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ | environ,
    )  # fmt: skip
    try:
        yield Process(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def run(*arguments: str, **environ: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ | environ,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE * 2):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def change(sandbox: Sandbox, old: str, new: str) -> None:
    text = sandbox.configuration.read_text()
    assert old in text
    sandbox.configuration.write_text(text.replace(old, new))


# start ------------------------------------------------------------------------------------------------


async def test_start_tells_notifies_reloads_and_stops(sandbox: Sandbox, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        arguments = ["start", "-c", str(sandbox.configuration)]
        async with started(arguments, NOTIFY_SOCKET=str(tmp_path / "notify")) as daemon:
            await daemon.line("Starting Teleport Access Email Plugin")
            await daemon.line("Plugin is ready")
            request = await sandbox.cluster.create(user="alice", roles=["dev"], reason="a fix")
            await sandbox.mail.wait_for(1, timeout=PATIENCE)
            await daemon.line("message delivered")

            change(sandbox, "security@example.com", "other@example.com")
            daemon.process.send_signal(signal.SIGHUP)
            await daemon.line("configuration reloaded")
            await sandbox.cluster.create(user="alice", roles=["dev"], reason="another")
            await sandbox.mail.wait_for(2, timeout=PATIENCE)
            assert sandbox.mail.messages[-1].envelope_to == ("other@example.com",)

            change(sandbox, "[delivery]", "[delivery]\nallowed_domainz = []")
            daemon.process.send_signal(signal.SIGHUP)
            assert 'did you mean "allowed_domains"' in await daemon.line("configuration not reloaded")
            await sandbox.cluster.approve(request.id, "go on")
            await sandbox.mail.wait_for(3, timeout=PATIENCE)

            daemon.process.send_signal(signal.SIGTERM)
            assert await daemon.ended() == 0
        told = []
        with contextlib.suppress(BlockingIOError):
            while True:
                told.append(systemd.recv(4096).decode())
    everything = "\n".join(told)
    assert told[0].startswith("READY=1")
    reloads = [index for index, one in enumerate(told) if one.startswith("RELOADING=1\nMONOTONIC_USEC=")]
    assert len(reloads) == 2
    assert all(any(one.startswith("READY=1") for one in told[index:]) for index in reloads)
    assert "STATUS=watching demo.example.com" in everything
    after_the_fault = next(one for one in told[reloads[1] :] if one.startswith("READY=1"))
    assert "new configuration refused, see the log" in after_the_fault
    assert told[-1].startswith("STOPPING=1") or "STOPPING=1" in everything


async def test_a_faulty_configuration_is_78_with_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "teleport-email.toml"
    path.write_text("[smtp]\nport = 'x'\n")
    code, out, err = await run("start", "--config", str(path))
    assert code == 78
    assert out == ""
    for key in ("smtp.host", "smtp.port", "teleport.identity", "delivery.sender", 'role_to_recipients."*"'):
        assert key in err


@pytest.mark.skipif(not clock_set(), reason="just booted, and the clock is not set: it is waited for")
async def test_an_expired_identity_is_78_and_says_since_when(sandbox: Sandbox) -> None:
    expired = sandbox.cluster.identity(valid_for=timedelta(seconds=-3600))
    sandbox.cluster.write_identity(sandbox.options.directory, expired)
    code, _, err = await run("start", f"--config={sandbox.configuration}")
    assert code == 78
    assert "expired at" in err


async def test_wrong_usage_is_2() -> None:
    assert (await run("start", "--no-such-option"))[0] == 2
    assert (await run("strat"))[0] == 2


async def test_a_hangup_is_ignored_before_anything_is_imported() -> None:
    script = (
        "import sys, signal; sys.argv = ['teleport-email', 'start']\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'teleport_email.cli': print(signal.getsignal(signal.SIGHUP).name); sys.exit(0)\n"
        "sys.meta_path.insert(0, Watch())\n"
        "import teleport_email.__main__\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out == b"SIG_IGN\n"


# check ------------------------------------------------------------------------------------------------


async def check(sandbox: Sandbox, *more: str) -> tuple[int, dict[str, list[dict[str, object]]]]:
    """Exit code, and the lines by level."""
    code, out, err = await run("check", "--json", "-c", str(sandbox.configuration), *more)
    assert err == ""
    lines = json.loads(out)["lines"]
    return code, {
        level: [line for line in lines if line["level"] == level]
        for level in ("ok", "note", "warning", "fault")
    }


async def test_check_finds_all_well(sandbox: Sandbox) -> None:
    change(sandbox, "[delivery]", '[delivery]\nallowed_domains = ["example.com"]')
    code, found = await check(sandbox)
    assert found["fault"] == []
    assert code == 0
    areas = {line["area"] for line in found["ok"]}
    assert areas >= {"configuration", "files", "identity", "cluster", "permissions", "watch", "mail"}
    said = str(found["ok"])
    assert "access-plugin (role access-plugin) of cluster demo.example.com" in said
    assert "0 pending; none of them is still to be announced" in said
    assert found["note"] == []
    assert "Teleport 17.0.0" in said
    assert "login" in said
    assert not sandbox.mail.messages
    assert sandbox.cluster.all_plugin_data() == {}


async def test_check_offline_connects_nowhere(sandbox: Sandbox) -> None:
    code, found = await check(sandbox, "--offline")
    assert code == 0
    assert {line["area"] for line in found["ok"]} == {"configuration", "files", "identity"}
    assert "allowed_domains" in str(found["warning"])
    assert not sandbox.cluster.calls


async def test_check_strict_takes_every_warning_for_a_fault(sandbox: Sandbox) -> None:
    with sandbox.configuration.open("a") as file:
        file.write("\n[slack]\ntoken = 'x'\n")
    code, found = await check(sandbox, "--offline")
    assert code == 0
    warnings = found["warning"]
    assert "slack is not a known section" in str(warnings)
    code, found = await check(sandbox, "--offline", "--strict")
    assert code == 78
    assert found["warning"] == []
    assert [line["what"] for line in found["fault"]] == [line["what"] for line in warnings]


async def test_check_reads_well_for_people(sandbox: Sandbox) -> None:
    code, out, _ = await run("check", "-c", str(sandbox.configuration))
    assert code == 0
    assert re.search(
        r"^ok +identity +access-plugin \(role access-plugin\) of cluster demo\.example\.com, valid until",
        out,
        re.MULTILINE,
    )
    assert re.search(r"^warning +configuration +whoever may request access", out, re.MULTILINE)
    assert "\x1b" not in out
    assert "no faults, " in out


def identify(sandbox: Sandbox, user: str, roles: Sequence[str]) -> None:
    """Let the daemon have the identity of this user."""
    identity = sandbox.cluster.identity(user=user, roles=roles, valid_for=timedelta(days=30))
    (sandbox.options.directory / "identity").write_bytes(identity)


async def test_the_least_role_is_no_fault_even_strictly(sandbox: Sandbox) -> None:
    change(sandbox, "[delivery]", '[delivery]\nallowed_domains = ["example.com"]')
    change(sandbox, "enabled = true", "enabled = false")  # of [access_lists], which takes more
    sandbox.cluster.put_role("teleport-email", MINIMAL)
    identify(sandbox, "bot-email", ["teleport-email"])
    code, found = await check(sandbox, "--strict")
    assert (code, found["fault"]) == (0, [])
    [note] = found["note"]
    assert note["area"] == "permissions"
    assert "Access Monitoring Rules are not followed" in str(note["what"])
    do = cast("list[str]", note["do"])
    assert "tctl edit role/teleport-email; its file has them as comments" in do[0]
    rules = yaml.safe_load("\n".join(do[1:]))["spec"]["allow"]["rules"]
    assert [rule["resources"][0] for rule in rules] == ["access_monitoring_rule", "user", "user_login_state"]
    assert [line["what"] for line in found["ok"] if line["area"] == "watch"] == ["granted: access_request"]


@pytest.mark.parametrize(
    "setting", ["notify_requester = true", 'recipients_annotation = "a"', 'suggested_reviewers = "only"']
)
async def test_what_the_configuration_needs_is_a_warning(sandbox: Sandbox, setting: str) -> None:
    sandbox.cluster.put_role("access-plugin", MINIMAL)
    change(sandbox, "[delivery]", f'[delivery]\nallowed_domains = ["example.com"]\n{setting}')
    code, found = await check(sandbox)
    assert code == 0
    [warning] = found["warning"]
    assert "may not look up users, look up users' login states" in str(warning["what"])
    assert "resources: [user]" in str(warning["do"])
    assert "access_monitoring_rule" not in str(warning)
    assert "access_monitoring_rule" in str(found["note"])


async def test_what_is_needed_and_missing_is_one_fault_with_the_lines_of_the_role(sandbox: Sandbox) -> None:
    sandbox.cluster.put_role("access-plugin", {})
    code, found = await check(sandbox)
    assert code == 1
    [fault] = found["fault"]
    assert (
        "access-plugin (role access-plugin) may not list requests, read plugin data, write plugin data"
        in str(fault["what"])
    )
    do = cast("list[str]", fault["do"])
    assert "where it is the preset, which Teleport sets back" in do[0]
    rules = yaml.safe_load("\n".join(do[1:]))["spec"]["allow"]["rules"]
    assert rules == [
        {"resources": ["access_request"], "verbs": ["list", "read"]},
        {"resources": ["access_plugin_data"], "verbs": ["update"]},
    ]


async def test_check_says_whose_identity_it_is(sandbox: Sandbox) -> None:
    identify(sandbox, "alice", ["access", "editor"])
    code, found = await check(sandbox)
    assert code == 1
    [fault] = found["fault"]
    assert "alice (roles access, editor) may not list requests" in str(fault["what"])
    assert "alice's own: make one for the daemon" in str(fault["do"])
    assert "role/" not in str(fault)
    assert found["note"] == []
    [warning] = [line for line in found["warning"] if line["area"] == "identity"]
    assert "in this person's name" in str(warning["what"])
    assert "identity" not in {line["area"] for line in found["ok"]}
    identify(sandbox, "alice", ["dev"])  # perhaps made for the daemon: its role is named
    _, found = await check(sandbox)
    [fault] = found["fault"]
    assert "alice (role dev) may not" in str(fault["what"])
    assert "tctl edit role/dev" in str(fault["do"])


async def test_check_and_the_first_start_say_how_many_requests_will_be_announced(sandbox: Sandbox) -> None:
    for _ in range(2):
        await sandbox.cluster.create(user="alice")
    denied = await sandbox.cluster.create(user="bob")
    await sandbox.cluster.deny(denied.id)
    code, found = await check(sandbox)
    assert code == 0
    [note] = [line for line in found["note"] if line["area"] == "requests"]
    assert str(note["what"]).startswith("2 pending; 2 of them nobody was told of yet")
    config = str(sandbox.configuration)
    async with started(["start", "-c", config]) as daemon:
        assert "to_announce=2" in await daemon.line("Plugin is ready")
        await daemon.line("message delivered")
        await sandbox.cluster.wait_for(lambda: len(sandbox.cluster.all_plugin_data()) == 2, timeout=30)
        daemon.process.terminate()
        await daemon.ended()
    async with started(["start", "-c", config]) as daemon:
        assert "to_announce=0" in await daemon.line("Plugin is ready")
        daemon.process.terminate()
        await daemon.ended()
    _, found = await check(sandbox)
    assert "2 pending; none of them is still to be announced" in str(found["ok"])


async def test_check_of_an_old_cluster_that_has_no_rules(tmp_path: Path) -> None:
    async with Sandbox(SandboxOptions(directory=tmp_path / "sandbox", teleport=12)) as sandbox:
        code, found = await check(sandbox)
        said = str(found["note"])
        assert code == 0
        assert "this cluster is too old to list Access Monitoring Rules" in said
        assert "Access Monitoring Rules" not in str(found["ok"])
        assert "granted: access_request" in str(found["ok"])
        sandbox.cluster.put_role("access-plugin", {})
        code, found = await check(sandbox)
        assert code == 1
        assert [line["area"] for line in found["fault"]] == ["permissions"]  # the watch fails for the same


async def test_check_looks_at_the_rules(sandbox: Sandbox) -> None:
    def put(name: str, condition: str, **more: Any) -> None:
        told = ("a@example.com",)
        sandbox.cluster.put_rule(
            AccessMonitoringRule(name, ("access_request",), condition, "email", told, **more)
        )

    put("good", "true")
    _, found = await check(sandbox)
    assert "1 Access Monitoring Rule(s) for email" in str(found["ok"])
    put("named", 'plugin.spec.name == "email"')
    put("broken", "((")
    put("shifted", "true", schedules={"a": Schedule((Shift("Mon", "08:00", "09:00"),))})
    put("zoned", "true", schedules={"a": Schedule((), "Mars/Olympus")})
    newer = rule_to_proto(AccessMonitoringRule("newer", ("access_request",), "true", "email"))
    newer.spec.MergeFromString(b"\x48\x01")
    sandbox.cluster.load_rule(newer.SerializeToString())
    code, found = await check(sandbox)
    said = [str(line["what"]) for line in found["warning"] if line["area"] == "rules"]
    assert code == 0
    assert [line.partition(": ")[0] for line in said] == [
        'rule "broken" never matches',
        'rule "named"',
        'rule "newer"',
        'rule "shifted"',
        'rule "zoned" never matches',
    ]
    assert "field 9 is not known" in said[2]
    assert 'no time zone "Mars/Olympus"' in said[4]


async def test_check_says_what_the_mail_server_refuses(sandbox: Sandbox) -> None:
    (sandbox.options.directory / "wrong").write_text("not the password\n")
    text = sandbox.configuration.read_text()
    sandbox.configuration.write_text(
        re.sub(r"password_file = .*", f'password_file = "{sandbox.options.directory.absolute()}/wrong"', text)
    )
    code, found = await check(sandbox)
    assert code == 1
    [fault] = found["fault"]
    assert fault["area"] == "mail"
    assert "535" in str(fault["what"])
    assert "smtp.password" in str(fault["do"])
    assert "not the password" not in str(found)


async def test_check_says_that_nobody_is_there(sandbox: Sandbox) -> None:
    sandbox.cluster.faults.unreachable = True
    code, found = await check(sandbox)
    assert code == 1
    assert [line["area"] for line in found["fault"]] == ["cluster"]


async def test_check_explains_configuration_and_identity(sandbox: Sandbox) -> None:
    identity = sandbox.options.directory / "identity"
    identity.rename(sandbox.options.directory / "auth_id")
    code, found = await check(sandbox, "--offline")
    assert code == 78
    assert "its directory has: auth_id" in str(found["fault"])
    change(sandbox, "[delivery]", "[delivery]\nallowed_domainz = []")
    code, found = await check(sandbox)
    assert code == 78
    assert {line["area"] for line in found["fault"]} == {"configuration"}


# send-test and show -----------------------------------------------------------------------------------


async def test_send_test_sends(sandbox: Sandbox) -> None:
    code, out, err = await run("send-test", "-c", str(sandbox.configuration), "--to", "me@Example.com")
    assert (code, err) == (0, "")
    [message] = sandbox.mail.messages
    assert message.envelope_to == ("me@example.com",)
    assert message.parsed["Subject"] == "Test mail from teleport-email"
    assert message.parsed["From"] == "teleport@example.com"
    assert f"Message-ID: {message.parsed['Message-ID']}" in out
    assert "accepted: " in out


async def test_send_test_says_why_not(sandbox: Sandbox) -> None:
    (sandbox.options.directory / "smtp_password").unlink(missing_ok=True)
    text = re.sub(r"password_file = .*", 'password = "not it"', sandbox.configuration.read_text())
    sandbox.configuration.write_text(text)
    code, out, err = await run("send-test", "-c", str(sandbox.configuration), "--to", "me@example.com")
    assert code == 1
    assert "refused: " in out
    assert "535" in out
    assert "not it" not in out + err
    assert (await run("send-test", "-c", str(sandbox.configuration), "--to", "nobody"))[0] == 2
    assert (await run("send-test", "-c", str(sandbox.configuration)))[0] == 2


async def test_show_tells_who_was_told(sandbox: Sandbox) -> None:
    async with started(["start", "-c", str(sandbox.configuration)]) as daemon:
        await daemon.line("Plugin is ready")
        request = await sandbox.cluster.create(user="al\x1b[31mice", roles=["dev"], reason="a fix")
        await sandbox.mail.wait_for(1, timeout=PATIENCE)
        await sandbox.cluster.deny(request.id, "no")
        await sandbox.mail.wait_for(2, timeout=PATIENCE)
        daemon.process.send_signal(signal.SIGTERM)
        assert await daemon.ended() == 0
    code, out, err = await run("show", "-c", str(sandbox.configuration), request.id)
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert f"{request.id}: DENIED request of" in out
    assert re.search(r"^security@example\.com +announcement +delivered +\d{4}-", out, re.MULTILINE)
    assert re.search(r"^security@example\.com +denied +delivered +\d{4}-", out, re.MULTILINE)
    code, out, _ = await run("show", "--json", request.id, "-c", str(sandbox.configuration))
    shown = json.loads(out)
    assert [told["status"] for told in shown["told"]] == ["delivered", "delivered"]
    ids = {str(message.parsed["Message-ID"]).strip("<>") for message in sandbox.mail.messages}
    assert {told["message_id"] for told in shown["told"]} == ids


async def test_show_of_what_nobody_knows(sandbox: Sandbox) -> None:
    code, _, err = await run("show", "-c", str(sandbox.configuration), "11111111-2222-3333-4444-555555555555")
    assert code == 1
    assert "knows nothing about" in err
    request = await sandbox.cluster.create(user="alice", roles=["dev"])
    code, out, _ = await run("show", "-c", str(sandbox.configuration), request.id)
    assert code == 1
    assert "nobody has been told anything yet" in out
    sandbox.cluster.put_plugin_data(request.id, {"ledger": "{"})
    code, _, err = await run("show", "-c", str(sandbox.configuration), request.id)
    assert code == 1
    assert "cannot be read" in err
