"""All messages of a request are one conversation in every client; each client's rule has its test.

From the real parts: the ledger's ids, the renderer's subject, the bytes of ``mail.message``.
"""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage

import pytest

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.ledger import ANNOUNCEMENTS, Ledger, Party
from teleport_email.core.model import Kind, Mail, Topic
from teleport_email.mail.message import build
from teleport_email.render import Facts, Renderer, samples

RENDERER = Renderer(DeliverySettings(sender="teleport@example.com"))
LEDGER = Ledger(nonce="0123456789abcdef" * 2, domain="example.com")
REVIEWER = Party("bob@example.com")
REQUESTER = Party("bob@example.com", requester=True)
KINDS = [
    *(kind for kind in samples.kinds() if kind.topic is not Topic.REVIEW),
    *(Kind(Topic.REVIEW, number) for number in (1, 2, 10)),
]
BEGUN_BY_GO = Party("bob@example.com", root="go-plugin.id@mailgun.example")


def mail(kind: Kind, party: Party, *, request=samples.REQUEST, ledger: Ledger = LEDGER) -> bytes:
    content = RENDERER.render(kind, request, Facts(samples.CLUSTER), now=samples.NOW, boundary="b")
    return build(
        Mail(
            recipient=party.address,
            message_id=ledger.message_id(request.id, party, kind),
            thread_root=ledger.thread_root(request.id, party),
            content=content,
            announces=kind.topic in ANNOUNCEMENTS,
        )
    )


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def thread(party: Party) -> list[EmailMessage]:
    return [parsed(mail(kind, party)) for kind in KINDS if kind.topic.for_requester is party.requester]


def references(message: EmailMessage) -> list[str]:
    return re.findall(r"<([^<>\s]+)>", message["References"])


PARTIES = pytest.mark.parametrize(
    "party", [REVIEWER, REQUESTER, BEGUN_BY_GO], ids=["reviewer", "requester", "go"]
)


@PARTIES
def test_gmail_same_subject_and_references_that_consistently_name_one_id(party):
    messages = thread(party)
    assert len({message["Subject"] for message in messages}) == 1
    assert {tuple(references(message)) for message in messages} == {
        (LEDGER.thread_root(samples.REQUEST.id, party),)
    }


@PARTIES
def test_gmail_weighs_in_reply_to_so_it_names_the_same_id(party):
    for message in thread(party):
        named = message["In-Reply-To"]
        assert named is None or [named.strip("<>")] == references(message)


def test_an_announcement_is_told_by_having_no_in_reply_to():
    for kind in KINDS:
        for party in (REVIEWER, REQUESTER):
            announces = kind.code[0] in "ae"
            assert (parsed(mail(kind, party))["In-Reply-To"] is None) is announces


@PARTIES
def test_a_provider_that_changes_the_message_ids_leaves_the_thread_together(party):
    for message in thread(party):
        assert references(message) == [LEDGER.thread_root(samples.REQUEST.id, party)]


@PARTIES
def test_outlook_same_topic_and_references(party):
    """Exchange takes the subject without ``Re:`` as topic, and reads References where there is no Thread-Index."""
    messages = thread(party)
    topics = {re.sub(r"(?i)^(?:re|fwd?|aw|wg):\s*", "", message["Subject"]) for message in messages}
    assert topics == {f"demo.example.com Role Request {samples.REQUEST.id}"}
    assert len({message["References"] for message in messages}) == 1
    assert all(message["Thread-Index"] is None for message in messages)


@PARTIES
def test_thunderbird_and_mutt_messages_whose_references_meet_are_one_thread(party):
    """The usual algorithm: every message and all it refers to are one group; groups that share an id merge."""
    groups: list[set[str]] = []
    for message in thread(party):
        group = {message["Message-ID"].strip("<>"), *references(message)}
        for other in [other for other in groups if other & group]:
            group |= other
            groups.remove(other)
        groups.append(group)
    assert len(groups) == 1


def test_the_requesters_thread_is_another_even_for_one_who_reviews_too():
    ids = [{references(message)[0] for message in thread(party)} for party in (REVIEWER, REQUESTER)]
    assert not ids[0] & ids[1]


def test_another_request_is_another_thread():
    other = Ledger(nonce="f" * 32, domain="example.com")
    one, two = (parsed(mail(KINDS[0], REVIEWER, ledger=ledger)) for ledger in (LEDGER, other))
    assert references(one) != references(two)


@PARTIES
def test_rfc_5322_ids_are_unique_short_plain_and_never_their_own_parent(party):
    messages = thread(party)
    ids = [message["Message-ID"] for message in messages]
    assert len(set(ids)) == len(ids)
    for message in messages:
        assert re.fullmatch(r"<[A-Za-z0-9._-]+@[A-Za-z0-9.-]+>", message["Message-ID"])
        assert message["Message-ID"].strip("<>") not in references(message)
        assert len(message["Message-ID"]) <= 72


@PARTIES
def test_ids_stand_in_one_piece_on_one_line(party):
    """A folded or encoded id is another id for some clients."""
    for kind in KINDS:
        raw = mail(kind, party)
        head = raw.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n", "\n")
        replies = () if kind.topic in ANNOUNCEMENTS else ("In-Reply-To",)
        for name in ("Message-ID", "References", *replies):
            assert len(re.findall(rf"^{name}: <[!-;=?-~]+>$", head, flags=re.MULTILINE)) == 1
        assert len(re.findall(r"^Subject: ", head, flags=re.MULTILINE)) == 1
