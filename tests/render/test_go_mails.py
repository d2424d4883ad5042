"""The Go plugin's mails, one of each kind, line by line: filters and scripts read them.

Recorded from the Go plugin. Its lines are the first of ours, to the letter; what is ours follows below.
"""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from teleport_email.config.settings import DeliverySettings
from teleport_email.core.ledger import ANNOUNCEMENTS, Ledger, Party
from teleport_email.core.model import (
    AccessRequest,
    ClusterInfo,
    Content,
    Kind,
    Mail,
    RequestState,
    Review,
    Topic,
)
from teleport_email.mail.message import build
from teleport_email.render import Facts, Renderer, samples

VECTORS = Path(__file__).parents[1] / "data" / "vectors" / "go-mails.json"
MAILS = json.loads(VECTORS.read_text("utf-8"))["mails"]
CLUSTER = ClusterInfo("demo.example.com", proxy_public_addr="localhost:3080", advanced_access_workflows=True)
AT = datetime(2026, 11, 26, 18, 10, 44, tzinfo=UTC)
RENDERER = Renderer(DeliverySettings(sender="teleport@example.com"))
NO_WEB = replace(CLUSTER, advanced_access_workflows=False)
OUTCOMES = {
    "APPROVED": (Topic.APPROVED, RequestState.APPROVED),
    "DENIED": (Topic.DENIED, RequestState.DENIED),
    "EXPIRED": (Topic.EXPIRED, RequestState.GONE),
}


def told_by_go(mail: dict[str, str]) -> tuple[Kind, AccessRequest]:
    """Which of our messages tells the same."""
    lines = mail["text"].split("\r\n")
    said = dict(line.split(": ", 1) for line in lines if ": " in line)
    request = AccessRequest(
        mail["subject"].rpartition(" ")[2],
        said.get("User", "myuser@example.com"),
        (said.get("Role(s)", "editor"),),
        request_reason=said.get("Reason", ""),
    )
    if lines[0].startswith("You have"):
        return Kind(Topic.ANNOUNCEMENT), request
    if " reviewed " in lines[0]:
        state = RequestState(re.sub(r"\W", "", said["Resolution"]))
        review = Review(lines[0].split()[0], state, said["Reason"].removesuffix("."), created=AT)
        return Kind(Topic.REVIEW, 1), replace(request, request_reason="x", reviews=(review,))
    word, _, reason = said["Status"].partition(" ")[2].partition(" (")
    topic, state = OUTCOMES[word]
    return Kind(topic), replace(request, state=state, resolve_reason=reason.removesuffix(")"))


def render(kind: Kind, request: AccessRequest, cluster: ClusterInfo = CLUSTER) -> Content:
    return RENDERER.render(kind, request, Facts(cluster), now=AT, boundary="b")


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: f"{mail['subject'][-9:]}: {mail['text'][:24]}")
def test_its_lines_come_first_to_the_letter(mail: dict[str, str]) -> None:
    kind, request = told_by_go(mail)
    content = render(kind, request)
    wanted = mail["text"].removesuffix("\r\n").split("\r\n")
    assert content.text.split("\n")[: len(wanted)] == wanted
    assert content.text.split("\n")[len(wanted)] == ""
    assert content.subject == mail["subject"]
    raw = build(
        Mail(
            "all@example.com",
            "id@example.com",
            "root@example.com",
            content,
            announces=kind.topic in ANNOUNCEMENTS,
        )
    )
    assert (b"\r\nIn-Reply-To: " in raw) is (mail["in_reply_to"] != "none")


def test_every_kind_is_among_them() -> None:
    assert Counter(told_by_go(mail)[0].topic for mail in MAILS) == {
        Topic.ANNOUNCEMENT: 4,
        Topic.REVIEW: 3,
        Topic.APPROVED: 2,
        Topic.DENIED: 1,
        Topic.EXPIRED: 1,
    }


def test_commands_take_the_place_of_the_link_in_new_requests() -> None:
    kind, request = told_by_go(MAILS[0])
    with_link, with_commands = (
        render(kind, request, cluster).text.split("\n") for cluster in (CLUSTER, NO_WEB)
    )
    place = next(number for number, line in enumerate(with_link) if line.startswith("Link: "))
    commands = [
        "Approve: tsh request review --approve REQUEST-1",
        "Deny: tsh request review --deny REQUEST-1",
    ]
    assert with_commands == [*with_link[:place], *commands, *with_link[place + 1 :]]


FIRST_LINES = {
    "You have a new Role Request:": {Topic.ANNOUNCEMENT},
    "Role Request has been resolved:": {
        *(Topic.APPROVED, Topic.DENIED, Topic.EXPIRED),
        *(Topic.ANNOUNCED_APPROVED, Topic.ANNOUNCED_DENIED),
    },
}


