"""Bytes of a message: what they say, that they say it alike everywhere, and that no text forges anything."""

from __future__ import annotations

import binascii
import email
import email.policy
import hashlib
import re
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from teleport_email.core.model import Content, Mail
from teleport_email.mail import message
from teleport_email.mail.message import build, envelope_sender

BOUNDARY = "=_3f9d2c1b7a6e4d5c8b9a"
CONTENT = Content(
    subject="example.com Role Request 0190d7f6-3c1c-7a8e-9f8b-2f6d1f0c9a11",
    text="ID: 0190d7f6\nUser: alice\nReason: déjà vu\n",
    html="<!doctype html><p>ID: 0190d7f6</p><p>Reason: d&eacute;j&agrave; vu</p>",
    date=datetime(2026, 11, 22, 18, 30, 5, tzinfo=UTC),
    boundary=BOUNDARY,
    sender="Teleport <teleport@example.com>",
)
MAIL = Mail(
    recipient="bob@example.com",
    message_id="a.0123456789abcdef@example.com",
    thread_root="root.0123456789abcdef@example.com",
    content=CONTENT,
)


def parse(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def with_content(**changes: object) -> Mail:
    return replace(MAIL, content=replace(CONTENT, **changes))  # type: ignore[arg-type]


def bodies(raw: bytes) -> list[str]:
    return [newlines(part.get_content()) for part in parse(raw).iter_parts()]  # type: ignore[attr-defined]


def newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def header_names(raw: bytes) -> list[str]:
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    return [line.partition(":")[0] for line in head.split("\r\n") if not line.startswith(" ")]


HEADERS = [
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
]


def test_headers_in_order_and_text_before_html() -> None:
    raw = build(MAIL)
    message = parse(raw)
    assert header_names(raw) == HEADERS
    assert message["Date"] == "Sun, 22 Nov 2026 18:30:05 +0000"
    assert message["From"] == "Teleport <teleport@example.com>"
    assert message["To"] == "bob@example.com"
    assert message["Subject"] == CONTENT.subject
    assert message["Message-ID"] == "<a.0123456789abcdef@example.com>"
    assert message["In-Reply-To"] == message["References"] == "<root.0123456789abcdef@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply"
    assert message.get_boundary() == BOUNDARY
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert bodies(raw) == [CONTENT.text, CONTENT.html]


def test_bytes_are_seven_bit_crlf_and_short() -> None:
    raw = build(with_content(text="Ünï\n" * 50 + "x" * 5000, html="<p>" + "ä" * 4000, subject="é " * 200))
    assert raw.isascii()
    assert raw.endswith(b"--\r\n")
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 78


def test_first_message_of_a_thread_that_is_its_own_root_refers_to_nothing() -> None:
    names = header_names(build(replace(MAIL, thread_root=MAIL.message_id)))
    assert names == [name for name in HEADERS if name not in {"In-Reply-To", "References"}]


def test_an_announcement_names_its_thread_but_replies_to_nothing() -> None:
    raw = build(replace(MAIL, announces=True))
    assert header_names(raw) == [name for name in HEADERS if name != "In-Reply-To"]
    assert parse(raw)["References"] == "<root.0123456789abcdef@example.com>"
    assert raw.replace(
        b"References", b"In-Reply-To: <root.0123456789abcdef@example.com>\r\nReferences"
    ) == build(MAIL)


@pytest.mark.parametrize("message_id", ["x" * 58 + "@example.com", "<" + "y" * 58 + "@example.com>"])
def test_ids_of_seventy_characters_stay_whole(message_id: str) -> None:
    raw = build(replace(MAIL, message_id=message_id, thread_root=message_id.replace("x", "z")))
    bare = message_id.strip("<>")
    assert f"\r\nMessage-ID: <{bare}>\r\n".encode() in raw
    if "x" in message_id:
        assert f"\r\nReferences: <{bare.replace('x', 'z')}>\r\n".encode() in raw


def test_optional_headers() -> None:
    raw = build(
        with_content(
            reply_to="Desk <desk@example.com>",
            headers=(("List-Id", "<access.example.com>"), ("X-Teleport-Request", "0190d7f6")),
        )
    )
    message = parse(raw)
    assert message["Reply-To"] == "Desk <desk@example.com>"
    assert message["List-Id"] == "<access.example.com>"
    assert message["X-Teleport-Request"] == "0190d7f6"


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("teleport@example.com", "", "teleport@example.com"),
        ("Access Desk <t@example.com>", "Access Desk", "t@example.com"),
        ("Desk, The <t@example.com>", "Desk, The", "t@example.com"),
        ('"Desk, \\"The\\"" <t@example.com>', 'Desk, "The"', "t@example.com"),
        ("Zugänge <t@example.com>", "Zugänge", "t@example.com"),
        ("=?utf-8?q?x?= <t@example.com>", "=?utf-8?q?x?=", "t@example.com"),
        ("N" * 200 + " <t@example.com>", "N" * 200, "t@example.com"),
    ],
)
def test_sender_with_and_without_name(sender: str, name: str, address: str) -> None:
    mail = with_content(sender=sender)
    box = parse(build(mail))["From"].addresses[0]
    # Python before 3.13 keeps the white space between encoded words, which RFC 2047 section 6.2 drops.
    assert box.display_name.replace(" ", "") == name.replace(" ", "")
    assert box.addr_spec == address
    assert envelope_sender(mail.content) == address


