"""The sections of the configuration file, each read into its frozen value; what is wrong is collected."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from teleport_email.config import tls_files, values
from teleport_email.config.addresses import parse_address, parse_domain
from teleport_email.config.beside import beside
from teleport_email.config.endpoints import is_loopback
from teleport_email.config.keys import (
    AUTH_MODES,
    FORMATS,
    KEYS,
    MAILGUN_BASES,
    POLICIES,
    REQUESTER_EVENTS,
    REVIEWERS,
    SEVERITIES,
    TLS_MODES,
)
from teleport_email.config.settings import (
    HOUR,
    NO_SECRET,
    DeliverySettings,
    DiagnosticsSettings,
    LogSettings,
    MailgunSettings,
    OAuth2Settings,
    Secret,
    Settings,
    SmtpSettings,
    TeleportSettings,
)
from teleport_email.config.tables import Table, did_you_mean, dotted, quoted
from teleport_email.core.errors import Fault

DEFAULT_ADDR: Final = "localhost:3025"
# A password or key is one short line; anything much longer is the wrong file.
_MAX_SECRET_BYTES: Final = 65536
_ON_THIS_MACHINE: Final = "${CREDENTIALS_DIRECTORY}"


@dataclass
class Reader:
    """One reading of one file: the settings come back, what is wrong collects in ``faults``."""

    environ: Mapping[str, str]
    read_secrets: bool
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    secret_files: list[Path] = field(default_factory=list)

    def settings(self, document: Mapping[str, object]) -> Settings:
        """The settings of a document; to be used only if ``faults`` stays empty."""
        top = Table(document, "", KEYS[""], self.faults)
        self._unknown(top)
        teleport = self._teleport(self._section(top, "teleport"))
        delivery_table = self._section(top, "delivery")
        return Settings(
            teleport=teleport,
            mailer=self._mailer(top),
            delivery=self._delivery(delivery_table),
            role_to_recipients=self._roles(top, delivery_table),
            log=self._log(self._section(top, "log")),
            diagnostics=self._diagnostics(self._section(top, "diagnostics")),
            plugin_name=top.parsed("plugin_name", values.plugin_name, "email"),
            secret_files=tuple(self.secret_files),
            warnings=tuple(self.warnings),
        )

    # The sections ---------------------------------------------------------------------------------

    def _teleport(self, table: Table) -> TeleportSettings:
        addr = table.parsed("addr", values.cluster_addresses, "")
        old = table.parsed("auth_server", values.cluster_addresses, "")
        if old:
            also = ", and ignored beside it" if addr else ""
            self.warnings.append(f"teleport.auth_server is the old name of teleport.addr{also}: rename it")
        files = {key: self._path(table, key) for key in ("client_key", "client_crt", "root_cas")}
        given = [key for key in files if table.has(key)]
        identity = self._path(table, "identity")
        if table.has("identity") and given:
            table.fault("identity", "excludes client_key, client_crt and root_cas: keep one of the two ways")
        elif 0 < len(given) < len(files):
            missing = " and ".join(key for key in files if key not in given)
            table.fault(given[0], f"needs {missing} beside it (or use identity instead of all three)")
        elif not table.has("identity") and not given:
            table.fault("identity", "is missing: name the identity file that tctl or Machine ID wrote")
        refresh = table.flag("refresh_identity")
        if refresh and not table.has("identity"):
            table.fault("refresh_identity", "needs teleport.identity")
        return TeleportSettings(
            addr=addr or old or DEFAULT_ADDR,
            identity=identity,
            refresh_identity=refresh,
            refresh_identity_interval=table.duration("refresh_identity_interval", 60.0, zero=60.0),
            resync_interval=table.duration("resync_interval", 600.0, zero=None),
            **files,
        )

    def _mailer(self, top: Table) -> SmtpSettings | MailgunSettings:
        mailgun = top.table("mailgun", KEYS["mailgun"])
        smtp = top.table("smtp", KEYS["smtp"])
        if mailgun is None and smtp is None and not {"mailgun", "smtp"} & set(top.present):
            top.fault("smtp", "is missing: say in [smtp] or [mailgun] how mail is to be sent")
        by_mailgun = self._mailgun(mailgun) if mailgun else None
        by_smtp = self._smtp(smtp) if smtp else None
        if by_mailgun and by_smtp:
            self.warnings.append("[smtp] and [mailgun] are both there: SMTP is used, Mailgun is not")
        return by_smtp or by_mailgun or SmtpSettings(host="")

    def _mailgun(self, table: Table) -> MailgunSettings:
        self._unknown(table)
        if not table.has("domain"):
            table.fault("domain", "is missing: write the domain that is set up with Mailgun")
        if table.has("region") and table.has("api_base"):
            table.fault("api_base", "excludes region: keep one of the two")
        base = table.choice("region", MAILGUN_BASES, MAILGUN_BASES["us"])
        return MailgunSettings(
            domain=table.parsed("domain", parse_domain, ""),
            private_key=self._secret(table, "private_key", needed="the domain's sending key"),
            api_base=table.parsed("api_base", values.api_base, base, show=False),
            require_tls=table.flag("require_tls", True),
        )

    def _smtp(self, table: Table) -> SmtpSettings:
        self._unknown(table)
        if not table.has("host"):
            table.fault("host", "is missing: write the mail server's name")
        host = table.parsed("host", values.mail_host, "")
        port = table.number("port", 587, least=0, most=65535) or 587
        policy = table.choice("starttls_policy", POLICIES, "starttls")
        mode = table.choice("tls", TLS_MODES, "auto")
        tls = mode if mode != "auto" else ("implicit" if port == 465 else policy)
        username = table.text("username")
        auth, oauth2, password = self._smtp_login(table, username)
        plaintext = table.flag("allow_plaintext_auth")
        if auth != "none" and tls == "none" and host and not is_loopback(host):
            if plaintext:
                self.warnings.append(f"the login at {host} crosses the network in CLEAR TEXT: set smtp.tls")
            else:
                what = "would send the login in clear text: set smtp.tls or smtp.starttls_policy"
                table.fault(
                    "username", f"{what}, or leave username empty, or set allow_plaintext_auth = true"
                )
        client_cert, client_key = self._readable(table, "client_cert"), self._readable(table, "client_key")
        if client_key and not client_cert:
            table.fault("client_key", "needs client_cert beside it")
        ca_file = self._readable(table, "ca_file")
        if self.read_secrets:
            for key, what in tls_files.faults(ca_file, client_cert, client_key):
                table.fault(key, what)
        return SmtpSettings(
            host=host,
            port=port,
            username=username,
            password=password,
            tls=tls,
            auth=auth,
            oauth2=oauth2,
            allow_plaintext_auth=plaintext,
            ca_file=ca_file,
            client_cert=client_cert,
            client_key=client_key,
            helo_hostname=table.parsed("helo_hostname", values.helo_name, ""),
            max_connections=table.number("max_connections", 2, least=1, most=100),
            messages_per_connection=table.number("messages_per_connection", 20, least=1, most=100_000),
            max_per_minute=table.number("max_per_minute", 0, least=0, most=1_000_000),
            pipelining=table.flag("pipelining", True),
        )

    def _smtp_login(
        self, table: Table, username: str
    ) -> tuple[Literal["none", "password", "xoauth2"], OAuth2Settings | None, Secret]:
        mode = table.choice("auth", AUTH_MODES, "auto")
        group = table.table("oauth2", KEYS["smtp.oauth2"])
        oauth2 = self._oauth2(group) if group else None
        if mode == "xoauth2":
            if not table.has("username"):
                table.fault("username", 'is missing: auth = "xoauth2" needs the mailbox that sends')
            if "oauth2" not in table.present:
                table.fault("auth", 'is "xoauth2", which needs a section [smtp.oauth2]')
            if table.has("password") or table.has("password_file"):
                self.warnings.append('smtp.password is not used: smtp.auth is "xoauth2"')
            return "xoauth2", oauth2, NO_SECRET
        if oauth2 is not None:
            table.fault("oauth2", 'is there, but smtp.auth is not "xoauth2": set it, or remove the section')
        if mode == "none" or not username:
            if table.has("password") or table.has("password_file"):
                why = 'smtp.auth is "none"' if mode == "none" else "smtp.username is empty"
                self.warnings.append(f"smtp.password is not used: {why}")
            return "none", None, NO_SECRET
        return "password", None, self._secret(table, "password", needed="the password of smtp.username")

    def _oauth2(self, table: Table) -> OAuth2Settings:
        self._unknown(table)
        token_file = self._path(table, "token_file")
        credentials = ("token_url", "client_id", "client_secret", "client_secret_file")
        if token_file:
            beside = [key for key in (*credentials, "scope") if table.has(key)]
            if beside:
                table.fault("token_file", f"excludes {', '.join(beside)}: keep one of the two ways")
            return OAuth2Settings(token_file=token_file)
        for key in ("token_url", "client_id"):
            if not table.has(key):
                table.fault(key, "is missing: the client credentials need it (or use token_file)")
        return OAuth2Settings(
            token_url=table.parsed("token_url", values.token_url, "", show=False),
            client_id=table.text("client_id"),
            client_secret=self._secret(table, "client_secret", needed="the client's secret"),
            scope=table.text("scope"),
        )

    def _delivery(self, table: Table) -> DeliverySettings:
        if not table.has("sender"):
            table.fault("sender", "is missing: write the address that the mails come from")
        return DeliverySettings(
            sender=table.parsed("sender", values.sender, ""),
            catch_up=table.duration("catch_up", 168 * HOUR),
            reply_to=table.parsed("reply_to", parse_address, ""),
            timezone=table.parsed("timezone", values.timezone, "UTC"),
            templates=self._directory(table, "templates"),
            notify_requester=_notify_requester(table),
            remind_before_expiry=table.duration("remind_before_expiry", 0.0),
            exclude_roles=table.texts("exclude_roles"),
            suggested_reviewers=table.choice("suggested_reviewers", REVIEWERS, "add"),
            max_suggested_reviewers=table.number("max_suggested_reviewers", 20, least=0, most=100_000),
            recipients_annotation=table.text("recipients_annotation"),
            allowed_domains=table.parsed_all("allowed_domains", values.allowed_domain),
            skip_requester=table.flag("skip_requester"),
            fallback_recipient=table.parsed("fallback_recipient", parse_address, ""),
            max_recipients=table.number("max_recipients", 500, least=1, most=100_000),
        )

    def _roles(self, top: Table, delivery: Table) -> Mapping[str, tuple[str, ...]]:
        everybody = delivery.parsed_all("recipients", parse_address)
        raw = top.table("role_to_recipients", ())
        roles = Table({}, "role_to_recipients", (), self.faults)
        if raw is not None:
            roles = top.table("role_to_recipients", raw.present) or roles
        if delivery.has("recipients"):
            if roles.present:
                what = 'excludes [role_to_recipients]: move its addresses to the line "*" there'
                delivery.fault("recipients", what)
            return {"*": everybody}
        found: dict[str, tuple[str, ...]] = {}
        for role in roles.present:
            addresses = roles.parsed_all(role, parse_address)
            if not role:
                roles.fault(role, "is an empty role name")
            elif addresses:
                found[role] = addresses
            elif role != "*" and not roles.has(role):
                name = dotted("role_to_recipients", role)
                self.warnings.append(
                    f'{name} is empty, so "*" is told (delivery.exclude_roles is for telling nobody)'
                )
        misshapen = raw is None and "role_to_recipients" in top.present
        if not misshapen and ("*" not in roles.present or not roles.has("*")):
            what = 'is missing: list who is told when no other line fits, such as "*" = "admin@example.com"'
            self.faults.append(Fault('role_to_recipients."*"', what))
        return found

    def _log(self, table: Table) -> LogSettings:
        return LogSettings(
            output=table.text("output", "stderr"),
            severity=table.choice("severity", SEVERITIES, "info"),
            format=table.choice("format", FORMATS, "text"),
        )

    def _diagnostics(self, table: Table) -> DiagnosticsSettings:
        addr = table.text("addr")
        allow_remote = table.flag("allow_remote")
        if addr and (reason := values.why_not_listen(addr, allow_remote)):
            table.fault("addr", f"{quoted(addr)} {reason}")
        return DiagnosticsSettings(addr=addr, allow_remote=allow_remote)

    # What several sections need -------------------------------------------------------------------

    def _section(self, top: Table, key: str) -> Table:
        table = top.table(key, KEYS[key]) or Table({}, key, KEYS[key], self.faults)
        self._unknown(table)
        return table

    def _unknown(self, table: Table) -> None:
        for key in table.unknown():
            hint = did_you_mean(key, KEYS[table.path])
            if not hint:
                homes = [dotted(path, key) for path, keys in KEYS.items() if key in keys]
                hint = f" (did you mean {' or '.join(homes)}?)" if homes else ""
            table.fault(key, f"is not a known {'section or key' if not table.path else 'key'}{hint}")

    def _path(self, table: Table, key: str) -> Path | None:
        text = table.text(key)
        if not text:
            return None
        if text.startswith(_ON_THIS_MACHINE):
            directory = self.environ.get("CREDENTIALS_DIRECTORY", "")
            if not directory and self.read_secrets:
                table.fault(
                    key, f"uses {_ON_THIS_MACHINE}, which is set only under systemd's LoadCredential="
                )
            text = directory + text.removeprefix(_ON_THIS_MACHINE)
        return Path(text)

    def _readable(self, table: Table, key: str) -> Path | None:
        """A file that must be there by now."""
        path = self._path(table, key)
        if path and self.read_secrets:
            try:
                path.open("rb").close()
            except OSError as error:
                table.fault(key, f"cannot be read: {path}: {error.strerror or error}")
        return path

    def _directory(self, table: Table, key: str) -> Path | None:
        path = self._path(table, key)
        if path and self.read_secrets:
            try:
                with os.scandir(path):
                    pass
            except OSError as error:
                table.fault(key, f"cannot be read as a directory: {path}: {error.strerror or error}")
        return path

    def _secret(self, table: Table, key: str, *, needed: str) -> Secret:
        """The secret under ``key``, or in the file under ``key_file``. Its value is in no message."""
        from_file = f"{key}_file"
        name, name_file = dotted(table.path, key), dotted(table.path, from_file)
        if table.has(key):
            if table.has(from_file):
                self.warnings.append(f"{name_file} is not read: {name} is set")
            return Secret(table.text(key))
        path = self._path(table, from_file)
        if path is None:
            if not table.has(from_file):
                table.fault(key, f"is missing: {needed} goes here, or name a file with it as {from_file}")
            return NO_SECRET
        if not self.read_secrets:
            return NO_SECRET
        self.secret_files.append(path)
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_SECRET_BYTES + 1)
            # White space around it goes, as in the Go plugin; editors leave a line break at the end.
            text = content.decode("utf-8").strip()
        except OSError as error:
            table.fault(from_file, f"cannot be read: {path}: {error.strerror or error}{beside(path)}")
        except UnicodeDecodeError:
            table.fault(from_file, f"does not hold text: {path}")
        else:
            if text and text.isprintable() and len(content) <= _MAX_SECRET_BYTES:
                return Secret(text)
            table.fault(from_file, f"{'is not one line of text' if text else 'is empty'}: {path}")
        return NO_SECRET


def _notify_requester(table: Table) -> frozenset[str]:
    """``true``, ``false`` or a choice of events."""
    if table.is_flag("notify_requester"):
        return frozenset(REQUESTER_EVENTS) if table.flag("notify_requester") else frozenset()
    chosen: Sequence[str] = table.texts("notify_requester")
    for word in chosen:
        if word not in REQUESTER_EVENTS:
            words = ", ".join(f'"{event}"' for event in REQUESTER_EVENTS)
            hint = did_you_mean(word, REQUESTER_EVENTS)
            table.fault("notify_requester", f"knows no {quoted(word)}{hint}: true, false, or some of {words}")
    events = frozenset(chosen)
    return events | {"promoted"} if "approved" in events else events
