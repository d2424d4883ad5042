"""``preview``: what the messages look like, from the installed command's point of view."""

from __future__ import annotations

import email
import email.policy
import io
import json
import re
import stat
import sys
from pathlib import Path

import pytest

from teleport_email.cli import main
from teleport_email.render import samples

KINDS = [samples.file_name(kind) for kind in samples.kinds()]
REMINDERS = [sample.name for sample in samples.reminders()]
CONFIG = """
[teleport]
addr = "teleport.example.com:443"
identity = "identity"

[smtp]
host = "smtp.example.com"

[delivery]
sender = "access@example.com"
timezone = "Asia/Kolkata"
{delivery}

[role_to_recipients]
"*" = "security@example.com"
editor = ["ed@example.com", "eve@example.com"]
"""
REQUEST = {
    "kind": "access_request",
    "version": "v3",
    "metadata": {"name": "01a203fb-6d3b-7222-aa45-ece7281bb17a", "expires": "2026-11-29T10:00:00Z"},
    "spec": {
        "user": "myuser@example.com",
        "roles": ["editor"],
        "state": 1,
        "created": "2026-11-22T10:00:00.123456789Z",
        "expires": "2026-11-22T18:00:00Z",
        "request_reason": "Fix the nightly build <b>now</b> https://evil.example",
        "suggested_reviewers": ["alice@example.com", "bob"],
    },
}


@pytest.fixture
def config(tmp_path):
    def write(delivery: str = "") -> str:
        path = tmp_path / "teleport-email.toml"
        path.write_text(CONFIG.format(delivery=delivery))
        return str(path)

    return write


def test_every_kind_is_written_in_three_forms_with_an_index(tmp_path, capsys, config):
    output = tmp_path / "out" / "here"
    names = [*KINDS, *REMINDERS]
    assert main(["preview", "-c", config(), "-o", str(output)]) == 0
    assert capsys.readouterr().out == f"{len(names)} messages written; look at {output}/index.html\n"
    expected = {f"{name}{suffix}" for name in names for suffix in (".txt", ".html", ".eml")} | {"index.html"}
    assert {path.name for path in output.iterdir()} == expected
    index = (output / "index.html").read_text()
    assert all(f'href="{name}"' in index for name in expected - {"index.html"})


def test_what_is_written_is_private(tmp_path, config):
    output = tmp_path / "out"
    main(["preview", "-c", config(), "-o", str(output)])
    assert stat.S_IMODE(output.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in output.iterdir()} == {0o600}


def test_a_mail_is_what_would_be_sent(tmp_path, config):
    main(["preview", "-c", config('reply_to = "help@example.com"'), "-o", str(tmp_path / "out")])
    mail = email.message_from_bytes(
        (tmp_path / "out/announcement.eml").read_bytes(), policy=email.policy.default
    )
    assert mail["From"] == "access@example.com"
    assert mail["Reply-To"] == "help@example.com"
    assert mail["To"] == "security@example.com"
    text, html = mail.iter_parts()
    # Text as it goes over the wire ends its lines in CRLF; the lines are the same.
    assert text.get_content().splitlines() == (tmp_path / "out/announcement.txt").read_text().splitlines()
    assert html.get_content().splitlines() == (tmp_path / "out/announcement.html").read_text().splitlines()
    assert "UTC+05:30" in text.get_content()
    assert "Told: security@example.com, bob@example.com" in text.get_content()


def test_only_the_kinds_asked_for(tmp_path, config):
    arguments = [
        "preview",
        "-c",
        config(),
        "-o",
        str(tmp_path / "out"),
        "--kind",
        "review",
        "--kind",
        "ended",
    ]
    assert main(arguments) == 0
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {"review", "ended", "index"}


def test_reminders_of_access_lists_are_shown_in_all_their_forms(tmp_path, config):
    output = tmp_path / "out"
    arguments = ["preview", "-c", config(), "-o", str(output), "--kind", "access-list-review"]
    assert main([*arguments, "--proxy", "proxy.example.com:3080", "--cluster", "other"]) == 0
    assert {path.stem for path in output.iterdir()} == {*REMINDERS, "index"}
    assert {"access-list-review", "access-list-review-several", "access-list-review-overdue"} <= {*REMINDERS}
    text = (output / "access-list-review.txt").read_text()
    assert "\nCluster: other\n" in text
    assert "\nDue: 2026-03-11 17:30 UTC+05:30 (in 9 days)\n" in text
    assert "\nLink: https://proxy.example.com:3080/web/accesslists/" in text
    mail = email.message_from_bytes(
        (output / "access-list-review.eml").read_bytes(), policy=email.policy.default
    )
    assert mail["Subject"] == "other Access List Reviews due 2026-03-11"
    assert mail["References"] == "<owner.preview@example.com>"


def test_given_requests_come_without_made_up_lists(tmp_path, config):
    given = tmp_path / "request.json"
    given.write_text(json.dumps(REQUEST))
    arguments = ["preview", "-c", config(), "--request", str(given), "-o", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {*KINDS, "index"}


def test_an_unknown_kind_is_told_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["preview", "--kind", "birthday"])
    assert stopped.value.code == 2
    assert "announcement" in capsys.readouterr().err


