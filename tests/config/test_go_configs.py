"""Configuration files with what the Go plugin's loader does with each: whoever starts there, starts here.

The vectors were recorded with the Go plugin. ``works: false`` are files that it starts with and of which nothing
can come: those we may refuse.
"""

import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from teleport_email.config import load
from teleport_email.config.settings import Secret, Settings
from teleport_email.core.errors import ConfigError

VECTORS = json.loads((Path(__file__).parent.parent / "data/vectors/go-configs.json").read_text())
CASES = {case["name"]: case for case in VECTORS["cases"]}
STARTING = [name for name, case in CASES.items() if case["go"] == "starts" and case.get("works", True)]

TRIO = {
    "teleport.addr": "a:1",
    "teleport.identity": None,
    "teleport.client_key": Path("a"),
    "teleport.client_crt": Path("b"),
    "teleport.root_cas": Path("c"),
}
EVERYBODY = "role_to_recipients"
LONG = "".join(["x"] * 3000).encode()

MEANING: dict[str, dict[str, object]] = {
    "smtp keys Host/Port/Username/Password": {"mailer.port": 25},
    "addr without port": {"teleport.addr": "teleport.example.com:443,teleport.example.com:3025"},
    "addr [::1]:3025": {"teleport.addr": "[::1]:3025"},
    "addr 0.0.0.0:3025": {"teleport.addr": "0.0.0.0:3025"},
    "tls trio": TRIO,
    "tls trio + refresh_identity": {**TRIO, "teleport.refresh_identity": True},
    'refresh_identity_interval = "30s"': {
        "teleport.refresh_identity": True,
        "teleport.refresh_identity_interval": 30.0,
    },
    'refresh_identity_interval = "1h30m"': {
        "teleport.refresh_identity": True,
        "teleport.refresh_identity_interval": 5400.0,
    },
    "refresh_identity_interval = 60000000000": {"teleport.refresh_identity": True},
    'refresh_identity_interval = "0"': {"teleport.refresh_identity": True},
    'refresh_identity_interval = "1.5h"': {
        "teleport.refresh_identity": True,
        "teleport.refresh_identity_interval": 5400.0,
    },
    "smtp password empty + file": {"mailer.password": b"hunter2"},
    "smtp password_file pw": {"mailer.password": b"hunter2"},
    "smtp password_file two": {"mailer.password": b"line1\nline2"},
    "mailgun private_key_file two": {"mailer.private_key": b"line1\nline2"},
    "mailgun private_key_file utf8": {"mailer.private_key": "pässwörd".encode()},
    "smtp password_file long": {"mailer.password": LONG},
    "mailgun private_key_file long": {"mailer.private_key": LONG},
    "smtp password_file tab": {"mailer.password": b"a\tb"},
    "smtp password_file nbsp": {"mailer.password": "a\u00a0b".encode()},
    "mailgun private_key_file nbsp": {"mailer.private_key": "a\u00a0b".encode()},
    "smtp password_file latin1": {"mailer.password": "päss".encode("latin1")},
    "mailgun private_key_file latin1": {"mailer.private_key": "päss".encode("latin1")},
    "mailgun private_key_file bomfile": {"mailer.private_key": "\ufeffsecret".encode()},
    "smtp port 465": {"mailer.port": 465, "mailer.tls": "implicit"},
    "smtp port 2525": {"mailer.port": 2525},
    'starttls_policy "mandatory" localhost': {"mailer.host": "localhost"},
    'starttls_policy "opportunistic"': {"mailer.tls": "opportunistic"},
    'starttls_policy "opportunistic" localhost': {"mailer.host": "localhost", "mailer.tls": "opportunistic"},
    'starttls_policy "disabled"': {"mailer.tls": "none"},
    'starttls_policy "" localhost': {"mailer.host": "localhost"},
    "smtp host '[::1]'": {"mailer.host": "::1"},
    "smtp host '::1'": {"mailer.host": "::1"},
    "smtp host '10.0.0.1'": {"mailer.host": "10.0.0.1"},
    "smtp host 'smtp'": {"mailer.host": "smtp"},
    "smtp host 'localhost'": {"mailer.host": "localhost"},
    "password with tab escape": {"mailer.password": b"a\tb"},
    "password non-ascii": {"mailer.password": "pä€".encode()},
    "password with spaces around": {"mailer.password": b" p "},
    "username with space": {"mailer.username": "DOMAIN\\user name"},
    "mailgun domain 'x'": {"mailer.domain": "x"},
    "mailgun domain 'your-domain-name'": {"mailer.domain": "your-domain-name"},
    "mailgun domain 'mg_x.example.com'": {"mailer.domain": "mg_x.example.com"},
    "mailgun domain 'bücher.example'": {"mailer.domain": "xn--bcher-kva.example"},
    "sender 'Teleport <noreply@example.com>'": {"delivery.sender": "Teleport <noreply@example.com>"},
    "sender '\\\\\"Teleport, Inc.\\\\\" <noreply@example.com>'": {
        "delivery.sender": "Teleport, Inc. <noreply@example.com>"
    },
    "sender 'Téléport <noreply@example.com>'": {"delivery.sender": "Téléport <noreply@example.com>"},
    "sender 'noreply@example.com (Teleport)'": {"delivery.sender": "Teleport <noreply@example.com>"},
    "sender 'nöreply@example.com'": {"delivery.sender": "nöreply@example.com"},
    "sender 'noreply@[10.0.0.1]'": {"delivery.sender": "noreply@[10.0.0.1]"},
    "sender 'noreply@10.0.0.1'": {"delivery.sender": "noreply@10.0.0.1"},
    "sender 'Teleport: prod <noreply@example.com>'": {
        "delivery.sender": "Teleport: prod <noreply@example.com>"
    },
    'sender "Teleport\'s bot <noreply@example.com>"': {
        "delivery.sender": "Teleport's bot <noreply@example.com>"
    },
    "delivery.recipients": {EVERYBODY: {"*": ("a@example.com", "b@example.com")}},
    "roles quoted dotted": {EVERYBODY: {"*": ("admin@example.com",), "dev.team": ("a@example.com",)}},
    "roles duplicates": {EVERYBODY: {"*": ("admin@example.com",), "dev": ("a@example.com",)}},
    "roles literal quotes": {EVERYBODY: {"*": ("a@example.com",)}},
    "roles trailing comma multi-line": {EVERYBODY: {"*": ("a@example.com", "b@example.com")}},
    "recipient 'admin@Example.COM'": {"spelled": {"admin@example.com": "admin@Example.COM"}},
    "recipient 'admin@bücher.example'": {
        EVERYBODY: {"*": ("admin@xn--bcher-kva.example",)},
        "spelled": {"admin@xn--bcher-kva.example": "admin@bücher.example"},
    },
    'recipient "o\'brien@example.com"': {EVERYBODY: {"*": ("o'brien@example.com",)}},
    **{
        f"recipient '{address}'": {EVERYBODY: {"*": (address,)}}
        for address in (
            "admin@localhost",
            "root@host_name",
            "jörg@example.com",
            "admin@[10.0.0.1]",
            "admin@10.0.0.1",
            "a/b@example.com",
            "admin@example-.com",
            "admin@example.123",
            "admin@my-mail-",
            "user%host@example.com",
            "!bang@example.com",
        )
    },
    "log output 'stdout'": {"log.output": "stdout"},
    "log output 'out'": {"log.output": "stdout"},
    "log output '1'": {"log.output": "stdout"},
    "log output '@DIR@/log.log'": {"log.output": "@DIR@/log.log"},
    "log output 'STDERR'": {"log.output": "STDERR"},
    "log severity 'WARNING'": {"log.severity": "warning"},
    "log severity 'err'": {"log.severity": "error"},
    "log severity 'error'": {"log.severity": "error"},
    "log severity 'ERROR'": {"log.severity": "error"},
    "log severity 'trace'": {"log.severity": "trace"},
    "log severity 'TRACE'": {"log.severity": "trace"},
}
"""What a file says beyond the basic ones; all others say the same as those."""

