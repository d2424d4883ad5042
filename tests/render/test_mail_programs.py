"""What mail programs and filters make of our mails, where they are installed: SpamAssassin, notmuch, mutt, Dovecot.

The bytes are those of two requests' conversations with one reader; nothing goes over a network.
"""

from __future__ import annotations

import contextlib
import mailbox
import os
import pty
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.ledger import ANNOUNCEMENTS, Ledger, Party
from teleport_email.core.model import Kind, Mail, Topic
from teleport_email.mail.message import build
from teleport_email.render import Facts, Renderer, samples

LIMIT = 120.0  # seconds for a program that takes one, on a machine that is busy
KINDS = (Kind(Topic.ANNOUNCEMENT), Kind(Topic.REVIEW, 1), Kind(Topic.REMINDER), Kind(Topic.APPROVED))
SUBJECTS = pytest.mark.parametrize("subject", ["standard", "descriptive"])
DOVECOT = Path("/usr/lib/dovecot")


def conversation(subject: str = "standard", number: int = 1) -> list[bytes]:
    """The mails of one request to one reader."""
    renderer = Renderer(DeliverySettings(sender="Teleport <teleport@example.com>", subject=subject))  # type: ignore[arg-type]
    ledger, party = Ledger(nonce=f"{number:032x}", domain="example.com"), Party("bob@example.com")
    now = datetime.now(UTC).replace(microsecond=0)
    mails = []
    for place, kind in enumerate(KINDS):
        request = replace(samples.request_for(kind), id=f"018f2d1e-7c3a-7b52-9d41-3f6f0a9b2c{number:02}")
        facts = Facts(samples.CLUSTER, samples.RECIPIENTS, samples.RESOURCE_NAMES, "Alice Martin")
        content = renderer.render(
            kind, request, facts, now=now + timedelta(seconds=place), boundary="=_3f9d2c1b"
        )
        mails.append(
            build(
                Mail(
                    recipient=party.address,
                    message_id=ledger.message_id(request.id, party, kind),
                    thread_root=ledger.thread_root(request.id, party),
                    content=content,
                    announces=kind.topic in ANNOUNCEMENTS,
                )
            )
        )
    return mails


def run(
    *command: object, given: bytes = b"", user: int | None = None, env: Mapping[str, str] | None = None
) -> str:
    """What a program says; it has to succeed."""
    done = subprocess.run(
        [str(part) for part in command], input=given, capture_output=True, timeout=LIMIT, check=False,
        env={"PATH": os.environ["PATH"], **(env or {})}, user=user, group=user,
        extra_groups=[] if user is not None else None,
    )  # fmt: skip
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, said
    return said


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not shutil.which(program), reason=f"needs {program}")


def maildir(directory: Path, mails: list[bytes]) -> None:
    for name in ("cur", "new", "tmp"):
        (directory / name).mkdir(parents=True)
    for place, mail in enumerate(mails):
        (directory / "cur" / f"{place}.mail:2,").write_bytes(mail)


@needs("spamassassin")
def test_spamassassin_finds_nothing(tmp_path: Path) -> None:
    options = ("-L", "-t", f"--prefspath={tmp_path}/none")
    said = run("spamassassin", *options, given=conversation()[0], env={"HOME": str(tmp_path)})
    points = re.search(r"Content analysis details:\s*\(\s*(-?[\d.]+) points", said)
    assert points, said
    assert float(points[1]) <= 0, said


@needs("notmuch")
@SUBJECTS
def test_notmuch_sees_one_thread_for_each_request(tmp_path: Path, subject: str) -> None:
    maildir(tmp_path / "mail", [*conversation(subject, 1), *conversation(subject, 2)])
    config = tmp_path / "config"
    config.write_text(f"[database]\npath={tmp_path}/mail\n[user]\nname=x\nprimary_email=x@example.com\n")
    env = {"NOTMUCH_CONFIG": str(config), "HOME": str(tmp_path)}
    run("notmuch", "new", env=env)
    assert run("notmuch", "count", "--output=threads", "*", env=env).strip() == "2"
    assert run("notmuch", "count", "*", env=env).strip() == "8"
    found = run("notmuch", "search", "from:teleport and prod or db-admin", env=env)
    assert found.count("[4/4]") == 2


