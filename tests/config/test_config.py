"""The configuration file: every key, every fault, all at once."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from teleport_email.commands.configure import boilerplate
from teleport_email.config import load, parse, with_flags
from teleport_email.config.keys import KEYS
from teleport_email.config.named_files import command_with
from teleport_email.config.sections import Reader
from teleport_email.config.settings import AccessListSettings, MailgunSettings, Secret, Settings, SmtpSettings
from teleport_email.config.unfinished import PLACEHOLDERS
from teleport_email.core.errors import ConfigError
from teleport_email.sandbox.mail.mail_certificates import MailAuthority

MINIMAL = """
[teleport]
addr = "teleport.example.com:443"
identity = "/var/lib/teleport-email/identity"
[smtp]
host = "mail.example.com"
[delivery]
sender = "teleport@example.com"
[role_to_recipients]
"*" = "admin@example.com"
"""
SMTP = '[smtp]\nhost = "mail.example.com"\n'


def read(text: str, **environ: str) -> Settings:
    return parse(text, environ=environ)


def faults(text: str, **environ: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, environ=environ)
    return {fault.path: fault.what for fault in caught.value.faults}


def smtp(text: str, **environ: str) -> SmtpSettings:
    mailer = read(MINIMAL.replace(SMTP, f"[smtp]\n{text}\n"), **environ).mailer
    assert isinstance(mailer, SmtpSettings)
    return mailer


def smtp_faults(text: str) -> dict[str, str]:
    return faults(MINIMAL.replace(SMTP, f"[smtp]\n{text}\n"))


def mailgun(text: str) -> MailgunSettings:
    mailer = read(MINIMAL.replace(SMTP, f"[mailgun]\n{text}\n")).mailer
    assert isinstance(mailer, MailgunSettings)
    return mailer


def mailgun_faults(text: str) -> dict[str, str]:
    return faults(MINIMAL.replace(SMTP, f"[mailgun]\n{text}\n"))


def delivery(text: str) -> Settings:
    return read(MINIMAL.replace("[delivery]\n", f"[delivery]\n{text}\n"))


def delivery_faults(text: str) -> dict[str, str]:
    return faults(MINIMAL.replace("[delivery]\n", f"[delivery]\n{text}\n"))


def test_a_small_file_gets_the_go_plugins_defaults() -> None:
    found = read(MINIMAL)
    assert found.teleport.addr == "teleport.example.com:443"
    assert found.teleport.refresh_identity is False
    assert found.teleport.refresh_identity_interval == 60.0
    assert found.mailer == SmtpSettings(host="mail.example.com", port=587, tls="starttls", auth="none")
    assert found.delivery.sender == "teleport@example.com"
    assert found.role_to_recipients == {"*": ("admin@example.com",)}
    assert (found.log.output, found.log.severity, found.log.format) == ("stderr", "info", "text")
    assert found.plugin_name == "email"
    assert found.diagnostics.addr == ""
    assert found.warnings == ()


def test_the_go_plugins_file_with_every_key(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pass word\n")
    found = read(f"""
        [teleport]
        addr = "auth.example.com:3025"
        client_key = "/k"
        client_crt = "/c"
        root_cas = "/r"
        refresh_identity = false
        refresh_identity_interval = "1h30m"
        [smtp]
        host = "smtp.gmail.com"
        port = 587
        username = "user@gmail.com"
        password = ""
        password_file = "{tmp_path}/password"
        starttls_policy = "mandatory"
        [delivery]
        sender = "noreply@example.com"
        [role_to_recipients]
        dev = "Dev-Manager@EXAMPLE.com"
        "*" = ["root@example.com", "admin@example.com", "admin@Example.com"]
        [log]
        output = "/var/lib/teleport/email.log"
        severity = "WARN"
    """)
    assert found.teleport.addr == "auth.example.com:3025"
    assert (found.teleport.client_key, found.teleport.client_crt) == (Path("/k"), Path("/c"))
    assert found.teleport.root_cas == Path("/r")
    assert found.teleport.refresh_identity_interval == 5400.0
    assert isinstance(found.mailer, SmtpSettings)
    assert found.mailer.auth == "password"
    assert found.mailer.password == Secret("pass word")
    assert found.secret_files == (tmp_path / "password",)
    assert found.role_to_recipients == {
        "dev": ("Dev-Manager@example.com",),
        "*": ("root@example.com", "admin@example.com"),
    }
    assert (found.log.output, found.log.severity) == ("/var/lib/teleport/email.log", "warning")


def test_all_faults_come_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(ConfigError) as caught:
        read("""
            plugin_name = "a/b"
            [log]
            severity = "loud"
            [smtp]
            max_conections = 3
            port = "587"
            [teleport]
            addr = "https://teleport.example.com"
        """)
    assert [fault.path for fault in caught.value.faults] == [
        "plugin_name",
        "log.severity",
        "smtp.host",
        "smtp.max_conections",
        "smtp.port",
        "teleport.identity",
        "teleport.addr",
        "delivery.sender",
        'role_to_recipients."*"',
    ]
    assert str(caught.value).count("\n") == 8


@pytest.mark.parametrize(
    ("line", "path", "hint"),
    [
        ("[diagnostic]", "diagnostic", 'did you mean "diagnostics"?'),
        ("[log]\nformats='json'", "log.formats", 'did you mean "format"?'),
        ("[teleport.x]\n[log]\nallowed-domains=['x']", "log.allowed-domains", "delivery.allowed_domains?"),
        ("exclude_roles=['x']", "exclude_roles", "did you mean delivery.exclude_roles?"),
    ],
)
def test_a_slip_in_a_key_of_ours_is_a_fault_with_a_guess(line: str, path: str, hint: str) -> None:
    found = faults(f"{line}\n{MINIMAL}" if "[" not in line.partition("\n")[0][:1] else MINIMAL + line)
    assert list(found) == [path]
    assert hint in found[path]


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("allowed_domainz", "delivery"),
        ("allow_domains", "delivery"),
        ("allowedDomains", "delivery"),
        ("exclude_role", "delivery"),
        ("skip_requestor", "delivery"),
        ("fallback_recipients", "delivery"),
        ("notify_requesters", "delivery"),
        ("suggested_reviewer", "delivery"),
        ("tlss", "smtp"),
        ("ca-file", "smtp"),
        ("allow_plain_text_auth", "smtp"),
        ("max_connection", "smtp"),
        ("require_tsl", "mailgun"),
        ("regoin", "mailgun"),
        ("allow_remotes", "diagnostics"),
    ],
)
def test_what_was_meant_to_close_something_never_goes_unheard(key: str, table: str) -> None:
    text = {"smtp": SMTP, "delivery": "[delivery]\n"}.get(table, "")
    line = f"{key} = 'x'\n"
    written = MINIMAL.replace(text, text + line) if text else f"{MINIMAL}[{table}]\n{line}"
    assert "did you mean" in faults(written)[f"{table}.{key}"]


@pytest.mark.parametrize(
    ("line", "path", "hint"),
    [
        ("[smpt]\nhost='x'", "smpt", 'did you mean "smtp"?'),
        ("[delivery2]", "delivery2", 'did you mean "delivery"?'),
        ("[slack]\ntoken='x'", "slack", "is not a known section"),
        ("[log]\nSeveritie='info'", "log.Severitie", 'did you mean "severity"?'),
        ("[log]\nrecipients='x'", "log.recipients", "did you mean delivery.recipients?"),
        ("[log]\nlevel='info'", "log.level", "is not a known key"),
        ("[log]\n'a b'=1", 'log."a b"', "is not a known key"),
        ('[log]\n"a\\nb"=1', 'log."a\\nb"', "is not a known key"),
    ],
)
def test_an_unknown_key_that_is_none_of_ours_is_passed_over(line: str, path: str, hint: str) -> None:
    [warning] = read(MINIMAL + line).warnings
    assert warning.startswith(f"{path} ")
    assert hint in warning
    assert warning.endswith("nothing comes of it")


@pytest.mark.parametrize("spell", [str.upper, str.capitalize])
def test_keys_and_sections_in_the_spellings_that_go_takes(spell: Callable[[str], str]) -> None:
    text = re.sub(r"^(\[?)([a-z_]+)", lambda found: found[1] + spell(found[2]), MINIMAL, flags=re.MULTILINE)
    assert spell("sender") in text
    found = read(text)
    assert replace(found, warnings=()) == read(MINIMAL)
    assert f"{spell('smtp')} is read as smtp: write it like that" in found.warnings
    assert any(f"delivery.{spell('sender')} is read as" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("lines", "used", "unread"),
    [
        ("SENDER='a@x.example'\nSender='b@x.example'\nsender='c@x.example'", "c", {"SENDER", "Sender"}),
        ("Sender='b@x.example'\nSENDER='a@x.example'", "a", {"Sender"}),
    ],
)
def test_of_two_spellings_the_exact_one_counts(lines: str, used: str, unread: set[str]) -> None:
    found = read(MINIMAL.replace('sender = "teleport@example.com"', lines))
    assert found.delivery.sender == f"{used}@x.example"
    assert {w.split()[0] for w in found.warnings if "is not read" in w} == {f"delivery.{u}" for u in unread}


def test_role_names_keep_their_case() -> None:
    found = read(MINIMAL + 'Sender = "dev@example.com"\nADDR = "db@example.com"\n')
    assert set(found.role_to_recipients) == {"*", "Sender", "ADDR"}


def test_a_syntax_error_has_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "teleport-email.toml"
    path.write_text('[teleport]\naddr = = "x"\n')
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    [fault] = caught.value.faults
    assert fault.path == f"{path}, line 2, column 8"
    assert "is not TOML" in fault.what


@pytest.mark.parametrize("text", ["a = " + "9" * 5000, "a = " + "[" * 5000, "a" + ".a" * 5000 + "=1"])
def test_absurd_toml_is_a_fault_too(text: str) -> None:
    with pytest.raises(ConfigError):
        read(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read: No such file.*configure"):
        load(tmp_path / "missing.toml", {})
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path, {})
    (tmp_path / "latin1.toml").write_bytes(b"\n[log]\noutput = '\xe4'\n")
    with pytest.raises(ConfigError, match=r"latin1\.toml, line 3: is not UTF-8"):
        load(tmp_path / "latin1.toml", {})


def test_a_comment_may_be_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "latin1.toml").write_bytes(MINIMAL.encode() + b"# f\xfcr alle\n")
    found = load(tmp_path / "latin1.toml", {})
    assert replace(found, warnings=()) == read(MINIMAL)
    [warning] = found.warnings
    assert warning == f"{tmp_path}/latin1.toml, line 11: a comment is not UTF-8: save the file as UTF-8"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("(Teleport) a@x.example", "Teleport <a@x.example>"),
        ("a@x.example (Teleport)", "Teleport <a@x.example>"),
        ("Bot <a@x.example> (Teleport)", "Bot <a@x.example>"),
        ("Bot (prod) <a@x.example>", "Bot (prod) <a@x.example>"),
        (" Bot < a@X.example > ", "Bot <a@x.example>"),
        ("<a@x.example.>", "a@x.example"),
        ("=?utf-8?q?T=C3=A9l=C3=A9port?= <a@x.example>", "Téléport <a@x.example>"),
    ],
)
def test_senders_in_every_form(written: str, read_as: str) -> None:
    found = read(MINIMAL.replace('"teleport@example.com"', f'"{written}"'))
    assert found.delivery.sender == read_as


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    (tmp_path / "bom.toml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load(tmp_path / "bom.toml", {}).plugin_name == "email"


# [teleport] -----------------------------------------------------------------------------------------


def teleport_faults(text: str) -> dict[str, str]:
    return faults(re.sub(r"\[teleport\].*\[smtp\]", f"[teleport]\n{text}\n[smtp]", MINIMAL, flags=re.DOTALL))


def test_auth_server_is_the_old_name_of_addr() -> None:
    old = read(MINIMAL.replace("addr =", "auth_server ="))
    assert old.teleport.addr == "teleport.example.com:443"
    assert "old name of teleport.addr" in old.warnings[0]
    both = read(MINIMAL.replace("addr =", 'auth_server = "old:1"\naddr ='))
    assert both.teleport.addr == "teleport.example.com:443"
    assert "ignored" in both.warnings[0]


def test_the_default_address_is_the_auth_service_here() -> None:
    assert read(MINIMAL.replace("addr =", "#")).teleport.addr == "localhost:3025"


@pytest.mark.parametrize("addr", ["a.example:1", "[::1]:3025", "127.0.0.1:3025", "a.example:1, b.example:2"])
def test_addresses_of_every_form(addr: str) -> None:
    found = read(MINIMAL.replace("teleport.example.com:443", addr))
    assert found.teleport.addr == addr.replace(" ", "")


@pytest.mark.parametrize(
    ("addr", "used"),
    [
        ("teleport.example.com", "teleport.example.com:443,teleport.example.com:3025"),
        ("192.0.2.1", "192.0.2.1:443,192.0.2.1:3025"),
        ("[2001:db8::1]", "[2001:db8::1]:443,[2001:db8::1]:3025"),
        ("a.example:1, b.example", "a.example:1,b.example:443,b.example:3025"),
    ],
)
def test_without_a_port_those_of_proxy_and_auth_service_are_tried(addr: str, used: str) -> None:
    found = read(MINIMAL.replace("teleport.example.com:443", addr))
    assert found.teleport.addr == used
    [warning] = found.warnings
    assert "has no port" in warning
    assert "443" in warning


@pytest.mark.parametrize(
    ("addr", "reason"),
    [
        ("https://teleport.example.com:443", "without a scheme"),
        ("teleport.example.com:0", "no usable port"),
        ("teleport.example.com:99999", "no usable port"),
        ("teleport.example.com:٣", "no usable port"),
        (":443", "has no host"),
        ("::1:3025", "IPv6 address without brackets"),
        ("[x]:1", "do not hold an IPv6"),
        ("a:1,", "has no port"),
        ("a b:1", "characters"),
    ],
)
def test_addresses_of_no_form(addr: str, reason: str) -> None:
    assert reason in teleport_faults(f'identity = "/i"\naddr = "{addr}"')["teleport.addr"]


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("", "teleport.identity", "is missing"),
        ("client_key='/k'", "teleport.client_key", "needs client_crt and root_cas"),
        ("client_crt='/c'\nroot_cas='/r'", "teleport.client_crt", "needs client_key"),
        ("identity='/i'\nrefresh_identity='yes'", "teleport.refresh_identity", "true or false, not a string"),
        ("identity='/i'\nrefresh_identity_interval='1d'", "teleport.refresh_identity_interval", "duration"),
        ("identity='/i'\nrefresh_identity_interval=-60", "teleport.refresh_identity_interval", "negative"),
        ("identity='/i'\nresync_interval=60", "teleport.resync_interval", '"90s"'),
        ("identity='/i'\nresync_interval='0'", "teleport.resync_interval", "more than zero"),
        ("identity=['/i']", "teleport.identity", "a string in quotes, not an array"),
        ("identity='${CREDENTIALS_DIRECTORY}/i'", "teleport.identity", "LoadCredential"),
    ],
)
def test_what_excludes_and_what_needs_what(text: str, path: str, what: str) -> None:
    found = teleport_faults(text)
    assert what in found[path]


def test_an_interval_of_zero_is_the_default_as_in_go() -> None:
    text = MINIMAL.replace("[smtp]", 'refresh_identity_interval = "0"\n[smtp]')
    assert read(text).teleport.refresh_identity_interval == 60.0


@pytest.mark.parametrize(
    ("written", "seconds", "hint"),
    [
        ("60000000000", 60.0, "nanoseconds"),
        ("90_000_000_000", 90.0, "nanoseconds"),
        ("0", 60.0, "nanoseconds"),
        ("60", 1.0, "less than a second"),
        ("'1ms'", 1.0, "less than a second"),
    ],
)
def test_a_number_is_nanoseconds_as_in_go(written: str, seconds: float, hint: str) -> None:
    found = read(MINIMAL.replace("[smtp]", f"refresh_identity_interval = {written}\n[smtp]"))
    assert found.teleport.refresh_identity_interval == seconds
    assert hint in found.warnings[-1]


def test_an_identity_comes_before_the_three_files() -> None:
    found = read(MINIMAL.replace("[smtp]", "client_key='/k'\nclient_crt='/c'\n[smtp]"))
    assert (found.teleport.client_key, found.teleport.client_crt) == (None, None)
    assert found.teleport.identity == Path("/var/lib/teleport-email/identity")
    [warning] = found.warnings
    assert warning == "teleport.client_key, client_crt: not used beside teleport.identity"


def test_the_three_files_can_be_renewed_too() -> None:
    three = "client_key='/k'\nclient_crt='/c'\nroot_cas='/r'\nrefresh_identity=true"
    found = read(MINIMAL.replace('identity = "/var/lib/teleport-email/identity"', three))
    assert found.teleport.refresh_identity
    assert found.warnings == ()


def test_credentials_of_systemd_are_found_by_their_directory() -> None:
    text = MINIMAL.replace("/var/lib/teleport-email", "${CREDENTIALS_DIRECTORY}")
    assert read(text, CREDENTIALS_DIRECTORY="/run/credentials/x").teleport.identity == Path(
        "/run/credentials/x/identity"
    )


# [smtp] ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tls"),
    [
        ("", "starttls"),
        ("port = 465", "implicit"),
        ("port = 465\nstarttls_policy = 'disabled'", "implicit"),
        ("port = 0", "starttls"),
        ("starttls_policy = ''", "starttls"),
        ("starttls_policy = 'mandatory'", "starttls"),
        ("starttls_policy = 'opportunistic'", "opportunistic"),
        ("starttls_policy = 'disabled'", "none"),
        ("tls = 'auto'\nstarttls_policy = 'disabled'", "none"),
        ("tls = 'starttls'\nport = 465", "starttls"),
        ("tls = 'implicit'\nport = 2465", "implicit"),
        ("tls = 'none'", "none"),
    ],
)
def test_tls_is_worked_out_once(text: str, tls: str) -> None:
    assert smtp(f"host = 'm.example'\n{text}").tls == tls


@pytest.mark.parametrize(
    ("text", "auth"),
    [
        ("", "none"),
        ("username = ''\npassword = ''", "none"),
        ("username = 'u'\npassword = 'p'", "password"),
        ("username = 'u'\npassword = 'p'\nauth = 'none'", "none"),
        ("username = 'u'\nauth = 'xoauth2'\n[smtp.oauth2]\ntoken_file = '/t'", "xoauth2"),
    ],
)
def test_login_is_worked_out_once(text: str, auth: str) -> None:
    assert smtp(f"host = 'm.example'\n{text}").auth == auth


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_a_login_in_clear_text_is_fine_within_this_machine(host: str) -> None:
    found = smtp(f"host = '{host}'\ntls = 'none'\nusername = 'u'\npassword = 'p'")
    assert (found.tls, found.auth, found.host) == ("none", "password", host.strip("[]"))


def test_whether_a_login_would_be_in_clear_text_is_for_the_server_to_say() -> None:
    text = "host = 'm.example'\nstarttls_policy = 'disabled'\nusername = 'u'\npassword = 'p'"
    found = read(MINIMAL.replace(SMTP, f"[smtp]\n{text}\n"))
    assert isinstance(found.mailer, SmtpSettings)
    assert (found.mailer.tls, found.mailer.auth) == ("none", "password")
    assert not found.mailer.allow_plaintext_auth
    assert "nothing is sent" in found.warnings[0]
    allowed = read(MINIMAL.replace(SMTP, f"[smtp]\n{text}\nallow_plaintext_auth = true\n"))
    assert "CLEAR TEXT" in allowed.warnings[0]
    assert smtp("host = 'm.example'\ntls = 'none'").auth == "none"


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("", "smtp.host", "is missing"),
        ("host = 'm.example:25'", "smtp.host", "smtp.port"),
        ("host = 'smtp://m.example'", "smtp.host", "smtp.port"),
        ("host = 'm.example'\nport = 65536", "smtp.port", "between"),
        ("host = 'm.example'\nport = true", "smtp.port", "a whole number"),
        ("host = 'm.example'\nusername = 'u'", "smtp.password", "is missing"),
        ("host = 'm.example'\nusername = 'u'\npassword = 5", "smtp.password", "a string in quotes"),
        ("host = 'm.example'\ntls = 'ssl'", "smtp.tls", "write one of"),
        ("host = 'm.example'\ntls = 'startls'", "smtp.tls", 'did you mean "starttls"'),
        ("host = 'm.example'\nstarttls_policy = 'required'", "smtp.starttls_policy", '"mandatory"'),
        ("host = 'm.example'\nauth = 'xoauth2'", "smtp.username", "needs the mailbox"),
        ("host = 'm.example'\nusername='u'\nauth = 'xoauth2'", "smtp.auth", "[smtp.oauth2]"),
        ("host = 'm.example'\n[smtp.oauth2]\ntoken_file='/t'", "smtp.oauth2", "smtp.auth is not"),
        ("host = 'm.example'\nclient_key = '/dev/null'", "smtp.client_key", "needs client_cert"),
        ("host = 'm.example'\nca_file = '/nowhere'", "smtp.ca_file", "/nowhere: No such file"),
        ("host = 'm.example'\nhelo_hostname = 'a b'", "smtp.helo_hostname", "host's name"),
        ("host = 'm.example'\nmax_connections = 0", "smtp.max_connections", "between"),
        ("host = 'm.example'\nmessages_per_connection = -1", "smtp.messages_per_connection", "between"),
        ("host = 'm.example'\npipelining = 'no'", "smtp.pipelining", "true or false"),
    ],
)
def test_faults_of_smtp(text: str, path: str, what: str) -> None:
    assert what in smtp_faults(text)[path]


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("", "smtp.oauth2.token_url", "is missing"),
        ("token_url='https://t.example/x'", "smtp.oauth2.client_id", "is missing"),
        ("token_url='https://t.example/x'\nclient_id='c'", "smtp.oauth2.client_secret", "is missing"),
        ("token_url='http://t.example/x'", "smtp.oauth2.token_url", "https://"),
        ("token_url='https://u:hunter2@t.example/x'", "smtp.oauth2.token_url", "no user"),
        ("token_url='https://[/x'", "smtp.oauth2.token_url", "web address"),
        ("token_file='/t'\nclient_id='c'", "smtp.oauth2.token_file", "excludes client_id"),
        ("tokenfile='/t'", "smtp.oauth2.tokenfile", 'did you mean "token_file"'),
    ],
)
def test_faults_of_oauth2(text: str, path: str, what: str) -> None:
    found = smtp_faults(f"host='m.example'\nusername='u'\nauth='xoauth2'\n[smtp.oauth2]\n{text}")
    assert what in found[path]
    assert "hunter2" not in str(found)


def test_client_credentials() -> None:
    found = smtp(
        "host='m.example'\nusername='u'\nauth='xoauth2'\n[smtp.oauth2]\n"
        "token_url='http://127.0.0.1:8080/token'\nclient_id='c'\nclient_secret='s'\nscope='mail'"
    ).oauth2
    assert found is not None
    assert (found.token_url, found.client_id, found.scope) == ("http://127.0.0.1:8080/token", "c", "mail")
    assert found.client_secret == Secret("s")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"a\0b", "not one line"),
        (b"x" * 70000, "not one line"),
        (None, "No such file or directory"),
    ],
)
def test_faults_of_password_files_name_the_file(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    found = smtp_faults(f"host='m.example'\nusername='u'\npassword_file='{path}'")
    assert str(path) in found["smtp.password_file"]
    assert what in found["smtp.password_file"]


@pytest.mark.parametrize(
    ("content", "sent", "odd"),
    [
        (b"pass\n", b"pass", False),
        (b" \tpass word\r\n", b"pass word", False),
        ("pä€\n".encode(), "pä€".encode(), False),
        ("\u00a0pass\u3000".encode(), b"pass", False),
        (b"a\nb\n", b"a\nb", True),
        (b"a\tb\n", b"a\tb", True),
        (b"\x1cpass\x1f\n", b"\x1cpass\x1f", True),
        (b"p\xe4ss\n", b"p\xe4ss", True),
        (b"\xef\xbb\xbfpass\n", b"\xef\xbb\xbfpass", True),
    ],
)
@pytest.mark.parametrize(
    "section", ["[smtp]\nhost='m.example'\nusername='u'\npassword", "[mailgun]\ndomain='x'\nprivate_key"]
)
def test_a_password_file_is_sent_as_it_is(
    tmp_path: Path, section: str, content: bytes, sent: bytes, odd: bool
) -> None:
    (tmp_path / "password").write_bytes(content)
    found = read(MINIMAL.replace(SMTP, f"{section}_file='{tmp_path}/password'\n"))
    secret = found.mailer.password if isinstance(found.mailer, SmtpSettings) else found.mailer.private_key
    assert secret.raw() == sent
    assert any("is sent as it is" in warning for warning in found.warnings) is odd


def test_the_client_s_secret_is_one_line_of_text(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"p\xe4ss\n")
    text = f"token_url='https://t.example/x'\nclient_id='c'\nclient_secret_file='{tmp_path}/secret'"
    found = smtp_faults(f"host='m.example'\nusername='u'\nauth='xoauth2'\n[smtp.oauth2]\n{text}")
    assert "not one line" in found["smtp.oauth2.client_secret_file"]


def test_a_password_wins_over_its_file() -> None:
    text = MINIMAL.replace(SMTP, SMTP + "username='u'\npassword='p'\npassword_file='/nowhere'\n")
    found = read(text)
    assert isinstance(found.mailer, SmtpSettings)
    assert found.mailer.password == Secret("p")
    assert "smtp.password_file is not read" in found.warnings[0]


def test_a_password_without_a_user_is_mentioned() -> None:
    assert "smtp.username is empty" in read(MINIMAL.replace(SMTP, SMTP + "password='p'\n")).warnings[0]


def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    """A reload must keep the old ones, so it has to see this before anything is sent."""
    authority = MailAuthority("own CA")
    good, garbage, locked = (tmp_path / name for name in ("good.pem", "garbage.pem", "locked.pem"))
    good.write_bytes(authority.ca_pem)
    garbage.write_text("[smtp]\n")
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    host = "host = 'm.example'\n"
    assert smtp(f"{host}ca_file = '{good}'").ca_file == good
    assert "no usable certificate" in smtp_faults(f"{host}ca_file = '{garbage}'")["smtp.ca_file"]
    alone = smtp_faults(f"{host}client_cert = '{good}'")["smtp.client_cert"]
    assert "without client_key" in alone
    for key in (locked, garbage):
        told = smtp_faults(f"{host}client_cert = '{good}'\nclient_key = '{key}'")["smtp.client_cert"]
        assert str(key) in told
        assert "without a pass phrase" in told


def test_files_stay_closed_where_nobody_needs_them() -> None:
    text = MINIMAL.replace(SMTP, SMTP + "username='u'\npassword_file='/nowhere'\nca_file='/nowhere'\n")
    found = parse(text, environ={}, read_secrets=False)
    assert isinstance(found.mailer, SmtpSettings)
    assert not found.mailer.password


def test_secrets_show_nowhere() -> None:
    text = MINIMAL.replace(SMTP, SMTP + "username='u'\npassword='hunter2'\n")
    assert "hunter2" not in repr(read(text))
    broken = (
        text.replace("587", "x").replace("sender", "snder") + "[mailgun]\nprivate_key='hunter2'\nregion='x'"
    )
    with pytest.raises(ConfigError) as caught:
        read(broken)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value)


# [mailgun] ------------------------------------------------------------------------------------------

KEY = "private_key = 'k'\ndomain = 'mg.example.com'\n"


def test_mailgun(tmp_path: Path) -> None:
    assert mailgun(KEY) == MailgunSettings(domain="mg.example.com", private_key=Secret("k"))
    assert mailgun(KEY + "region = 'EU'").api_base == "https://api.eu.mailgun.net"
    assert (
        mailgun(KEY + "api_base = 'https://api.eu.mailgun.net/v3/'").api_base == "https://api.eu.mailgun.net"
    )
    assert mailgun(KEY + "api_base = 'http://127.0.0.1:99'").api_base == "http://127.0.0.1:99"
    assert mailgun(KEY + "require_tls = false").require_tls is False
    (tmp_path / "key").write_text("from-file\n")
    from_file = mailgun(f"domain = 'd'\nprivate_key = ''\nprivate_key_file = '{tmp_path}/key'")
    assert from_file.private_key == Secret("from-file")


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ("private_key = 'k'", "mailgun.domain", "is missing"),
        ("domain = 'd'", "mailgun.private_key", "is missing"),
        ("domain = 'a/b'\nprivate_key='k'", "mailgun.domain", "characters"),
        (KEY + "region = 'us'\napi_base = 'https://x.example'", "mailgun.api_base", "excludes region"),
        (KEY + "api_base = 'http://api.example'", "mailgun.api_base", "https://"),
        (KEY + "api_base = 'https://api.example/other'", "mailgun.api_base", "end after the host"),
        (KEY + "api_base = 'https://api.example:x'", "mailgun.api_base", "web address"),
        (KEY + "region = 'asia'", "mailgun.region", '"us", "eu"'),
    ],
)
def test_faults_of_mailgun(text: str, path: str, what: str) -> None:
    assert what in mailgun_faults(text)[path]


def test_smtp_wins_over_mailgun_and_one_is_needed() -> None:
    both = read(MINIMAL + "[mailgun]\n" + KEY)
    assert isinstance(both.mailer, SmtpSettings)
    assert "SMTP is used" in both.warnings[0]
    assert "[mailgun]" in faults(MINIMAL.replace(SMTP, ""))["smtp"]


# [delivery] and [role_to_recipients] ----------------------------------------------------------------


def test_the_old_recipients_become_the_star() -> None:
    roles = '[role_to_recipients]\n"*" = "admin@example.com"\n'
    old = MINIMAL.replace(roles, "").replace(
        "[delivery]", "[delivery]\nrecipients = ['a@x.example', 'b@x.example']"
    )
    assert read(old).role_to_recipients == {"*": ("a@x.example", "b@x.example")}
    assert "excludes" in delivery_faults("recipients = ['a@x.example']")["delivery.recipients"]
    assert delivery("recipients = []").role_to_recipients == {"*": ("admin@example.com",)}


@pytest.mark.parametrize(
    ("table", "path", "what"),
    [
        ("", 'role_to_recipients."*"', "is missing"),
        ("dev = 'a@x.example'", 'role_to_recipients."*"', "is missing"),
        ("'*' = []", 'role_to_recipients."*"', "is missing"),
        ("'*' = ''", 'role_to_recipients."*"', "is missing"),
        ("'*' = ['']", 'role_to_recipients."*"', "entry 1 is empty"),
        ("'*' = ['a@x.example', 5]", 'role_to_recipients."*"', "entry 2 must be a string"),
        ("'*' = 5", 'role_to_recipients."*"', "a string or an array of strings"),
        ("'*' = 'Alice <a@x.example>'", 'role_to_recipients."*"', "display name"),
        ("'*' = 'a@x.example'\n'a.b' = 'x'", 'role_to_recipients."a.b"', "has no @"),
        ("'*' = 'a@x.example'\ndev = {x = 1}", "role_to_recipients.dev", "not a table"),
    ],
)
def test_faults_of_roles(table: str, path: str, what: str) -> None:
    found = faults(MINIMAL.replace('"*" = "admin@example.com"', table))
    assert list(found) == [path]
    assert what in found[path]


def test_globs_are_kept_and_empty_roles_fall_to_the_star() -> None:
    found = read(MINIMAL + '"prod-*" = "p@x.example"\nnobody = []\n')
    assert found.role_to_recipients == {"*": ("admin@example.com",), "prod-*": ("p@x.example",)}
    assert "role_to_recipients.nobody is empty" in found.warnings[0]


def test_delivery_with_every_key(tmp_path: Path) -> None:
    found = delivery(f"""
        catch_up = "0"
        reply_to = "help@EXAMPLE.com"
        timezone = "Europe/Berlin"
        templates = "{tmp_path}"
        subject = "Descriptive"
        notify_requester = ["received", "approved"]
        remind_before_expiry = "2h"
        merge_deciding_review = true
        skip_own_review = true
        quiet_reviews = true
        exclude_roles = ["ci-*"]
        suggested_reviewers = "only"
        max_suggested_reviewers = 5
        allowed_domains = ["Example.com", "@bücher.example", "example.com"]
        skip_requester = true
        fallback_recipient = "f@example.com"
        max_recipients = 7
    """).delivery
    assert found.catch_up == 0.0
    assert found.reply_to == "help@example.com"
    assert found.timezone == "Europe/Berlin"
    assert found.templates == tmp_path
    assert found.subject == "descriptive"
    assert found.notify_requester == {"received", "approved", "promoted"}
    assert found.remind_before_expiry == (7200.0,)
    assert found.merge_deciding_review
    assert found.skip_own_review
    assert found.quiet_reviews
    assert found.exclude_roles == ("ci-*",)
    assert found.suggested_reviewers == "only"
    assert found.max_suggested_reviewers == 5
    assert found.allowed_domains == ("example.com", "xn--bcher-kva.example")
    assert found.skip_requester
    assert found.fallback_recipient == "f@example.com"
    assert found.max_recipients == 7


def test_true_tells_the_requester_everything_and_false_nothing() -> None:
    everything = {"received", "approved", "promoted", "denied", "expired", "ended"}
    assert delivery("notify_requester = true").delivery.notify_requester == everything
    assert delivery("notify_requester = false").delivery.notify_requester == frozenset()
    assert delivery("notify_requester = []").delivery.notify_requester == frozenset()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('"Teleport <t@Example.com>"', "Teleport <t@example.com>"),
        ("'\"Access, Teleport\" <t@example.com>'", "Access, Teleport <t@example.com>"),
        ('"Zugänge <t@example.com>"', "Zugänge <t@example.com>"),
        ('"<t@example.com>"', "t@example.com"),
    ],
)
def test_the_sender_may_have_a_name(text: str, wanted: str) -> None:
    found = read(MINIMAL.replace('sender = "teleport@example.com"', f"sender = {text}"))
    assert found.delivery.sender == wanted


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        ("sender = 'x'", "sender", "no @"),
        ("sender = 'A <b> <t@example.com>'", "sender", "characters"),
        ("sender = 'A <t@example.com> b'", "sender", "Name <address>"),
        ('sender = "A\\u0000 <t@example.com>"', "sender", "control"),
        ('sender = "A\\u202e <t@example.com>"', "sender", "characters"),
    ],
)
def test_faults_of_the_sender(text: str, key: str, what: str) -> None:
    assert what in faults(MINIMAL.replace('sender = "teleport@example.com"', text))[f"delivery.{key}"]


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        ("catch_up = 'soon'", "catch_up", "duration"),
        ("catch_up = 168", "catch_up", "with a unit"),
        ("reply_to = 'A <a@x.example>'", "reply_to", "display name"),
        ("timezone = 'Europe/Berlim'", "timezone", "time zone"),
        ("timezone = 'Europe'", "timezone", "time zone"),
        ("timezone = '../../etc/passwd'", "timezone", "time zone"),
        ("templates = '/nowhere'", "templates", "No such file"),
        ("notify_requester = 'all'", "notify_requester", "knows no"),
        ("notify_requester = ['aproved']", "notify_requester", 'did you mean "approved"'),
        ("notify_requester = 1", "notify_requester", "not a number"),
        ("exclude_roles = [1]", "exclude_roles", "entry 1"),
        ("subject = 'description'", "subject", 'did you mean "descriptive"'),
        ("suggested_reviewers = 'none'", "suggested_reviewers", '"ignore"'),
        ("allowed_domains = ['*.example.com']", "allowed_domains", "wildcard"),
        ("allowed_domains = ['a b']", "allowed_domains", "characters"),
        ("skip_requester = 'no'", "skip_requester", "true or false"),
        ("fallback_recipient = 'x'", "fallback_recipient", "no @"),
        ("max_recipients = 0", "max_recipients", "between"),
        ("remind_before_expiry = '-1h'", "remind_before_expiry", "negative"),
        ("remind_before_expiry = 2", "remind_before_expiry", "with a unit"),
        (
            "remind_before_expiry = ['4h', '240m']",
            "remind_before_expiry",
            'the same minute as "4h": keep one',
        ),
        ("remind_before_expiry = ['90s', '2m']", "remind_before_expiry", "the same minute"),
        ("remind_before_expiry = ['1h', '0']", "remind_before_expiry", "more than zero: leave it out"),
        ("remind_before_expiry = ['1h', '']", "remind_before_expiry", "entry 2 is empty"),
        ("remind_before_expiry = ['1h', 2]", "remind_before_expiry", "entry 2 must be a string"),
        ("remind_before_expiry = ['1h', 'soon']", "remind_before_expiry", "is not a duration"),
        ("remind_before_expiry = ['200h', '1h']", "remind_before_expiry", "(168h)"),
        (
            "remind_before_expiry = ['1h','2h','3h','4h','5h','6h','7h','8h','9h']",
            "remind_before_expiry",
            "holds 9 reminders: 8 are the most",
        ),
        ("quiet_reviews = 'yes'", "quiet_reviews", "true or false"),
        ("merge_deciding_review = 1", "merge_deciding_review", "true or false"),
        ("skip_own_reviews = true", "skip_own_reviews", 'did you mean "skip_own_review"'),
        ("max_suggested_reviewers = 1.5", "max_suggested_reviewers", "a whole number"),
        ("catch_up = 2020-01-01", "catch_up", "a date or time"),
    ],
)
def test_faults_of_delivery(text: str, key: str, what: str) -> None:
    assert what in delivery_faults(text)[f"delivery.{key}"]


def test_reminders_may_be_several() -> None:
    assert delivery('remind_before_expiry = ["1h", "4h"]').delivery.remind_before_expiry == (14400.0, 3600.0)
    assert delivery('remind_before_expiry = ["2h"]').delivery.remind_before_expiry == (7200.0,)
    for off in ('""', '"0"', "[]"):
        assert delivery(f"remind_before_expiry = {off}").delivery.remind_before_expiry == ()


# [escalation] ---------------------------------------------------------------------------------------

WHO = '[escalation.role_to_recipients]\n"*" = "lead@Example.com"\n"prod-*" = ["a@x.example", "b@x.example"]\n'


def test_a_request_is_escalated_by_role() -> None:
    found = read(f'{MINIMAL}[escalation]\nafter = "30m"\n{WHO}')
    assert found.escalation.after == 1800.0
    assert found.escalation.role_to_recipients == {
        "*": ("lead@example.com",),
        "prod-*": ("a@x.example", "b@x.example"),
    }
    assert found.spelled["lead@example.com"] == "lead@Example.com"
    assert read(MINIMAL).escalation.after == 0.0
    assert read(f'{MINIMAL}[escalation]\nafter = "0"\n').escalation.after == 0.0, "off"


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        (
            f"[escalation]\n{WHO}",
            "after",
            'is missing: write how long after a request is made, such as "30m"',
        ),
        ('[escalation]\nafter = "30m"\n', "role_to_recipients", 'such as "*" = "oncall@example.com"'),
        (f'[escalation]\nafter = "200h"\n{WHO}', "after", '"200h" is longer than a request can wait'),
        (f'[escalation]\nafter = "-5m"\n{WHO}', "after", "negative"),
        (f"[escalation]\nafter = 30\n{WHO}", "after", "with a unit"),
        ('[escalation]\nafter = "1h"\nrecipients = ["a@x.example"]\n', "recipients", "has no roles: write"),
        (f'[escalation]\nafter = "1h"\ndba = "a@x.example"\n{WHO}', "dba", "roles have their lines in"),
        (f'[escalation]\nafer = "1h"\n{WHO}', "afer", 'did you mean "after"'),
        ('[escalation]\nafter = "1h"\nrole_to_recipients = "a@x.example"\n', "role_to_recipients", "table"),
        (
            '[escalation]\nafter = "1h"\n[escalation.role_to_recipients]\ndba = "nobody"\n',
            "role_to_recipients.dba",
            "has no @",
        ),
    ],
)
def test_faults_of_escalation(text: str, path: str, what: str) -> None:
    assert what in faults(MINIMAL + text)[f"escalation.{path}"]


# [access_lists] -------------------------------------------------------------------------------------


def test_reminders_of_access_lists_are_off_until_asked_for() -> None:
    assert read(MINIMAL).access_lists == AccessListSettings(enabled=False, skip_without_members=True)
    found = read(f"{MINIMAL}[access_lists]\nenabled = true\nskip_without_members = false\n")
    assert found.access_lists == AccessListSettings(enabled=True, skip_without_members=False)


@pytest.mark.parametrize(
    ("text", "path", "what"),
    [
        ('[access_lists]\nenabled = "yes"\n', "access_lists.enabled", "must be true or false"),
        ("[access_lists]\nskip_without_members = 1\n", "access_lists.skip_without_members", "true or false"),
        ("[access_lists]\nenable = true\n", "access_lists.enable", 'did you mean "enabled"'),
        ("[access_list]\nenabled = true\n", "access_list", 'did you mean "access_lists"'),
        ("[[access_lists]]\nenabled = true\n", "access_lists", "must be one table"),
        ("[delivery]\nskip_without_members = true\n", "delivery.skip_without_members", "access_lists.skip"),
    ],
)
def test_faults_of_access_lists(text: str, path: str, what: str) -> None:
    written = MINIMAL.replace("[delivery]\n", text) if "[delivery]" in text else MINIMAL + text
    assert what in faults(written)[path]


def test_enabled_is_a_word_of_many_files_and_no_slip_elsewhere() -> None:
    found = delivery("enabled = true")
    assert "delivery.enabled is not a known key (did you mean access_lists.enabled?)" in found.warnings[0]
    assert not found.access_lists.enabled


def test_an_escalation_that_tells_nobody_new_is_said() -> None:
    who = '[escalation.role_to_recipients]\n"*" = "admin@example.com"\nother = []\n'
    warnings = read(f'{MINIMAL}[escalation]\nafter = "1h"\n{who}').warnings
    assert any('escalation.role_to_recipients."*": all of these are told at once' in one for one in warnings)
    assert any("escalation.role_to_recipients.other is empty: nobody" in one for one in warnings)


# [log], [diagnostics], the rest ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("INFO", "info"),
        ("Err", "error"),
        ("error", "error"),
        ("debug", "debug"),
        ("warn", "warning"),
        ("Warning", "warning"),
        ("TRACE", "trace"),
        ("", "info"),
    ],
)
def test_severities_in_any_case(word: str, severity: str) -> None:
    assert read(f"{MINIMAL}[log]\nseverity = '{word}'").log.severity == severity


@pytest.mark.parametrize("addr", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"])
def test_diagnostics_within_this_machine(addr: str) -> None:
    assert read(f"{MINIMAL}[diagnostics]\naddr = '{addr}'").diagnostics.addr == addr


@pytest.mark.parametrize("addr", [":9000", "0.0.0.0:9000", "[::]:9000", "host.example:9000"])
def test_diagnostics_for_others_must_be_asked_for(addr: str) -> None:
    section = f"{MINIMAL}[diagnostics]\naddr = '{addr}'\n"
    assert "allow_remote" in faults(section)["diagnostics.addr"]
    assert read(section + "allow_remote = true").diagnostics.addr == addr


@pytest.mark.parametrize("name", ["a/b", "a,b", "a b", "a\\u0000"])
def test_plugin_names_fit_into_plugin_data(name: str) -> None:
    assert "plugin_name" in faults(f'plugin_name = "{name}"\n{MINIMAL}')


def test_an_own_plugin_name() -> None:
    assert read(f'plugin_name = "email-staging"\n{MINIMAL}').plugin_name == "email-staging"


@pytest.mark.parametrize("text", ["smtp = 3\n", "[[smtp]]\nhost = 'x'\n"])
def test_a_section_of_another_shape(text: str) -> None:
    found = faults(text + MINIMAL.replace(SMTP, ""))
    assert list(found) == ["smtp"]
    assert "[smtp]" in found["smtp"]


def test_flags_of_the_command_line() -> None:
    found = read(MINIMAL)
    assert with_flags(found) == found
    assert with_flags(found, debug=True).log.severity == "debug"
    traced = read(MINIMAL + "[log]\nseverity='trace'")
    assert with_flags(traced, debug=True).log.severity == "trace"
    assert with_flags(found, diag_addr="127.0.0.1:1").diagnostics.addr == "127.0.0.1:1"
    with pytest.raises(ConfigError, match=r"--diag-addr.*open to the network"):
        with_flags(found, diag_addr="0.0.0.0:1")


# Anything at all ------------------------------------------------------------------------------------

SCALARS: Any = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.datetimes()
    | st.sampled_from(["10m", "a@b.example", "host:1", "/x", "none", "auto", "xoauth2", "*", "UTC"])
)
VALUES: Any = (
    SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=5), SCALARS, max_size=3)
)
NAMES: Any = st.sampled_from([key for keys in KEYS.values() for key in keys]) | st.text(max_size=8)
DOCUMENTS: Any = st.fixed_dictionaries(
    {},
    optional={
        section: st.dictionaries(st.sampled_from(KEYS[section]) | NAMES, VALUES, max_size=6) | VALUES
        for section in ("teleport", "mailgun", "smtp", "delivery", "log", "diagnostics")
    }
    | {"role_to_recipients": st.dictionaries(st.text(max_size=6), VALUES, max_size=3) | VALUES}
    | {"plugin_name": VALUES, "x": VALUES},
)


@given(st.text() | st.text(alphabet="[]=\"'\n.,{}#a1 -:"))
def test_arbitrary_text_is_settings_or_faults(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, environ={}, read_secrets=False)
    assert caught.value.faults
    assert all(fault.path and fault.what for fault in caught.value.faults)


@settings(max_examples=300)
@given(DOCUMENTS)
def test_arbitrary_structures_are_settings_or_faults(document: Any) -> None:
    reader = Reader({}, read_secrets=False)
    found = reader.settings(document)
    assert isinstance(found, Settings)
    for fault in reader.faults:
        assert fault.path.isprintable()
        assert fault.what.isprintable()


def test_every_placeholder_that_configure_prints_is_known() -> None:
    assert set(re.findall(r"<[^<>]+>", boilerplate())) - {"<address>", "<angle brackets>"} == set(
        PLACEHOLDERS
    )


def test_the_boilerplate_s_faults_are_what_is_still_to_be_filled_in() -> None:
    # Also what stands in a comment there: without its comment sign it is as unfinished as the rest.
    text = re.sub(
        r"^# ((?:password|token_url|client_id|client_secret|private_key) = .*)",
        r"\1",
        boilerplate(),
        flags=re.MULTILINE,
    )
    text = re.sub(r"^(password_file = )", r"# \1", text, flags=re.MULTILINE)
    text = text.replace("# [smtp.oauth2]", "[smtp.oauth2]").replace(
        "# [mailgun]", '[mailgun]\ndomain = "m.example.com"'
    )
    found = {path: what for path, what in faults(text).items() if "is still" in what}
    assert set(found) == {
        "teleport.addr",
        "smtp.host",
        "smtp.username",
        "smtp.password",
        "smtp.oauth2.token_url",
        "smtp.oauth2.client_id",
        "smtp.oauth2.client_secret",
        "mailgun.private_key",
        "delivery.sender",
        'role_to_recipients."*"',
    }
    assert found["smtp.host"] == "is still <smtp.example.com>, as `configure` prints it: put yours there"


def test_a_placeholder_among_those_whom_a_request_is_escalated_to() -> None:
    lines = '[escalation]\nafter = "30m"\n[escalation.role_to_recipients]\n"*" = ["oncall@<example.com>"]\n'
    found = faults(f"{MINIMAL}\n{lines}")
    assert "is still <example.com>" in found['escalation.role_to_recipients."*"']


def test_a_placeholder_in_a_file_is_a_fault_and_one_in_a_name_is_none(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("<password>\n")
    found = smtp_faults(f'username = "me"\npassword_file = "{tmp_path}/password"')
    assert "is still <password>" in found["smtp.password_file"]
    sender = 'sender = "Teleport <teleport@example.com>"'
    assert read(re.sub("sender = .*", sender, MINIMAL)).delivery.sender == "Teleport <teleport@example.com>"
    text = MINIMAL.replace("[smtp]", '[smtp]\nusername = "me"\npassword = "a<password>b"')
    assert isinstance(mailer := read(text).mailer, SmtpSettings)
    assert mailer.password.reveal() == "a<password>b"


@pytest.mark.parametrize(
    "written",
    [
        "${SMTP_PASSWORD}",
        "x-${SMTP_PASSWORD:-y}",
        "$SMTP_PASSWORD",
        "$(SMTP_PASSWORD)",
        "{{ .Values.password }}",
        "%SMTP_PASSWORD%",
    ],
)
def test_a_variable_in_a_password_is_taken_as_it_stands_and_that_is_told(written: str) -> None:
    text = MINIMAL.replace("[smtp]", f'[smtp]\nusername = "me"\npassword = "{written}"')
    found = read(text)
    assert isinstance(found.mailer, SmtpSettings)
    assert found.mailer.password.reveal() == written
    [hint] = [line for line in found.warnings if "variable" in line]
    assert hint.startswith("smtp.password is taken as it stands")
    assert "smtp.password_file" in hint
    assert written not in hint


@pytest.mark.parametrize("written", ["pa$$word", "$1secret", "a$B", "100%", "{x}", "$Abc", "$(x"])
def test_other_passwords_go_without_a_word(written: str) -> None:
    text = MINIMAL.replace("[smtp]", f'[smtp]\nusername = "me"\npassword = "{written}"')
    assert not [line for line in read(text).warnings if "variable" in line]


def test_a_variable_elsewhere_is_told_too() -> None:
    found = read(MINIMAL.replace("[smtp]", '[smtp]\nusername = "$SMTP_USER"\npassword = "x"'))
    assert any(line.startswith("smtp.username is taken as it stands") for line in found.warnings)
    found = read(re.sub("identity = .*", 'identity = "~/identity"', MINIMAL))
    assert "teleport.identity is taken as it stands, ~ too: write the whole path" in found.warnings
    assert "nothing replaces the variable" in smtp_faults('host = "${SMTP_HOST}"')["smtp.host"]


def test_a_credential_that_is_not_there_is_one_fault_that_says_how_to_run_it() -> None:
    found = smtp_faults(
        'host = "mx.example.com"\nusername = "me"\npassword_file = "${CREDENTIALS_DIRECTORY}/smtp_password"'
    )
    assert list(found) == ["smtp.password_file"]
    assert (
        "systemd-run -q --pipe --wait -p User=teleport-email -p Group=teleport-email "
        "-p LoadCredential=smtp_password:" in found["smtp.password_file"]
    )


def test_the_credentials_of_the_unit_are_written_out(tmp_path: Path) -> None:
    shipped, etc = tmp_path / "lib", tmp_path / "etc"
    (etc / "teleport-email.service.d").mkdir(parents=True)
    shipped.mkdir()
    assert command_with("pw", [shipped, etc]) == (
        "systemd-run -q --pipe --wait -p User=teleport-email -p Group=teleport-email -p LoadCredential=pw:FILE "
        "/usr/local/bin/teleport-email check"
    )
    (shipped / "teleport-email.service").write_text(
        "[Service]\nExecStart=/opt/te/bin/teleport-email start\n#LoadCredential=pw:/not/this\nLoadCredential=old:/x\n"
    )
    (etc / "teleport-email.service.d/b.conf").write_text(
        "[Service]\nLoadCredential=\nLoadCredential=pw:/etc/a b/pw\nLoadCredentialEncrypted=key:/etc/key\n"
    )
    assert command_with("pw", [shipped, etc]) == (
        "systemd-run -q --pipe --wait -p User=teleport-email -p Group=teleport-email "
        "-p 'LoadCredential=pw:/etc/a b/pw' -p LoadCredentialEncrypted=key:/etc/key /opt/te/bin/teleport-email check"
    )


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('* = "all@example.com"', 'write "*" in quotes'),
        ('*-dev = "all@example.com"', 'write "*-dev" in quotes'),
        ('prod-* = ["all@example.com"]', 'write "prod-*" in quotes'),
        ('team/dba = "dba@example.com"', 'write "team/dba" in quotes'),
        ('data base = "dba@example.com"', 'write "data base" in quotes'),
        ('größe = "dba@example.com"', 'write "größe" in quotes'),
        ('dba: "dba@example.com"', "all else key = value"),
        ("smtp:", "a section is [name]"),
        (r'dba = "EXAMPLE\dba"', r"write each \ twice, or the text in 'single quotes'"),
        (r'dba = "C:\users\me"', r"write each \ twice"),
        (r'dba = "C:\path\me"', r"write each \ twice"),
        (r'dba = "C:\path\"', r"write each \ twice"),
        ('dba = "dba@example.com', "a double quote is not closed"),
        ('dba = \'dba@example.com\nx = "y"', "a single quote is not closed"),
        ('dba = """dba@example.com', "three end it"),
        ('dba = dba@example.com"', 'in "double quotes"'),
        ("dba = dba@example.com", 'in "double quotes"'),
        ("dba = [dba@example.com]", 'in "double quotes"'),
        ("dba = 10m", 'in "double quotes"'),
        ("dba = “dba@example.com”", "straight ones"),
        ("dba = True", "write true or false"),
        ("dba =", "a value is missing"),
        ('dba = "a@example.com", "b@example.com"', "[square brackets]"),
        ('dba = ["a@example.com"', "a [ is not closed"),
        ('dba = "a"b"', "a quote inside of a text"),
        ('dba = "a@example.com" ; on call', "a comment begins with #"),
        ("// on call", "a comment begins with #"),
        ('dba = "a@example.com" dev = "b@example.com"', "one key a line"),
        ('dba = "a@example.com"\ndba = "b@example.com"', "it is there twice"),
        ("[role_to_recipients]", "this section is there twice"),
    ],
)
def test_what_people_write_that_is_no_toml_comes_with_what_to_write(line: str, hint: str) -> None:
    [(where, what)] = faults(f"[role_to_recipients]\n{line}\n").items()
    assert hint in what
    if hint == "a single quote is not closed":
        assert where.endswith("line 2")  # not the end of the file, where the parser looked for the other one