def test_a_given_request_goes_through_its_whole_life(tmp_path, config):
    given = tmp_path / "request.json"
    given.write_text(json.dumps([REQUEST]))
    output = tmp_path / "out"
    assert main(["preview", "-c", config(), "--request", str(given), "-o", str(output)]) == 0
    texts = {name: (output / f"{name}.txt").read_text() for name in KINDS}
    for text in texts.values():
        assert "ID: 01a203fb-6d3b-7222-aa45-ece7281bb17a\n" in text
        assert "User: myuser@example.com\n" in text
        assert "https[:]//evil[.]example" in text
    assert "Status: ⏳ PENDING" in texts["announcement"]
    assert "Told: ed@example.com, eve@example.com, alice@example.com" in texts["announcement"]
    assert "Decide by: 2026-11-29 15:30 UTC+05:30" in texts["announcement"]
    assert re.match(r"\S+ reviewed the request at ", texts["review"])
    assert "Status: ✅ APPROVED" in texts["approved"]
    assert "Status: ❌ DENIED" in texts["denied"]
    assert "Status: ⌛ EXPIRED" in texts["expired"]
    assert "State: Ended" in texts["ended"]
    assert "until 2026-11-22 23:30 UTC+05:30\n" in texts["ended"]
    mail = email.message_from_bytes((output / "received.eml").read_bytes(), policy=email.policy.default)
    assert mail["To"] == "myuser@example.com"


def test_several_requests_and_standard_input(tmp_path, config, monkeypatch):
    data = json.dumps([REQUEST, REQUEST]).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    arguments = ["preview", "-c", config(), "--request", "-", "-o", str(tmp_path / "out"), "--kind", "denied"]
    assert main(arguments) == 0
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {
        "request-1-denied",
        "request-2-denied",
        "index",
    }


def test_a_cluster_without_web_reviews(tmp_path, config):
    main(["preview", "-c", config(), "-o", str(tmp_path / "out"), "--tsh", "--cluster", "other"])
    text = (tmp_path / "out/announcement.txt").read_text()
    assert "Cluster: other\n" in text
    assert "Approve: tsh request review --approve " in text


def test_own_templates_are_used(tmp_path, config):
    own = tmp_path / "templates"
    own.mkdir()
    (own / "announcement.txt").write_text("Hello {{ request.user }}")
    assert main(["preview", "-c", config(f'templates = "{own}"'), "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out/announcement.txt").read_text() == "Hello alice@example.com\n"


def test_a_template_with_a_fault_is_told_with_its_line(tmp_path, config, capsys):
    own = tmp_path / "templates"
    own.mkdir()
    (own / "announcement.txt").write_text("Hello\n{{ request.usr }}")
    assert main(["preview", "-c", config(f'templates = "{own}"'), "-o", str(tmp_path / "out")]) == 1
    assert f"{own}/announcement.txt:2: " in capsys.readouterr().err
    assert "User: alice@example.com" in (tmp_path / "out/announcement.txt").read_text()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"{", "line 1, column 2"),
        (b"[]", "holds no request"),
        (b"\xff", "is not UTF-8"),
        (b"[1]", "request 1 is no object"),
    ],
)
def test_a_file_that_holds_no_request(tmp_path, config, capsys, content, what):
    given = tmp_path / "request.json"
    given.write_bytes(content)
    assert main(["preview", "-c", config(), "--request", str(given), "-o", str(tmp_path / "out")]) == 1
    assert f"{given}: {what}" in capsys.readouterr().err


def test_files_that_are_not_there(tmp_path, config, capsys):
    assert (
        main(["preview", "-c", config(), "--request", str(tmp_path / "none"), "-o", str(tmp_path / "o")]) == 1
    )
    assert "cannot be read: No such file or directory" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["preview", "-c", config(), "-o", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main(["preview", "-c", str(tmp_path / "none.toml")]) == 78


def test_without_any_configuration_it_shows_the_defaults(tmp_path, capsys, monkeypatch):
    missing = str(tmp_path / "teleport-email.toml")
    monkeypatch.setattr("teleport_email.cli.DEFAULT_CONFIG", missing)
    monkeypatch.setattr("teleport_email.commands.DEFAULT_CONFIG", missing)
    monkeypatch.delitem(sys.modules, "teleport_email.commands.preview", raising=False)
    assert main(["preview", "-o", str(tmp_path / "out")]) == 0
    assert f"{missing} is not there: defaults are used" in capsys.readouterr().err


def test_open_shows_the_index(tmp_path, config, monkeypatch):
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    main(["preview", "-c", config(), "-o", str(tmp_path / "out"), "--open"])
    assert shown == [(tmp_path / "out/index.html").as_uri()]


def test_a_hostile_subject_stays_text_in_the_index(tmp_path, config):
    given = tmp_path / "request.json"
    given.write_text(json.dumps({**REQUEST, "metadata": {"name": "<script>alert(1)</script>"}}))
    main(["preview", "-c", config(), "--request", str(given), "-o", str(tmp_path / "out")])
    assert "<script" not in Path(tmp_path / "out/index.html").read_text()
