"""The whole sandbox in one: its files make a configuration that is valid, and mail gets through with it."""

from __future__ import annotations

import pytest

from teleport_email import config
from teleport_email.config.settings import MailgunSettings, SmtpSettings
from teleport_email.sandbox.command.control import ControlError, ask
from teleport_email.sandbox.command.running import Sandbox, SandboxOptions
from teleport_email.teleport.connect import credentials


@pytest.mark.parametrize("mailgun", [False, True])
async def test_the_configuration_is_valid_and_names_what_runs(tmp_path, mailgun):
    directory = tmp_path / "s"
    async with Sandbox(SandboxOptions(directory=directory, mailgun=mailgun)) as sandbox:
        settings = config.load(sandbox.configuration, {})
        assert settings.teleport.addr == sandbox.cluster.addr
        assert settings.role_to_recipients["db-admin"] == ("dba@example.com",)
        assert credentials.load(settings.teleport).cluster == sandbox.cluster.name
        assert settings.access_lists.enabled
        if mailgun:
            assert isinstance(settings.mailer, MailgunSettings)
            assert settings.mailer.api_base == sandbox.mail.url
            assert "Mailgun" in sandbox.mail_address
        else:
            assert isinstance(settings.mailer, SmtpSettings)
            assert settings.mailer.port == sandbox.mail.port
            assert settings.mailer.tls == "starttls"
        for path in directory.iterdir():
            assert path.stat().st_mode & 0o077 == 0, path
        assert directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("options", [{"community": True}, {"teleport": 12}])
async def test_reminders_of_access_lists_are_off_where_there_are_none(tmp_path, options):
    async with Sandbox(SandboxOptions(directory=tmp_path, **options)) as sandbox:
        assert not config.load(sandbox.configuration, {}).access_lists.enabled


async def test_a_second_one_in_the_same_directory_changes_nothing(tmp_path):
    async with Sandbox(SandboxOptions(directory=tmp_path)) as sandbox:
        before = sandbox.configuration.read_bytes()
        with pytest.raises(ControlError, match="another sandbox"):
            async with Sandbox(SandboxOptions(directory=tmp_path)):
                pass
        assert sandbox.configuration.read_bytes() == before
    async with Sandbox(SandboxOptions(directory=tmp_path, community=True)) as sandbox:
        assert sandbox.configuration.read_bytes() != before


async def test_nothing_is_left_behind_when_a_port_is_taken(tmp_path):
    async with Sandbox(SandboxOptions(directory=tmp_path / "a")) as first:
        taken = first.mail.port
        with pytest.raises(OSError):
            async with Sandbox(SandboxOptions(directory=tmp_path / "b", mail_port=taken)):
                pass
        with pytest.raises(ControlError):
            ask(tmp_path / "b", "ls")
