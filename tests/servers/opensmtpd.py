"""OpenSMTPD: what it has to be told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from servers.mail_servers import INSIDE, OUTSIDE, PASSWORD, USER, MailServer, Rules


class OpenSmtpd(MailServer):
    name = "opensmtpd"
    can = frozenset({"messages"})

    def _prepare(self) -> None:
        for folder in ("var/spool/smtpd", "var/spool/smtpd/offline", "var/lib/opensmtpd"):
            self._folder(folder, mode=0o711)
        shutil.rmtree(self.root / "var/spool/smtpd/queue", ignore_errors=True)
        self._folder("var/lib/opensmtpd/empty")
        os.chown(self.root / "var/spool/smtpd/offline", 0, 906)
        (self.root / "var/spool/smtpd/offline").chmod(0o770)
        os.chown(self.root / "usr/sbin/smtpctl", 0, 906)
        (self.root / "usr/sbin/smtpctl").chmod(0o2555)  # else it refuses to run
        self._write(
            "etc/passwords", f"{USER} {self._once('/usr/sbin/smtpctl', 'encrypt', PASSWORD)}\n", 0o640
        )
        os.chown(self.root / "etc/passwords", 0, 905)
        self._write(
            "etc/ssl/certs/ca-certificates.crt", self.authority.ca_pem.decode()
        )  # to relay, which it never does
        self._write("etc/mailname", "mail.example.com\n")

    def _configure(self, rules: Rules) -> None:
        filters = []
        if rules.sender:
            filters.append(
                f'phase mail-from match mail-from {{ "{rules.sender}" }} reject "550 5.7.1 no sender"'
            )
        if rules.helo:
            no = f'match helo {{ "{rules.helo}" }} reject "550 5.7.1 no such name"'
            filters += [f"phase {phase} {no}" for phase in ("helo", "ehlo")]
        if rules.full:
            filters.append(
                'phase data match src { "127.0.0.1" } reject "452 4.3.1 Insufficient system storage"'
            )
        named = [f"filter f{number} {text}" for number, text in enumerate(filters)]
        chain = ", ".join(f"f{number}" for number in range(len(filters)))
        by = ""
        if filters:
            named.append(f"filter all chain {{ {chain} }}")
            by = "filter all"
        domains = f'"{INSIDE}", "{OUTSIDE}"' if rules.relay else f'"{INSIDE}"'
        self._write(
            "etc/smtpd.conf",
            "\n".join(
                [
                    'pki mail cert "/etc/mail.crt"',
                    'pki mail key "/etc/mail.key"',
                    "table passwords file:/etc/passwords",
                    'table boxes { "@" = "keeper" }',
                    f"table domains {{ {domains} }}",
                    f"smtp limit max-mails {rules.messages}" if rules.messages else "",
                    *named,
                    f"listen on 127.0.0.1 port 25 hostname mail.example.com {by}",
                    f"listen on 127.0.0.1 port 587 tls-require pki mail hostname mail.example.com auth <passwords> {by}",
                    f"listen on 127.0.0.1 port 465 smtps pki mail hostname mail.example.com auth <passwords> {by}",
                    'action "keep" maildir "/var/mail/all" virtual <boxes>',
                    'match from any for domain <domains> action "keep"',
                    "",
                ]
            ),
        )

    def _commands(self) -> Sequence[Sequence[str]]:
        return [["/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf"]]
