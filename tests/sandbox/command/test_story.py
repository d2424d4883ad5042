"""The demo's judgement: it finds what is missing, doubled, out of place or out of order."""

from __future__ import annotations

import pytest

from teleport_email.sandbox.command import story
from teleport_email.sandbox.command.story import Expected
from teleport_email.sandbox.mail.mailbox import ReceivedMail

BOB, CAROL = "bob@example.com", "carol@example.com"
EXPECTED = [
    Expected("r1", BOB, story.ANNOUNCED),
    Expected("r1", CAROL, story.ANNOUNCED),
    Expected("r1", BOB, story.APPROVED),
    Expected("r1", CAROL, story.APPROVED),
    Expected("r2", BOB, story.ANNOUNCED),
]


def mail(number, to, begins, request="r1", *, root=None, subject=None, html="<p>x</p>"):
    root = f"root-{request}" if root is None else root
    raw = (
        f"Subject: {subject or request}\r\nMessage-ID: <m{number}>\r\nReferences: <{root}>\r\n"
        f"X-Teleport-Request-Id: {request}\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\n{begins}:\r\nmore\r\n"
        f"--b\r\nContent-Type: text/html\r\n\r\n{html}\r\n--b--\r\n"
    )
    return ReceivedMail(number, "bot@example.com", (to,), raw.encode())


def good():
    return [mail(n, one.recipient, one.beginning, one.request_id) for n, one in enumerate(EXPECTED, 1)]


def test_all_there():
    assert story.faults(good(), EXPECTED) == []
    assert story.missing(good(), EXPECTED) == []


def test_the_order_of_different_readers_does_not_matter():
    mails = [
        mail(1, BOB, story.ANNOUNCED),
        mail(2, BOB, story.APPROVED),
        mail(3, BOB, story.ANNOUNCED, "r2"),
        mail(4, CAROL, story.ANNOUNCED),
        mail(5, CAROL, story.APPROVED),
    ]
    assert story.faults(mails, EXPECTED) == []


@pytest.mark.parametrize("lost", range(len(EXPECTED)))
def test_one_missing(lost):
    mails = good()
    del mails[lost]
    assert story.faults(mails, EXPECTED) == [f"missing: {EXPECTED[lost]}"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: [*m, mail(6, BOB, story.APPROVED)], "came 2 times: bob"),
        (lambda m: [*m, mail(6, "eve@example.com", story.APPROVED)], "not expected: eve"),
        (lambda m: [*m, mail(6, BOB, story.DENIED)], "not expected: bob"),
        (lambda m: [*m, mail(6, BOB, f"{story.APPROVED}ish")], "not expected: bob"),
        (
            lambda m: [mail(3, BOB, story.ANNOUNCED), *m[1:2], mail(1, BOB, story.APPROVED), *m[3:]],
            "out of order",
        ),
        (lambda m: [*m[:2], mail(3, BOB, story.APPROVED, root="other"), *m[3:]], "not one thread but 2"),
        (lambda m: [*m[:4], mail(5, BOB, story.ANNOUNCED, "r2", root="root-r1", subject="r1")], "mixed"),
        (lambda m: [*m[:4], mail(5, BOB, story.ANNOUNCED, "r2", html="")], "not both text and HTML"),
    ],
)
def test_what_is_wrong(change, says):
    assert any(says in fault for fault in story.faults(change(good()), EXPECTED))