@pytest.mark.parametrize(
    "mail",
    [
        replace(MAIL, recipient="bob@example.com\r\nBcc: eve@example.com"),
        replace(MAIL, recipient="bob@example.com\x00"),
        replace(MAIL, recipient="bob@example.com> SIZE=1 <eve@example.com"),
        replace(MAIL, recipient="bob@example.com, eve@example.com"),
        replace(MAIL, recipient="b\u00a0b@example.com"),
        replace(MAIL, recipient="b\u202eb@example.com"),
        replace(MAIL, recipient="bob@bücher.example"),
        replace(MAIL, recipient="b" * 500 + "@example.com"),
        replace(MAIL, recipient="bob"),
        replace(MAIL, message_id="a b@example.com"),
        replace(MAIL, message_id=""),
        replace(MAIL, message_id="a@example.com>\r\nX: y"),
        replace(MAIL, thread_root="a@example.com\x00"),
        replace(MAIL, thread_root="a@b> <c@d"),
        with_content(sender="t@example.com\nBcc: eve@example.com"),
        with_content(sender="T <t@example.com"),
        with_content(sender="T <>"),
        with_content(reply_to="x\x85@example.com"),
        with_content(boundary=""),
        with_content(boundary='a"b'),
        with_content(boundary="a\r\nb"),
        with_content(headers=(("X-A", "b\r\nBcc: c"),)),
        with_content(headers=(("X-A", "b\x00"),)),
        with_content(headers=(("X A", "b"),)),
        with_content(headers=(("X-A\n", "b"),)),
        with_content(headers=(("Bcc", "eve@example.com"),)),
        with_content(headers=(("content-type", "text/plain"),)),
    ],
)
def test_what_cannot_be_written_truly_is_not_written(mail: Mail) -> None:
    with pytest.raises(ValueError):
        build(mail)


def test_subject_cannot_break_out_but_a_long_one_stays_readable() -> None:
    raw = build(with_content(subject="one\r\nBcc: eve@example.com\x00\u2028\x85two"))
    assert header_names(raw) == HEADERS
    assert parse(raw)["Subject"] == "one\ufffd\ufffdBcc: eve@example.com\ufffd\ufffd\ufffdtwo"
    name = "a-cluster-with-a-name-of-more-than-sixty-characters.teleport.example.com"
    long = f"{name} Role Request 0190d7f6-3c1c-7a8e-9f8b-2f6d1f0c9a11"
    raw = build(with_content(subject=long))
    assert f"Subject: {name}\r\n Role Request 0190d7f6".encode() in raw
    assert parse(raw)["Subject"] == long


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("plain\n\nlines\n", "7bit"),
        ("", "7bit"),
        (".\n..\nFrom here\n", "7bit"),
        ("tab\tinside\n", "7bit"),
        ("white space at the end \n", "quoted-printable"),
        ("x" * 77, "quoted-printable"),
        ("null\x00 bell\x07\n", "quoted-printable"),
        ("mostly plain, one ⏳\n" * 3, "quoted-printable"),
        ("запрос доступа\n" * 3, "base64"),
    ],
)
def test_encoding_is_the_most_readable_that_carries_the_text(text: str, encoding: str) -> None:
    raw = build(with_content(text=text))
    part = next(parse(raw).iter_parts())
    assert part["Content-Transfer-Encoding"] == encoding
    assert bodies(raw)[0] == text


