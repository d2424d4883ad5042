"""Threads as mail programs build them."""

from __future__ import annotations

import pytest

from teleport_email.sandbox.mail.mailbox import ReceivedMail
from teleport_email.sandbox.mail.threads import build_threads


def mail(number, to="alice@example.com", *, subject="s", own="", references="", reply=""):
    lines = [f"Subject: {subject}"]
    lines += [f"Message-ID: <{own}>"] if own else []
    lines += [f"References: {references}"] if references else []
    lines += [f"In-Reply-To: {reply}"] if reply else []
    recipients = to if isinstance(to, tuple) else (to,)
    return ReceivedMail(number, "bot@example.com", recipients, "\r\n".join([*lines, "", "body", ""]).encode())


def shape(mails, recipient=""):
    return [
        (thread.recipient, [mail.number for mail in thread.mails])
        for thread in build_threads(mails, recipient)
    ]


@pytest.mark.parametrize(
    "second",
    [
        {"own": "b", "references": "<a>"},
        {"own": "b", "reply": "<a>"},
        {"own": "b", "references": "<x> <a>", "subject": "Re: AW: s"},
    ],
)
def test_a_reply_joins_what_it_names(second):
    assert shape([mail(1, own="a"), mail(2, **second)]) == [("alice@example.com", [1, 2])]


def test_a_root_that_never_came_joins_those_who_name_it():
    mails = [mail(1, own="a", references="<root>", reply="<root>"), mail(2, own="b", references="<root>")]
    assert shape(mails) == [("alice@example.com", [1, 2])]


def test_a_late_link_joins_two_threads():
    mails = [mail(1, own="a"), mail(2, own="b"), mail(3, own="c", references="<a> <b>")]
    assert shape(mails) == [("alice@example.com", [1, 2, 3])]


@pytest.mark.parametrize("second", [{"own": "b"}, {"own": "b", "references": "<a>", "subject": "other"}, {}])
def test_what_is_not_linked_or_has_another_subject_stands_alone(second):
    assert shape([mail(1, own="a"), mail(2, **second)]) == [
        ("alice@example.com", [2]),
        ("alice@example.com", [1]),
    ]


def test_mailboxes_are_apart_and_one_message_can_be_in_two():
    both = mail(2, to=("bob@example.com", "alice@example.com"), own="b", references="<a>")
    mails = [mail(1, own="a"), both]
    assert sorted(shape(mails)) == [("alice@example.com", [1, 2]), ("bob@example.com", [2])]
    assert shape(mails, "bob@example.com") == [("bob@example.com", [2])]


def test_the_newest_thread_comes_first():
    mails = [mail(1, own="a"), mail(2, own="b"), mail(3, own="c", references="<a>")]
    assert shape(mails) == [("alice@example.com", [1, 3]), ("alice@example.com", [2])]


def test_messages_without_an_id_and_with_the_same_one():
    assert shape([mail(1), mail(2)]) == [("alice@example.com", [2]), ("alice@example.com", [1])]
    assert shape([mail(1, own="a"), mail(2, own="a")]) == [("alice@example.com", [1, 2])]
