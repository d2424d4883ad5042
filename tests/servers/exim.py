"""Exim: what it has to be told."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import ClassVar

from servers.mail_servers import INSIDE, OUTSIDE, PASSWORD, USER, MailServer, Rules


class Exim(MailServer):
    name = "exim"
    can = frozenset({"connections", "messages", "mechanisms"})

    _OFFER = "  server_advertise_condition = ${if def:tls_in_cipher}\n"
    _LOGINS: ClassVar = {
        "PLAIN": "plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n" + _OFFER
        + f"  server_condition = ${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}\n",
        "LOGIN": "login:\n  driver = plaintext\n  public_name = LOGIN\n"
        "  server_prompts = <| Username: | Password:\n" + _OFFER
        + f"  server_condition = ${{if and{{{{eq{{$auth1}}{{{USER}}}}}{{eq{{$auth2}}{{{PASSWORD}}}}}}}}}\n",
        "CRAM-MD5": "cram:\n  driver = cram_md5\n  public_name = CRAM-MD5\n" + _OFFER
        + f"  server_secret = ${{if eq{{$auth1}}{{{USER}}}{{{PASSWORD}}}fail}}\n  server_set_id = $auth1\n",
    }  # fmt: skip

    def _prepare(self) -> None:
        shutil.rmtree(self.root / "var/spool/exim4", ignore_errors=True)
        self._folder("var/spool/exim4", 904)
        self._folder("var/log/exim4", 904)
        os.chown(self.root / "etc/mail.key", 904, 904)

    def _configure(self, rules: Rules) -> None:
        kept = f"{INSIDE} : {OUTSIDE}" if rules.relay else INSIDE
        limits = f"smtp_accept_max_per_host = {rules.connections}\n" if rules.connections else ""
        limits += f"smtp_accept_max_per_connection = {rules.messages}\n" if rules.messages else ""
        limits += "check_spool_space = 1000000G\n" if rules.full else ""
        self._write(
            "etc/exim4/exim4.conf",
            f"""
primary_hostname = mail.example.com
domainlist kept = {kept}
daemon_smtp_ports = 25 : 465 : 587
tls_on_connect_ports = 465
tls_advertise_hosts = *
tls_certificate = /etc/mail.crt
tls_privatekey = /etc/mail.key
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
keep_environment =
log_file_path = /var/log/exim4/%slog
acl_smtp_helo = helo
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
{limits}
begin acl
helo:
  deny condition = ${{if eq{{$sender_helo_name}}{{{rules.helo or "nobody"}}}}}
  accept
mail:
  deny senders = {rules.sender or "nobody@nowhere.invalid"}
  accept
rcpt:
  accept domains = +kept
  deny message = relay not permitted
begin routers
keep:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  directory = /var/mail/all
  maildir_format
  user = keeper
  group = keeper
  envelope_to_add
begin authenticators
{"".join(self._LOGINS[name] for name in rules.mechanisms)}""",
        )

    def _commands(self) -> Sequence[Sequence[str]]:
        return [["/usr/sbin/exim4", "-bdf", "-q1m"]]
