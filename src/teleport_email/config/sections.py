"""The sections of the configuration file, each read into its frozen value; what is wrong is collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from teleport_email.config import followups, tls_files, unfinished, values
from teleport_email.config.endpoints import is_loopback
from teleport_email.config.keys import (
    AUTH_MODES,
    FORMATS,
    KEYS,
    LOG_STREAMS,
    MAILGUN_BASES,
    POLICIES,
    REQUESTER_EVENTS,
    REVIEWERS,
    SEVERITIES,
    SUBJECTS,
    TLS_MODES,
)
from teleport_email.config.named_files import NamedFiles
from teleport_email.config.settings import (
    HOUR,
    NO_SECRET,
    DeliverySettings,
    DiagnosticsSettings,
    EscalationSettings,
    LogSettings,
    MailgunSettings,
    OAuth2Settings,
    Secret,
    Settings,
    SmtpSettings,
    TeleportSettings,
)
from teleport_email.config.spelling import documented, unknown
from teleport_email.config.tables import Table, did_you_mean, dotted, quoted
from teleport_email.core.addresses import parse_address, why_odd
from teleport_email.core.errors import Fault

DEFAULT_ADDR: Final = "localhost:3025"
# Looking at a file more often than this shows nothing sooner that matters.
_SHORTEST_REFRESH: Final = 1.0


class Reader:
    """One reading of one file: the settings come back, what is wrong collects in ``faults``."""

    def __init__(self, environ: Mapping[str, str], read_secrets: bool) -> None:
        self.environ = environ
        self.read_secrets = read_secrets
        self.faults: list[Fault] = []
        self.warnings: list[str] = []
        self.files = NamedFiles(environ, read_secrets, self.warnings)
        self.spelled: dict[str, str] = {}

    def settings(self, document: Mapping[str, object]) -> Settings:
        """The settings of a document; to be used only if ``faults`` stays empty."""
        document, respelled = documented(document)
        self.warnings += respelled
        top = self._table(document, "", KEYS[""])
        self._unknown(top)
        teleport = self._teleport(self._section(top, "teleport"))
        delivery_table = self._section(top, "delivery")
        self.warnings += [f"{name} {what}" for name, what in unfinished.variables(document).items()]
        mailer = self._mailer(top)
        delivery = self._delivery(delivery_table)
        roles = self._roles(top, delivery_table)
        settings = Settings(
            teleport=teleport,
            mailer=mailer,
            delivery=delivery,
            role_to_recipients=roles,
            escalation=self._escalation(top, roles),
            access_lists=followups.access_lists(self._section(top, "access_lists")),
            log=self._log(self._section(top, "log")),
            diagnostics=self._diagnostics(self._section(top, "diagnostics")),
            plugin_name=top.parsed("plugin_name", values.plugin_name, "email"),
            spelled=self.spelled,
            secret_files=tuple(self.files.secret_files),
            warnings=tuple(self.warnings),
        )
        self.faults[:] = unfinished.said(document, self.faults)
        return settings

    # The sections ---------------------------------------------------------------------------------

    def _teleport(self, table: Table) -> TeleportSettings:
        addr = self._addr(table, "addr")
        old = self._addr(table, "auth_server")
        if old:
            also = ", and ignored beside it" if addr else ""
            self.warnings.append(f"teleport.auth_server is the old name of teleport.addr{also}: rename it")
        identity = self.files.path(table, "identity")
        files = {key: self.files.path(table, key) for key in ("client_key", "client_crt", "root_cas")}
        given = [key for key in files if table.has(key)]
        if identity and given:
            self.warnings.append(f"teleport.{', '.join(given)}: not used beside teleport.identity")
            files = dict.fromkeys(files)
        elif 0 < len(given) < len(files):
            missing = " and ".join(key for key in files if key not in given)
            table.fault(given[0], f"needs {missing} beside it (or use identity instead of all three)")
        elif not table.has("identity") and not given:
            table.fault("identity", "is missing: name the identity file that tctl or Machine ID wrote")
        refresh = table.flag("refresh_identity")
        return TeleportSettings(
            addr=addr or old or DEFAULT_ADDR,
            identity=identity,
            refresh_identity=refresh,
            refresh_identity_interval=self._refresh_interval(table),
            resync_interval=table.duration("resync_interval", 600.0, zero=None),
            **files,
        )

    def _addr(self, table: Table, key: str) -> str:
        addr, without_port = table.parsed(key, values.cluster_addresses, ("", ""))
        if without_port:
            name = dotted(table.path, key)
            self.warnings.append(f"{name} has no port for {without_port}: 443 is tried, then 3025")
        return addr

    def _refresh_interval(self, table: Table) -> float:
        key, default = "refresh_identity_interval", 60.0
        nanoseconds = table.nanoseconds(key)
        if nanoseconds is None:
            seconds = table.duration(key, default, zero=default)
        elif nanoseconds < 0:
            table.fault(key, "must not be negative")
            return default
        else:
            seconds = nanoseconds / 1e9 or default
            self.warnings.append(
                f'{dotted(table.path, key)} is a number of nanoseconds: write it with a unit, such as "1m"'
            )
        if seconds < _SHORTEST_REFRESH:
            self.warnings.append(f"{dotted(table.path, key)} is less than a second: a second is used")
        return max(seconds, _SHORTEST_REFRESH)

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
        domain = table.text("domain")
        if domain.strip("/") != domain:
            self.warnings.append(f"mailgun.domain is {quoted(domain)}: the slash is dropped")
        return MailgunSettings(
            domain=table.parsed("domain", values.mailgun_domain, ""),
            private_key=self.files.secret(table, "private_key", needed="the domain's sending key"),
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
        username = table.any_text("username")
        auth, oauth2, password = self._smtp_login(table, username)
        plaintext = table.flag("allow_plaintext_auth")
        if auth != "none" and tls == "none" and host and not is_loopback(host):
            if plaintext:
                self.warnings.append(f"the login at {host} crosses the network in CLEAR TEXT: set smtp.tls")
            else:
                # What the server offers decides: nothing, or a login that does not show the password, works.
                self.warnings.append(
                    f"there is no TLS to {host}: if it wants the password so, nothing is sent; set smtp.tls "
                    "or smtp.starttls_policy, or leave username empty, or set allow_plaintext_auth = true"
                )
        client_cert, client_key = (
            self.files.readable(table, "client_cert"),
            self.files.readable(table, "client_key"),
        )
        if client_key and not client_cert:
            table.fault("client_key", "needs client_cert beside it")
        ca_file = self.files.readable(table, "ca_file")
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
            max_connections=table.number("max_connections", 10, least=1, most=100),
            messages_per_connection=table.number("messages_per_connection", 10, least=1, most=100_000),
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
        return "password", None, self.files.secret(table, "password", needed="the password of smtp.username")

    def _oauth2(self, table: Table) -> OAuth2Settings:
        self._unknown(table)
        token_file = self.files.path(table, "token_file")
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
            client_secret=self.files.secret(
                table, "client_secret", needed="the client's secret", any_bytes=False
            ),
            scope=table.text("scope"),
        )

    def _delivery(self, table: Table) -> DeliverySettings:
        if not table.has("sender"):
            table.fault("sender", "is missing: write the address that the mails come from")
        fallback = table.parsed("fallback_recipient", parse_address, "")
        if fallback != table.text("fallback_recipient"):
            self.spelled.setdefault(fallback, table.text("fallback_recipient"))
        sender = table.parsed("sender", values.sender, "")
        if sender and (why := values.odd_sender(table.text("sender"), sender)):
            self.warnings.append(f"delivery.sender: {quoted(table.text('sender'))} {why}")
        return DeliverySettings(
            sender=sender,
            catch_up=table.duration("catch_up", 168 * HOUR),
            reply_to=table.parsed("reply_to", parse_address, ""),
            timezone=table.parsed("timezone", values.timezone, "UTC"),
            templates=self.files.directory(table, "templates"),
            subject=self._subject(table),
            notify_requester=_notify_requester(table),
            remind_before_expiry=followups.reminders(table, "remind_before_expiry"),
            merge_deciding_review=table.flag("merge_deciding_review"),
            skip_own_review=table.flag("skip_own_review"),
            quiet_reviews=table.flag("quiet_reviews"),
            exclude_roles=table.texts("exclude_roles"),
            suggested_reviewers=table.choice("suggested_reviewers", REVIEWERS, "add"),
            max_suggested_reviewers=table.number("max_suggested_reviewers", 20, least=0, most=100_000),
            recipients_annotation=table.text("recipients_annotation"),
            allowed_domains=table.parsed_all("allowed_domains", values.allowed_domain),
            skip_requester=table.flag("skip_requester"),
            fallback_recipient=fallback,
            max_recipients=table.number("max_recipients", 500, least=1, most=100_000),
        )

    def _subject(self, table: Table) -> Literal["standard", "descriptive"]:
        # The Go plugin never looked at this key, so what its files have there is no fault; a slip is one.
        subject = table.known("subject", SUBJECTS)
        if subject is None and table.has("subject"):
            self.warnings.append(
                'delivery.subject is neither "standard" nor "descriptive": "standard" is used'
            )
        return subject or "standard"

    def _roles(self, top: Table, delivery: Table) -> Mapping[str, tuple[str, ...]]:
        everybody = self._addresses(delivery, "recipients")
        table = top.names("role_to_recipients")
        roles = table or self._table({}, "role_to_recipients", ())
        if delivery.has("recipients"):
            if roles.present:
                what = 'excludes [role_to_recipients]: move its addresses to the line "*" there'
                delivery.fault("recipients", what)
            return {"*": everybody}
        found: dict[str, tuple[str, ...]] = {}
        for role in roles.present:
            addresses = self._addresses(roles, role)
            if not role:
                self.warnings.append('role_to_recipients."" is an empty role name, which no request has')
            elif addresses:
                found[role] = addresses
            elif role != "*" and not roles.has(role):
                name = dotted("role_to_recipients", role)
                self.warnings.append(
                    f'{name} is empty, so "*" is told (delivery.exclude_roles is for telling nobody)'
                )
        misshapen = table is None and "role_to_recipients" in top.present
        if not misshapen and ("*" not in roles.present or not roles.has("*")):
            what = 'is missing: list who is told when no other line fits, such as "*" = "admin@example.com"'
            self.faults.append(Fault('role_to_recipients."*"', what))
        return found

    def _addresses(self, table: Table, key: str) -> tuple[str, ...]:
        addresses = table.parsed_with_texts(key, parse_address)
        for address, written in addresses.items():
            if written != address:
                self.spelled.setdefault(address, written)
            if why := why_odd(address):
                self.warnings.append(f"{dotted(table.path, key)}: {quoted(address)} {why}")
        return tuple(addresses)

    def _escalation(self, top: Table, told: Mapping[str, tuple[str, ...]]) -> EscalationSettings:
        table = top.table("escalation", KEYS["escalation"])
        if table is None:
            return EscalationSettings()
        self._unknown(table)
        return followups.escalation(table, self._addresses, told, self.warnings)

    def _log(self, table: Table) -> LogSettings:
        # Empty is stdout for the Go plugin, absent is stderr.
        output = "stdout" if table.is_empty_text("output") else table.text("output", "stderr")
        if output not in LOG_STREAMS and output.lower() in LOG_STREAMS:
            stream = LOG_STREAMS[output.lower()]
            self.warnings.append(f'log.output is the file {quoted(output)}: for the stream write "{stream}"')
        return LogSettings(
            output=LOG_STREAMS.get(output, output),
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

    def _table(self, values: Mapping[str, object], path: str, keys: Sequence[str]) -> Table:
        return Table(values, path, keys, self.faults)

    def _section(self, top: Table, key: str) -> Table:
        table = top.table(key, KEYS[key]) or self._table({}, key, KEYS[key])
        self._unknown(table)
        return table

    def _unknown(self, table: Table) -> None:
        for key in table.unknown():
            fault, what = unknown(table.path, key)
            if fault:
                table.fault(key, what)
            else:
                self.warnings.append(f"{dotted(table.path, key)} {what}: nothing comes of it")


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