def test_the_words_about_a_syntax_error_hold_no_value() -> None:
    for line in (
        "password = hunter2",
        "password = 'hunter2",
        'password = "hunter2',
        r'password = "hunter2\d"',
        'password = "a"hunter2"',
    ):
        assert "hunter2" not in str(faults(f"[smtp]\n{line}\n"))


@pytest.mark.parametrize(
    "line",
    [r'identity = "C:\new\identity"', r'identity = "C:\teleport\identity"', r'identity = "C:\Users\x"'],
)
def test_every_path_of_windows_comes_with_what_to_write(line: str) -> None:
    assert r"write each \ twice, or the text in 'single quotes'" in "".join(
        faults(re.sub("identity = .*", lambda _: line, MINIMAL)).values()
    )


def test_a_role_s_name_with_a_dot_comes_with_how_to_write_it() -> None:
    found = faults(MINIMAL + 'prod.db = "dba@example.com"\n')
    assert 'write "prod.db" in quotes' in found["role_to_recipients.prod"]
    found = faults(MINIMAL + 'eu.prod.db = ["dba@example.com"]\n')
    assert 'write "eu.prod.db" in quotes' in found["role_to_recipients.eu"]
    found = faults(MINIMAL + 'prod = "a@example.com"\nprod.db = "dba@example.com"\n')
    assert '"prod.db"' in str(found)
