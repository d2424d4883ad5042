"""What lies beside a file that is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from teleport_email import config
from teleport_email.config.beside import beside
from teleport_email.config.settings import TeleportSettings
from teleport_email.core.errors import ConfigError, IdentityError
from teleport_email.teleport.connect import credentials


def test_the_names_beside_a_missing_file(tmp_path: Path) -> None:
    wanted = tmp_path / "auth_id"
    assert beside(wanted) == "; its directory is empty"
    for name in ("identity", "..data", "tlscert"):  # ..data: how Kubernetes swaps a secret's files
        (tmp_path / name).touch()
    assert beside(wanted) == "; its directory has: identity, tlscert"
    for number in range(9):
        (tmp_path / f"a{number}").touch()
    assert beside(wanted) == "; its directory has: a0, a1, a2, a3, a4 ..."


def test_nothing_is_told_where_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert beside(tmp_path / "none" / "x") == ""
    (tmp_path / "x").touch()
    assert beside(tmp_path / "x") == ""
    assert beside(tmp_path / "x" / "y") == ""  # a file is no directory


def test_a_file_that_may_not_be_read_is_told_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "identity"
    path.touch(0o600)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(os, "geteuid", lambda: 65532)
    owner = f"user {path.stat().st_uid}, group {path.stat().st_gid}"
    assert beside(path).startswith(f"; it is -rw------- of {owner}, and this process is user 65532, group ")


def test_errors_name_them(tmp_path: Path) -> None:
    (tmp_path / "mailgun-private-key").write_text("k")
    with pytest.raises(IdentityError, match="auth_id does not exist; its directory has: mailgun-private-key"):
        credentials.load(TeleportSettings(identity=tmp_path / "auth_id"))
    text = f"""
        [teleport]
        identity = "/id"
        [mailgun]
        domain = "mg.example.com"
        private_key_file = "{tmp_path}/mailgunPrivateKey"
        [delivery]
        sender = "a@example.com"
        [role_to_recipients]
        "*" = "b@example.com"
    """
    with pytest.raises(ConfigError, match="its directory has: mailgun-private-key") as caught:
        config.parse(text, environ={})
    assert [fault.path for fault in caught.value.faults] == ["mailgun.private_key_file"]
