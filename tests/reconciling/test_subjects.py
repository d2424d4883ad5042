"""The subject of a conversation: chosen when it begins, then kept, whatever is configured and whoever goes on."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from teleport_email.config.settings import DeliverySettings
from teleport_email.core import informing, ledger_json
from teleport_email.core.claim import Claim
from teleport_email.core.decide import Audience, Policy, View
from teleport_email.core.go_plugin import BY_GO
from teleport_email.core.ledger import Ledger, Party
from teleport_email.core.model import (
    AccessRequest,
    ClusterInfo,
    Content,
    Delivered,
    Kind,
    Mail,
    RequestState,
    ResourceID,
    Review,
    Topic,
)
from teleport_email.reconciling.writer import TextWriter
from teleport_email.render import Renderer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ID = "018f2d1e-7c3a-7b52-9d41-3f6f0a9b2c11"
REQUEST = AccessRequest(ID, "alice@example.com", ("db-admin",), created=NOW, expires=NOW + timedelta(hours=1))
STANDARD = f"demo.example.com Role Request {ID}"
DESCRIPTIVE = "alice@example.com asks for db-admin (demo.example.com, ...0a9b2c11)"
APPROVED = structs.replace(
    REQUEST, state=RequestState.APPROVED, reviews=(Review("bob", RequestState.APPROVED, created=NOW),)
)


class Nobody:
    async def name(self, name: str) -> None:
        return None

    async def names(self, ids: Sequence[ResourceID]) -> Mapping[ResourceID, str]:
        return {}


def writer(subject: str = "descriptive") -> TextWriter:
    delivery = DeliverySettings(sender="teleport@example.com", subject=subject)  # type: ignore[arg-type]
    return TextWriter(
        Renderer(delivery, on_fault=pytest.fail),
        Nobody(),
        Nobody(),
        cluster=lambda: ClusterInfo("demo.example.com"),
        wall=lambda: NOW,
        rng=random.Random(1),
    )


class Conversation:
    """A claim at work, all of whose mails arrive."""

    def __init__(self, *people: str, ledger: Ledger | None = None) -> None:
        self.audience = Audience(people)
        self.claim = Claim(ID, "owner")
        if ledger is not None:
            self.claim = structs.replace(self.claim, ledger=ledger)

    async def tell(self, request: AccessRequest, subject: str) -> list[Mail]:
        render = await writer(subject).prepare(View(request))
        view, policy, mails = View(request), Policy(), []
        for number in range(10):
            plan = self.claim.plan(view, self.audience, policy, NOW)
            attempt = self.claim.next_write(
                view, plan, write_id=f"w{number}{request.state}", nonce="ab" * 16, domain="example.com",
                now=0.0, room=10, render=render,
            )  # fmt: skip
            if attempt is None:
                break
            self.claim = self.claim.issued(attempt).written(attempt)
            dues, self.claim = self.claim.begin()
            mails += list(self.claim.mails(dues).values())
            for due in dues:
                self.claim = self.claim.finish(due, Delivered(), 0)
        return mails

    def subjects(self, mails: list[Mail]) -> list[str]:
        return [mail.content.subject for mail in mails]


@pytest.mark.parametrize(
    ("begun", "later", "subject"),
    [
        ("standard", "standard", STANDARD),
        ("descriptive", "descriptive", DESCRIPTIVE),
        ("descriptive", "standard", DESCRIPTIVE),
        ("standard", "descriptive", STANDARD),
    ],
)
async def test_a_conversation_keeps_the_subject_that_it_began_with(
    begun: str, later: str, subject: str
) -> None:
    talk = Conversation("bob@example.com", "carol@example.com")
    mails = await talk.tell(REQUEST, begun)
    mails += await talk.tell(APPROVED, later)
    assert talk.subjects(mails) == [subject] * 6
    assert (informing.SUBJECTS in talk.claim.ledger.info) is (subject == DESCRIPTIVE)


async def test_another_process_finds_it_in_the_ledger() -> None:
    talk = Conversation("bob@example.com")
    await talk.tell(REQUEST, "descriptive")
    read = ledger_json.loads(ledger_json.dumps(talk.claim.ledger))
    assert informing.subjects(read.info) == (DESCRIPTIVE, STANDARD)
    assert ledger_json.version(read) == 1, "an older program goes on with it"


async def test_what_the_go_plugin_began_keeps_its_own() -> None:
    announced = Party("bob@example.com", root="go@id", entries={Kind(Topic.ANNOUNCEMENT): BY_GO})
    render = await writer().prepare(View(APPROVED))
    content = render(Kind(Topic.APPROVED), View(APPROVED), Ledger(nonce="ab" * 16, parties=(announced,)))
    assert (content.subject, content.plain_subject) == (STANDARD, "")


async def test_a_thread_of_the_go_plugin_beside_ours_keeps_its_own_too() -> None:
    talk = Conversation("bob@example.com")
    await talk.tell(REQUEST, "descriptive")
    by_go = Party("carol@example.com", root="go@id", entries={Kind(Topic.ANNOUNCEMENT): BY_GO})
    talk.claim = structs.replace(talk.claim, ledger=talk.claim.ledger.replace_party(by_go))
    told = {mail.recipient: mail.content.subject for mail in await talk.tell(APPROVED, "descriptive")}
    assert told == {"bob@example.com": DESCRIPTIVE, "carol@example.com": STANDARD}


async def test_where_an_older_program_dropped_it_the_standard_one_is_true_for_all_that_follows() -> None:
    talk = Conversation("bob@example.com")
    await talk.tell(REQUEST, "descriptive")
    talk.claim = structs.replace(talk.claim, ledger=structs.replace(talk.claim.ledger, info={}))
    assert set(talk.subjects(await talk.tell(APPROVED, "descriptive"))) == {STANDARD}


@pytest.mark.parametrize(
    ("request_", "subject"),
    [
        (structs.replace(REQUEST, roles=("a", "b", "c")), "alice@example.com asks for a and 2 more ("),
        (structs.replace(REQUEST, roles=()), "alice@example.com asks for access ("),
        (
            structs.replace(REQUEST, user="x\r\nBcc: eve@evil.example"),
            "x Bcc: eve[@]evil[.]example asks for",
        ),
        (
            structs.replace(REQUEST, roles=("prod-db.readonly",)),
            "alice@example.com asks for prod-db.readonly (",
        ),
        (structs.replace(REQUEST, roles=("管理者",)), "alice@example.com asks for 管理者 ("),
    ],
    ids=["roles", "none", "hostile", "dots", "not ASCII"],
)
async def test_who_asks_for_what(request_: AccessRequest, subject: str) -> None:
    render = await writer().prepare(View(request_))
    content: Content = render(Kind(Topic.ANNOUNCEMENT), View(request_), Ledger(nonce="ab" * 16))
    assert content.subject.startswith(subject)
    assert len(content.subject.splitlines()) == 1
    assert content.subject.endswith("(demo.example.com, ...0a9b2c11)")