@needs("mutt")
@SUBJECTS
def test_mutt_takes_a_conversation_for_one_thread(tmp_path: Path, subject: str) -> None:
    maildir(tmp_path / "mail", [*conversation(subject, 1), *conversation(subject, 2)])
    keys = "<first-entry><tag-thread><tag-prefix><copy-message><kill-line>=out<enter><exit>"
    (tmp_path / "muttrc").write_text(
        f"set folder={tmp_path} mbox_type=mbox sort=threads confirmcreate=no confirmappend=no move=no quit=yes\n"
        f"set header_cache=\"\" wait_key=no strict_threads=yes\npush '{keys}'\n"
    )
    child, terminal = pty.fork()
    if child == 0:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "vt100"}
        arguments = ["mutt", "-n", "-F", f"{tmp_path}/muttrc", "-f", f"{tmp_path}/mail"]
        try:
            os.execvpe("mutt", arguments, environment)
        finally:
            os._exit(127)
    try:
        seen = b"".join(chunks(terminal))
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, seen
    with contextlib.closing(mailbox.mbox(tmp_path / "out", create=False)) as box:
        ids = {message["X-Teleport-Request-Id"] for message in box}
        assert (len(box), len(ids)) == (4, 1)


def chunks(terminal: int) -> Iterator[bytes]:
    """What comes out of a terminal until the program behind it has ended."""
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return
        if not data:
            return
        yield data


# Dovecot ----------------------------------------------------------------------------------------------


@pytest.fixture
def dovecot() -> Iterator[Path]:
    """A home with a configuration, for a user who is not root: Dovecot reads mail for no other."""
    home = Path(tempfile.mkdtemp(prefix="dovecot-"))
    try:
        (home / "dovecot.conf").write_text(
            f"mail_location = maildir:{home}/mail\nlog_path = /dev/stderr\nssl = no\nprotocols = imap\n"
            f"base_dir = {home}/run\nstate_dir = {home}/state\nmail_uid = {reader()[0]}\nmail_gid = {reader()[1]}\n"
            f"postmaster_address = postmaster@example.com\nhostname = example.com\n"
            f"protocol lda {{\n  mail_plugins = sieve\n}}\nplugin {{\n  sieve = file:{home}/filter.sieve\n}}\n"
        )
        yield home
    finally:
        shutil.rmtree(home)


def reader() -> tuple[int, int]:
    """The user and group who read mail: ``nobody`` for root, else whoever runs the tests."""
    return (65534, 65534) if os.getuid() == 0 else (os.getuid(), os.getgid())


def as_reader(home: Path, *command: object, given: bytes) -> str:
    user, group = reader()
    if os.getuid() == 0:
        for path in (home, *home.rglob("*")):
            os.chown(path, user, group)
    env = {"HOME": str(home), "USER": "reader"}
    return run(
        *command, "-c", home / "dovecot.conf", given=given, env=env, user=user if os.getuid() == 0 else None
    )


@pytest.mark.skipif(not (DOVECOT / "imap").exists(), reason="needs Dovecot's IMAP server")
@SUBJECTS
def test_dovecots_thread_command_groups_by_conversation(dovecot: Path, subject: str) -> None:
    maildir(dovecot / "mail", [*conversation(subject, 1), *conversation(subject, 2)])
    asked = b"a SELECT INBOX\r\nb THREAD REFERENCES UTF-8 ALL\r\nc THREAD REFS UTF-8 ALL\r\nd LOGOUT\r\n"
    said = as_reader(dovecot, DOVECOT / "imap", given=asked)
    answers = re.findall(r"^\* THREAD (.*?)\r?$", said, flags=re.MULTILINE)
    assert len(answers) == 2, said
    for answer in answers:
        # Brackets of the outermost level: the messages of a thread, whose root is a message that is not there.
        threads, depth, current = [], 0, ""
        for char in answer:
            depth += (char == "(") - (char == ")")
            current += char
            if depth == 0:
                threads.append({int(number) for number in re.findall(r"\d+", current)})
                current = ""
        assert sorted(map(sorted, filter(None, threads))) == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.skipif(
    not (DOVECOT / "dovecot-lda").exists() or not shutil.which("sievec"), reason="needs Dovecot's Sieve"
)
def test_sieve_drops_twins_and_filters_by_our_headers(dovecot: Path) -> None:
    (dovecot / "filter.sieve").write_text(
        'require ["duplicate", "imap4flags"];\n'
        "if duplicate { discard; stop; }\n"
        'if allof(header :is "X-Teleport-Kind" "announcement", header :is "X-Teleport-User" "alice@example.com",\n'
        '         header :contains "Subject" "Role Request") { setflag "\\\\Flagged"; keep; }\n'
    )
    announcement, review, *_ = conversation()
    for mail in (announcement, announcement, review, announcement):
        as_reader(dovecot, DOVECOT / "dovecot-lda", given=mail)
    kept = [
        path
        for path in (dovecot / "mail").rglob("*")
        if path.parent.name in ("cur", "new") and path.is_file()
    ]
    assert len(kept) == 2
    flagged = [path for path in kept if re.search(r":2,.*F", path.name)]
    assert [b"X-Teleport-Kind: announcement" in path.read_bytes() for path in flagged] == [True]
