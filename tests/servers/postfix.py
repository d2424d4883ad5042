"""Postfix with Dovecot's SASL: what it has to be told."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from servers.mail_servers import INSIDE, KEEPER, OUTSIDE, PASSWORD, USER, MailServer, Rules


class Postfix(MailServer):
    """With Dovecot's SASL."""

    name = "postfix"
    can = frozenset({"connections", "mechanisms"})

    _MASTER = """
25 inet n - n - - smtpd
587 inet n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes
465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

    def _prepare(self) -> None:
        shutil.rmtree(self.root / "var/spool/postfix", ignore_errors=True)
        self._folder("var/spool/postfix")
        owned = "active bounce corrupt defer deferred flush hold incoming private saved trace"
        for folder in owned.split():
            self._folder(f"var/spool/postfix/{folder}", 901, 0, 0o700)
        self._folder("var/spool/postfix/pid")
        self._folder("var/spool/postfix/maildrop", 901, 907, 0o1730)
        self._folder("var/spool/postfix/public", 901, 907, 0o710)
        self._folder("var/lib/postfix", 901)
        self._write("etc/postfix/master.cf", self._MASTER)
        self._write("etc/dovecot/users", f"{USER}:{{PLAIN}}{PASSWORD}\n")
        self._folder("run/dovecot")
        self._folder("var/lib/dovecot")

    def _configure(self, rules: Rules) -> None:
        domains = f"{INSIDE}, {OUTSIDE}" if rules.relay else INSIDE
        limits = f"smtpd_client_connection_count_limit = {rules.connections or 50}\n"
        limits += "queue_minfree = 1000000000000000\n" if rules.full else ""
        refuse = f"smtpd_sender_restrictions = check_sender_access inline:{{{{{rules.sender} = REJECT}}}}\n"
        limits += refuse if rules.sender else ""
        refuse = f"smtpd_helo_restrictions = check_helo_access inline:{{{{{rules.helo} = REJECT}}}}\n"
        limits += refuse if rules.helo else ""
        self._write(
            "etc/postfix/main.cf",
            f"""
compatibility_level = 3.6
myhostname = mail.example.com
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
smtpd_client_event_limit_exceptions =
maillog_file = /var/log/mail.log
smtputf8_enable = no
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_chain_files = /etc/mail.key, /etc/mail.crt
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = static:all/
virtual_mailbox_base = /var/mail
virtual_uid_maps = static:{KEEPER}
virtual_gid_maps = static:{KEEPER}
virtual_transport = virtual
default_transport = error:nothing leaves here
relay_transport = error:nothing leaves here
{limits}""",
        )
        self._write(
            "etc/dovecot/dovecot.conf",
            f"""
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
protocols {{
}}
ssl = no
log_path = /var/log/dovecot.log
auth_mechanisms = {" ".join(rules.mechanisms).lower()}
auth_allow_cleartext = yes
passdb passwd-file {{
  passwd_file_path = /etc/dovecot/users
}}
service auth {{
  unix_listener /var/spool/postfix/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
""",
        )

    def _commands(self) -> Sequence[Sequence[str]]:
        return [["/usr/sbin/dovecot", "-F"], ["/usr/lib/postfix/sbin/master", "-d"]]