ODD = {
    "delivery key Sender",
    "smtp keys Host/Port/Username/Password",
    "smtp keys HOST",
    "mailgun key Domain",
    "section [SMTP]",
    "section [ROLE_TO_RECIPIENTS]",
    "key ADDR",
    "unknown section [http]",
    "unknown top-level key",
    "unknown key in [smtp]",
    "unknown key in [delivery]",
    "unknown key in [log]",
    "[slack] left over",
    "auth_server",
    "addr and auth_server",
    "addr without port",
    "identity + tls trio",
    "identity + client_crt only",
    "refresh_identity_interval = 60000000000",
    "smtp password_file two",
    "mailgun private_key_file two",
    "smtp password_file tab",
    "smtp password_file nbsp",
    "mailgun private_key_file nbsp",
    "smtp password_file latin1",
    "mailgun private_key_file latin1",
    "mailgun private_key_file bomfile",
    "smtp password and password_file (missing file)",
    'starttls_policy "disabled"',
    "password with tab escape",
    "mailgun domain 'mg.example.com/'",
    "sender 'noreply@example.com (Teleport)'",
    "sender 'nöreply@example.com'",
    "sender 'noreply@[10.0.0.1]'",
    "sender 'noreply@10.0.0.1'",
    "sender ' noreply@example.com'",
    "sender 'noreply@example.com.'",
    "roles dev []",
    "roles key empty",
    "recipient 'root@host_name'",
    "recipient 'jörg@example.com'",
    "recipient 'admin@[10.0.0.1]'",
    "recipient 'admin@10.0.0.1'",
    "recipient 'admin@example-.com'",
    "recipient 'admin@example.123'",
    "recipient 'admin@my-mail-'",
    "log output 'STDERR'",
    "super table after",
}
"""Files that something should be said about."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the configurations name."""
    path = tmp_path_factory.mktemp("go")
    for name, content in VECTORS["files"].items():
        (path / name).write_bytes(base64.b64decode(content))
    return path


