"""The whole sandbox: cluster, inbox or Mailgun, page, control socket, and the files for a daemon."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from teleport_email.sandbox.cluster.cluster import SandboxCluster
from teleport_email.sandbox.cluster.generation import VERSIONS
from teleport_email.sandbox.mail.inbox import Inbox
from teleport_email.sandbox.mail.inbox_page import InboxPage
from teleport_email.sandbox.mail.mailgun import MailgunServer

from . import workspace
from .control import ControlServer

# Enough to look at, not enough to fill the memory of whoever forgets to stop it.
_KEEP = 2000
_USER = "teleport-email"
_PASSWORD = "n0t-a-w0rd.31f7"  # a word would be taken out of what the servers say
_IDENTITY_LIFE = timedelta(days=30)


class SandboxOptions(Struct, frozen=True, kw_only=True):
    """How a sandbox is to be. Port 0: any free one."""

    directory: Path = Path("sandbox-data")
    cluster_port: int = 0
    mail_port: int = 0
    page_port: int = 0
    mailgun: bool = False
    """Send by a Mailgun of the sandbox's instead of SMTP."""
    community: bool = False
    """A cluster without advanced access workflows."""
    teleport: int = 17
    """Which major version of Teleport the cluster is like: one of ``generation.VERSIONS``."""
    recipients: Mapping[str, Sequence[str]] | None = None
    """``role_to_recipients``; by default security@example.com, and dba@example.com for ``db-admin``."""


class Sandbox:
    """``async with Sandbox(options) as sandbox:`` runs it in the current event loop.

    Raises :class:`ControlError` when one is running in that directory, :class:`WorkspaceError` when the
    directory cannot be used, ``OSError`` when a port is taken.
    """

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self.cluster = SandboxCluster(
            port=options.cluster_port,
            advanced_workflows=not options.community,
            version=VERSIONS[options.teleport],
        )
        self.mail: Inbox | MailgunServer
        if options.mailgun:
            self.mail = MailgunServer(port=options.mail_port, keep=_KEEP)
        else:
            self.mail = Inbox(
                port=options.mail_port, tls="starttls", passwords={_USER: _PASSWORD}, keep=_KEEP
            )
        self.page = InboxPage(self.mail, port=options.page_port)
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        directory = self.options.directory
        workspace.make(directory)
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self.cluster)
            # Before any file is written: it finds out whether another sandbox has this directory.
            await stack.enter_async_context(ControlServer(self.cluster, directory))
            await stack.enter_async_context(self.mail)
            await stack.enter_async_context(self.page)
            self._write_files(directory)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def configuration(self) -> Path:
        """The file for ``teleport-email start -c``."""
        return self.options.directory / workspace.CONFIGURATION

    @property
    def mail_address(self) -> str:
        """Where mail is taken, and how."""
        if isinstance(self.mail, MailgunServer):
            return f"Mailgun API at {self.mail.url}"
        return f"SMTP at {self.mail.address}, STARTTLS, login {_USER}"

    def _write_files(self, directory: Path) -> None:
        workspace.write(directory / workspace.IDENTITY, self.cluster.identity(valid_for=_IDENTITY_LIFE))
        recipients = self.options.recipients or {
            "*": ["security@example.com"],
            "db-admin": ["dba@example.com"],
        }
        sections: dict[str, Mapping[str, str | int | Sequence[str]]] = {
            "teleport": {
                "addr": self.cluster.addr,
                "identity": str((directory / workspace.IDENTITY).absolute()),
            }
        }
        sections |= self._mail_sections(directory)
        sections |= {
            "delivery": {"sender": "teleport@example.com"},
            "role_to_recipients": recipients,
            "access_lists": {"enabled": self.cluster.has_access_lists},
            "log": {"output": "stderr", "severity": "info"},
        }
        workspace.write(self.configuration, workspace.configuration(sections))

    def _mail_sections(self, directory: Path) -> dict[str, Mapping[str, str | int]]:
        if isinstance(self.mail, MailgunServer):
            workspace.write(directory / workspace.MAILGUN_KEY, f"{self.mail.key}\n")
            return {
                "mailgun": {
                    "domain": self.mail.domain,
                    "private_key_file": str((directory / workspace.MAILGUN_KEY).absolute()),
                    "api_base": self.mail.url,
                }
            }
        workspace.write(directory / workspace.PASSWORD, f"{_PASSWORD}\n")
        workspace.write(directory / workspace.MAIL_CA, self.mail.authority.ca_pem)
        return {
            "smtp": {
                "host": self.mail.host,
                "port": self.mail.port,
                "username": _USER,
                "password_file": str((directory / workspace.PASSWORD).absolute()),
                "starttls_policy": "mandatory",
                "ca_file": str((directory / workspace.MAIL_CA).absolute()),
            }
        }