def test_a_text_with_the_boundary_in_it_cannot_end_its_part() -> None:
    text = f"a\n--{BOUNDARY}--\nb\n"
    assert bodies(build(with_content(text=text, html=text * 3))) == [text, text * 3]


PIECES = [
    *"\r\n\x00\x0b\x0c\x1b\x85\u2028\u2029\u202e\t .:-=?_<>",
    "\r\n",
    "\r\n.\r\n",
    BOUNDARY,
    "--",
    "=?utf-8?q?x?=",
]
ANY_TEXT = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(st.characters(exclude_categories=["Cs"]), max_size=90)),
    max_size=40,
).map("".join)


@settings(max_examples=300)
@given(subject=ANY_TEXT, text=ANY_TEXT, html=ANY_TEXT, name=ANY_TEXT)
def test_no_text_forges_a_header_or_a_line(subject: str, text: str, html: str, name: str) -> None:
    name = re.sub("[<>]", "", name)
    raw = build(with_content(subject=subject, text=text, html=html, sender=f"{name} <t@example.com>"))
    assert raw.isascii()
    assert b"\x00" not in raw
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 120
    assert header_names(raw) == HEADERS
    message = parse(raw)
    assert message["From"].addresses[0].addr_spec == "t@example.com"
    assert message["Subject"] == re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", "\ufffd", subject)
    parts = list(message.iter_parts())
    payloads = [part.get_payload(decode=True).decode("utf-8") for part in parts]  # type: ignore[union-attr]
    assert [newlines(payload) for payload in payloads] == [newlines(text), newlines(html)]


@pytest.mark.parametrize(
    "recipient",
    ["jörg@example.com", "bob@my_host", "bob@[192.0.2.1]", "bob@[IPv6:2001:db8::1]", '"a b"@example.com'],
)
def test_unusual_addresses_stand_in_the_header_as_they_are(recipient: str) -> None:
    raw = build(replace(MAIL, recipient=recipient))
    assert f"\r\nTo: {recipient}\r\n".encode() in raw
    assert raw.replace(recipient.encode(), b"").isascii()


@given(st.text())
def test_any_recipient_is_written_as_it_is_or_not_at_all(recipient: str) -> None:
    try:
        raw = build(replace(MAIL, recipient=recipient))
    except ValueError:
        return
    assert f"\r\nTo: {recipient}\r\n".encode() in raw
    assert header_names(raw) == HEADERS


def samples() -> list[bytes]:
    """Messages over every choice that the builder makes."""
    texts = [
        "plain\n",
        "tr \t\n",
        "ä⏳\n" * 99,
        "запрос\r\nдоступа\r" * 40,
        "=." * 300,
        "\x00\x0b\u2028" * 9,
        "." * 76,
    ]
    names = ["", "A B <t@example.com>", "Ä, Ö <t@example.com>", '"q\\"x" <t@example.com>']
    return [
        build(with_content(text=text, html=html, subject=text, sender=name or "t@example.com"))
        for text in texts
        for html in texts
        for name in names
    ]


def digest() -> str:
    return hashlib.sha256(b"\0".join(samples())).hexdigest()


# Frozen ledgers outlive versions: whoever changes the bytes of old content makes twins into doubles.
EXPECTED_DIGEST = "c6a18ff0a667a87cfea58d82641bd3cbd13dabf18d32405cb14eb07d35371a26"


def test_bytes_have_not_changed() -> None:
    assert digest() == EXPECTED_DIGEST


@given(st.text(alphabet="a=. \t\n\x00é", max_size=200), st.integers(60, 80))
def test_lines_are_quoted_one_by_one_as_all_of_them_are(text, width):
    raw = f"{'x' * width}{text}".encode()
    assert b"".join(map(message._quoted, raw.splitlines(keepends=True))) == binascii.b2a_qp(raw, istext=True)
