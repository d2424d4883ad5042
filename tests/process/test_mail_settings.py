"""Ways to send as the configuration file says them: XOAUTH2 by both kinds of token, and Mailgun."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from teleport_email.sandbox.command.running import Sandbox, SandboxOptions
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.token_server import TokenServer

BOT = "bot@example.com"


async def run(*arguments: str) -> tuple[int, str]:
    """Exit code and standard output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "teleport_email", *arguments, stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def faults(configuration: Path) -> list[dict[str, object]]:
    """What ``check`` finds at fault."""
    _, out = await run("check", "--json", "-c", str(configuration))
    return [line for line in json.loads(out)["lines"] if line["level"] == "fault"]


@pytest.fixture
async def mailgun(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(directory=tmp_path / "sandbox", mailgun=True)) as running:
        yield running


def with_smtp(sandbox: Sandbox, smtp: str) -> Path:
    """The sandbox's configuration with another way to send."""
    head, _, tail = sandbox.configuration.read_text().partition("[mailgun]")
    path = sandbox.options.directory / "smtp.toml"
    path.write_text(f"{head}{smtp}\n[delivery]{tail.partition('[delivery]')[2]}")
    return path


async def test_xoauth2_with_a_client_secret(mailgun: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "client_secret"
    async with Inbox(tls="starttls", tokens={BOT: ""}) as inbox:
        tokens = TokenServer(
            scope="mail.send", on_issue=lambda token: inbox.access.tokens.update({BOT: token})
        )
        async with tokens:
            secret.write_text(f"{tokens.client_secret}\n")
            path = with_smtp(
                mailgun,
                f'[smtp]\nhost = "{inbox.host}"\nport = {inbox.port}\nusername = "{BOT}"\nauth = "xoauth2"\n'
                f'ca_file = "{inbox.ca_file}"\n[smtp.oauth2]\ntoken_url = "{tokens.url}"\n'
                f'client_id = "{tokens.client_id}"\nclient_secret_file = "{secret}"\nscope = "mail.send"\n',
            )
            assert await faults(path) == []
            code, out = await run("send-test", "-c", str(path), "--to", "me@example.com")
            assert (code, inbox.messages[0].auth_user) == (0, BOT), out
            secret.write_text("another\n")
            [fault] = await faults(path)
            assert "invalid_client" in str(fault["what"])
            assert "smtp.oauth2" in str(fault["do"])
            assert "another" not in str(fault)


async def test_xoauth2_with_a_token_that_something_else_renews(mailgun: Sandbox, tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with Inbox(tls="starttls", tokens={BOT: "of-today"}) as inbox:
        path = with_smtp(
            mailgun,
            f'[smtp]\nhost = "{inbox.host}"\nport = {inbox.port}\nusername = "{BOT}"\nauth = "xoauth2"\n'
            f'ca_file = "{inbox.ca_file}"\n[smtp.oauth2]\ntoken_file = "{token}"\n',
        )
        [fault] = await faults(path)
        assert f"{token}: No such file" in str(fault["what"])
        token.write_text("of-yesterday\n")
        code, out = await run("send-test", "-c", str(path), "--to", "me@example.com")
        assert code == 1
        assert "535" in out
        assert "yesterday" not in out
        token.write_text("of-today\n")
        assert (await run("send-test", "-c", str(path), "--to", "me@example.com"))[0] == 0
        assert inbox.messages[0].auth_user == BOT


async def test_mailgun_with_key_and_domain_right_and_wrong(mailgun: Sandbox) -> None:
    path = mailgun.configuration
    assert await faults(path) == []
    code, out = await run("send-test", "-c", str(path), "--to", "me@example.com")
    assert code == 0
    assert "Queued" in out
    key = mailgun.options.directory / "mailgun_private_key"
    right = key.read_text()
    key.write_text("of another domain\n")
    [fault] = await faults(path)
    assert "401" in str(fault["what"])
    assert "mailgun.private_key" in str(fault["do"])
    key.write_text(right)
    path.write_text(path.read_text().replace("mg.example.com", "mx.example.com"))
    [fault] = await faults(path)
    assert "mx.example.com is not known" in str(fault["what"])
    code, out = await run("send-test", "-c", str(path), "--to", "me@example.com")
    assert code == 1
    assert 'region = "eu"' in out
    assert len(mailgun.mail.messages) == 1