def read(name: str, directory: Path) -> Settings:
    path = directory / "teleport-email.toml"
    path.write_bytes(CASES[name]["toml"].replace("@DIR@", str(directory)).encode())
    return load(path, {})


def values_of(settings: Any, path: str = "") -> Iterator[tuple[str, object]]:
    for field in settings.__struct_fields__:
        value = getattr(settings, field)
        name = f"{path}.{field}".removeprefix(".")
        if isinstance(value, Struct):
            yield from values_of(value, name)
        elif name not in ("warnings", "secret_files"):
            yield name, value.raw() if isinstance(value, Secret) else value


def test_the_vectors_are_all_there() -> None:
    assert len(CASES) == 213
    assert set(MEANING) | ODD <= set(STARTING)


@pytest.mark.parametrize("name", STARTING)
def test_what_go_starts_with_starts_and_means_the_same(name: str, directory: Path) -> None:
    found = dict(values_of(read(name, directory)))
    basic = dict(values_of(read("base smtp" if "mailer.host" in found else "base mailgun", directory)))
    said = {path: value for path, value in found.items() if value != basic[path]}
    wanted = {
        path: value.replace("@DIR@", str(directory)) if isinstance(value, str) else value
        for path, value in MEANING.get(name, {}).items()
    }
    assert said == wanted


@pytest.mark.parametrize("name", STARTING)
def test_what_is_odd_is_told_and_nothing_else(name: str, directory: Path) -> None:
    warnings = read(name, directory).warnings
    assert bool(warnings) is (name in ODD), warnings
    assert not any(secret in text for text in warnings for secret in ("line1", "hunter2", "päss", "xxx"))


def test_few_files_that_go_refuses_start_here(directory: Path) -> None:
    taken = set()
    for name, case in CASES.items():
        if case["go"] == "refuses":
            with contextlib.suppress(ConfigError):
                read(name, directory)
                taken.add(name)
    assert taken == {
        "smtp username empty",  # a relay without a login
        'starttls_policy "Mandatory"',
        'starttls_policy "Mandatory" localhost',
        'starttls_policy "MANDATORY" localhost',
        'starttls_policy "Disabled"',
        'starttls_policy "Disabled" localhost',
        "delivery.recipients string",
        "roles dev ''",
        "recipient '\"ab\"@example.com'",
        "inline table trailing comma",
    }