@pytest.mark.parametrize("cluster", [samples.CLUSTER, NO_WEB], ids=["web", "no web"])
@pytest.mark.parametrize("sample", samples.all_kinds(), ids=lambda sample: sample.name)
def test_a_rule_fires_once(sample: samples.Sample, cluster: ClusterInfo) -> None:
    topic, facts = sample.kind.topic, Facts(cluster, sample.recipients)
    content = RENDERER.render(sample.kind, sample.request, facts, now=sample.now, boundary="b")
    for line, topics in FIRST_LINES.items():
        assert content.text.startswith(f"{line}\n\nID: ") is (topic in topics)
        assert (line in content.text + content.html) is (topic in topics)
    shown = re.sub(r"<[^>]*>", "", content.html).replace("&nbsp;", " ")
    both = f"{content.text}\n{shown}".lower()
    assert ("⏳ pending" in both) is (topic is Topic.ANNOUNCEMENT)
    assert ("tsh request review" in both) is (
        topic in (Topic.ANNOUNCEMENT, Topic.ESCALATION) and cluster is NO_WEB
    )
    others = (Topic.REVIEW, Topic.REMINDER, Topic.ESCALATION, Topic.RECEIVED, Topic.ENDED)
    assert ("status:" in both) is (topic not in others)
    assert ("\nState: " in content.text) is (topic in others)
    assert topic is Topic.REVIEW or "resolution: " not in both


def test_one_that_is_told_only_after_its_end_is_a_resolution_too() -> None:
    gone = replace(samples.APPROVED, state=RequestState.GONE)
    for topic in (Topic.APPROVED, Topic.ANNOUNCED_APPROVED):
        text = render(Kind(topic), gone).text
        assert text.startswith("Role Request has been resolved:\n\nID: ")
        assert "\n\nStatus: ✅ APPROVED (" in text


@pytest.mark.parametrize("many", [1, 60, 500])
def test_roles_and_reason_are_whole(many: int) -> None:
    roles = tuple(f"role-of-the-team-{number}" for number in range(many))
    reason = " ".join(["word"] * 8 * many)[:4096].strip()
    request = replace(samples.REQUEST, roles=roles, request_reason=reason, resolve_reason=reason)
    text = render(Kind(Topic.ANNOUNCEMENT), request).text
    assert f"\nRole(s): {','.join(roles)}\nReason: {reason}\nLink: " in text
    assert f"\n\nStatus: ✅ APPROVED ({reason})\n" in render(Kind(Topic.APPROVED), request).text
    review = Review("bob@example.com", RequestState.APPROVED, reason, created=AT)
    text = render(Kind(Topic.REVIEW, 1), replace(request, reviews=(review,))).text
    assert f"\nReason: {reason}.\n\n" in text


@pytest.mark.parametrize(
    ("zone", "time"),
    [
        ("UTC", "26 Nov 26 18:10 UTC"),
        ("Europe/Berlin", "26 Nov 26 19:10 CET"),
        ("America/Sao_Paulo", "26 Nov 26 15:10 -03"),
    ],
)
def test_the_time_of_a_review_is_as_go_writes_it(zone: str, time: str) -> None:
    review = Review("bob@example.com", RequestState.APPROVED, created=AT)
    renderer = Renderer(DeliverySettings(sender="teleport@example.com", timezone=zone))
    request = replace(samples.REQUEST, reviews=(review,))
    content = renderer.render(Kind(Topic.REVIEW, 1), request, Facts(CLUSTER), now=AT, boundary="b")
    assert content.text.startswith(
        f"bob@example.com reviewed the request at {time}.\nResolution: ✅ APPROVED.\n\n"
    )


def test_what_was_frozen_before_an_update_keeps_its_message_id_and_date() -> None:
    ledger = Ledger(nonce="0123456789abcdef" * 2, domain="example.com")
    ids = [ledger.message_id("r-1", Party("bob@example.com"), kind) for kind in samples.kinds()]
    assert ids[:2] == ["a.96cf44b05e138eaa6e703d80@example.com", "r1.b674e30e8d8b1a708359d954@example.com"]
    content = render(Kind(Topic.ANNOUNCEMENT), samples.REQUEST)
    mail = Mail("bob@example.com", ids[0], "root@example.com", content)
    before, now = build(mail), build(replace(mail, announces=True))
    for header in (b"Message-ID", b"Date", b"References", b"Subject"):
        [old], [new] = (
            re.findall(rb"\r\n" + header + rb": [^\r]+|^" + header + rb": [^\r]+", raw)
            for raw in (before, now)
        )
        assert old == new
